// What -v and -vv show of the talk with the API server, request by request, retries and probes included.
//
//   -v    GET https://10.0.0.1:6443/apis/projectcalico.org/v3/ippools?limit=500: 200 OK in 3 ms
//   -vv   in front of that line, "> " and what was sent; after it, "< " and what came: headers, and bodies line by line
//
// What must stay secret does: of Authorization and cookies only the scheme is shown, of Secrets neither data nor what
// an annotation keeps of it. Long lines are cut.
//
// One loop, that of the client it wraps.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/http/client.h"
#include "base/loop/loop.h"

namespace margay::verbs {

enum class TraceLevel { kRequests, kBodies };

struct TraceOptions {
  TraceLevel level = TraceLevel::kRequests;
  std::string server;                              // "https://10.0.0.1:6443", put before every path
  std::function<void(std::string_view line)> out;  // a line, without its newline
};

// `inner`, with everything that goes through it told to `options.out`. `loop` outlives it.
std::unique_ptr<http::Client> traced(std::unique_ptr<http::Client> inner, loop::Loop& loop, TraceOptions options);

}  // namespace margay::verbs
