// One HTTP request over a unix socket, without a client: for local APIs of processes under test. Of version 1.0, so
// that the answer comes in one piece.
#pragma once

#include <string>

#include "base/json/value.h"

namespace margay::test {

// The body of the answer, whatever its status; "" when nobody answers.
std::string unix_http(const std::string& socket_path, const std::string& method, const std::string& path,
                      const std::string& body = "");

// GET of the socket of the agent with that --run-dir; null value when nobody answers.
json::Value ask_agent(const std::string& run_dir, const std::string& path);
// Of an answer to /status.
bool says_ready(const json::Value& status);

}  // namespace margay::test
