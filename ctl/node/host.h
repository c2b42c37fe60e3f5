// Host: the machine netctl runs on, as the commands about nodes need it: sockets of agents, programs, files, the
// kernel. MachineHost is the real one; tests put a fake behind it. Calls block.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/json/value.h"
#include "ctl/node/system_checks.h"
#include "dataplane/exec/runner.h"

namespace margay::node {

struct Answer {
  int status = 0;  // of HTTP
  std::string body;
};

class Host {
 public:
  virtual ~Host() = default;
  // GET of what answers on a unix socket: a margay-node or a margay-bgpd. kUnavailable: nobody does; kTimeout: not
  // within the limit.
  virtual Result<Answer> get(const std::string& socket, const std::string& target, Duration limit) = 0;
  virtual exec::Runner& programs() = 0;
  [[nodiscard]] virtual bool has_file(const std::string& path) const = 0;
  virtual Result<std::string> read_file(const std::string& path) = 0;
  virtual Status write_file(const std::string& path, std::string_view content) = 0;
  // Paths that a shell's pattern stands for, in order.
  virtual std::vector<std::string> files(const std::string& pattern) = 0;
  virtual std::vector<CheckResult> check_system() = 0;
};

std::unique_ptr<Host> machine_host();

// The JSON of a GET that is answered with 200. kNotFound for 404; other errors say what the other side says.
Result<json::Value> ask(Host& host, const std::string& socket, const std::string& target,
                        Duration limit = std::chrono::seconds(10));

}  // namespace margay::node
