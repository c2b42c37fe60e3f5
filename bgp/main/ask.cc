#include "bgp/main/ask.h"

#include <cstdio>
#include <string>
#include <utility>

#include "base/core/text.h"
#include "base/http/client.h"
#include "base/json/value.h"
#include "base/loop/asio_loop.h"
#include "base/loop/plain_network.h"
#include "bgp/main/tables.h"

namespace margay::bgpd {
namespace {

constexpr Duration kDeadline = std::chrono::seconds(60);
constexpr int kExitNotFound = 4;  // as netctl

http::Request request_for(const Flags& flags) {
  http::Request request;
  const std::string peer = flags.peer.empty() ? "" : concat("peer=", http::percent_encode(flags.peer));
  switch (flags.mode) {
    case Flags::Mode::kReload:
      request.method = "POST";
      request.target = "/reload";
      break;
    case Flags::Mode::kReset:
      request.method = "POST";
      request.target = concat("/reset?", peer);
      break;
    case Flags::Mode::kRun:
    case Flags::Mode::kCheck:
    case Flags::Mode::kShow:
      request.target = concat("/", flags.what);
      if (!peer.empty()) request.target += concat("?", peer);
      if (flags.in) request.target += "&in";
      if (flags.out) request.target += "&out";
      break;
  }
  return request;
}

struct Answer {
  int status = 0;
  std::string body;
};

Result<Answer> ask(const Flags& flags) {
  loop::AsioLoop loop;
  loop::PlainNetwork network(loop);
  http::ClientConfig config;
  config.endpoint.kind = loop::Endpoint::Kind::kUnix;
  config.endpoint.path = flags.socket;
  const auto client = http::make_client(loop, network, std::move(config));
  Answer answer;
  std::optional<Status> outcome;
  const auto exchange = client->start(request_for(flags), {},
                                      {[&](const http::ResponseHead& head) { answer.status = head.status; },
                                       [&](std::string_view bytes) { answer.body.append(bytes); },
                                       [&](Status status) { outcome = std::move(status); }});
  loop.run_until([&] { return outcome.has_value(); }, kDeadline);
  if (!outcome) return Error{ErrorCode::kTimeout, "no answer"};
  if (!outcome->ok()) return outcome->error().within(flags.socket);
  return answer;
}

void print(std::FILE* to, std::string_view text) { (void)std::fwrite(text.data(), 1, text.size(), to); }

void print_failure(const json::Value& body) {
  print(stderr, concat("margay-bgpd: ", body.string_at({"error"}), "\n"));
  const json::Value* const problems = body.find("problems");
  if (problems == nullptr || problems->as_array() == nullptr) return;
  for (const json::Value& problem : *problems->as_array()) {
    if (problem.as_string() != nullptr) print(stderr, *problem.as_string() + "\n");
  }
}

}  // namespace

int run_ask(const Flags& flags) {
  const auto answer = ask(flags);
  if (!answer.ok()) {
    print(stderr, concat("margay-bgpd: ", answer.error().message, "\n"));
    return 1;
  }
  const auto body = json::parse(answer->body, {.bytes_max = std::size_t{1} << 30});
  if (!body.ok()) {
    print(stderr, concat("margay-bgpd: ", body.error().message, "\n"));
    return 1;
  }
  if (answer->status != 200) {
    print_failure(*body);
    return answer->status == 404 ? kExitNotFound : 1;
  }
  if (flags.mode != Flags::Mode::kShow) return 0;
  if (flags.json) {
    print(stdout, json::dump_pretty(*body));
  } else {
    print(stdout, flags.what == "peers" ? peers_table(*body) : routes_table(*body));
  }
  return 0;
}

}  // namespace margay::bgpd
