// AgentClient: one request after the other to the agent, over its unix socket: as little HTTP/1.1 as that takes, so
// that the plugin starts at once. Blocks.
#pragma once

#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::cni {

struct AgentAnswer {
  int status = 0;
  json::Value body;
  // "error" of the body.
  [[nodiscard]] std::string error() const { return std::string(body.string_at({"error"})); }
};

class AgentClient {
 public:
  explicit AgentClient(std::string socket_path) : path_(std::move(socket_path)) {}
  ~AgentClient();
  AgentClient(const AgentClient&) = delete;
  AgentClient& operator=(const AgentClient&) = delete;

  // kUnavailable: nobody answers there. kTimeout: no answer within `timeout_seconds`.
  Result<AgentAnswer> call(std::string_view method, std::string_view target, const json::Value& body,
                           int timeout_seconds);
  // The same in two halves, for work in between.
  Status send(std::string_view method, std::string_view target, const json::Value& body, int timeout_seconds);
  Result<AgentAnswer> receive();

 private:
  Status connect_once();
  Status write_all(std::string_view bytes);
  void close_now();

  std::string path_;
  int fd_ = -1;
};

// The answer in `bytes`; kUnavailable: more is to come. For AgentClient, and its tests.
Result<AgentAnswer> parse_answer(std::string_view bytes);

}  // namespace margay::cni
