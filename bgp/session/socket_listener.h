// SocketListener: one listening socket: the MD5 keys it knows, and accepting that neither spins nor falls silent when
// there are no descriptors left.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/core/result.h"
#include "base/loop/fd_watch.h"
#include "base/loop/loop.h"
#include "base/loop/unique_fd.h"
#include "base/telemetry/log.h"
#include "base/telemetry/rate_limit.h"
#include "bgp/session/md5_keys.h"
#include "bgp/session/transport.h"

namespace margay::bgp::session {

class SocketListener {
 public:
  struct Parts {
    loop::Loop& loop;
    loop::FdWatcher& watcher;
    telemetry::Logger log;
    std::function<void(loop::UniqueFd)> on_accepted;  // may destroy the listener
  };
  using Keys = std::map<IpPrefix, ListenerKey>;

  // The keys are there before the first connection can come.
  static Result<std::unique_ptr<SocketListener>> open(Parts parts, const SocketAddress& address, const Keys& keys);

  // Replaces all; what the kernel refused before is tried again.
  void set_keys(const Keys& keys);
  // By whose password it is.
  [[nodiscard]] const std::map<IpPrefix, Error>& refused_keys() const { return refused_; }
  // With the port the kernel chose for port 0.
  [[nodiscard]] const SocketAddress& address() const { return address_; }

 private:
  SocketListener(Parts parts, loop::UniqueFd fd) : parts_(std::move(parts)), fd_(std::move(fd)) {}
  Status begin(const SocketAddress& address, const Keys& keys);
  void accept_some();
  void out_of_descriptors(int error_number);
  int refuse_waiting();

  Parts parts_;
  loop::UniqueFd fd_;
  // Given up for a moment to take connections only to close them: their peers hear at once that nobody is there.
  loop::UniqueFd reserve_;
  SocketAddress address_;
  std::map<IpPrefix, std::string> known_;  // prefix to password, as the kernel has them
  std::map<IpPrefix, Error> refused_;
  std::unique_ptr<loop::FdWatch> watch_;
  std::unique_ptr<loop::Timer> pause_;
  Duration pause_length_;
  telemetry::RateLimit error_log_{std::chrono::seconds(10)};
};

}  // namespace margay::bgp::session
