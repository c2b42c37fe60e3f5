// FaultInjection: the faults of faults.h at work on requests, and their admin paths.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/core/random.h"
#include "base/core/task.h"
#include "base/http/server.h"
#include "base/loop/loop.h"
#include "datastore/server/faults.h"

namespace margay::server {

class FaultInjection {
 public:
  FaultInjection(loop::Loop& loop, Random& random, Task drop_watches);

  // /debug/faults and below; nullopt for other paths.
  std::optional<http::Response> administer(const http::Request& request, std::string_view path);
  // Answers, delays or spoils the request; `serve` runs now, later or never.
  void run(const FaultTarget& target, std::unique_ptr<http::Responder> responder,
           std::function<void(std::unique_ptr<http::Responder>)> serve);

 private:
  void delay(Duration by, Task task);

  loop::Loop& loop_;
  Random& random_;
  Task drop_watches_;
  Faults faults_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::unique_ptr<loop::Timer>> delayed_;
};

}  // namespace margay::server
