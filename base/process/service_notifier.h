// ServiceNotifier: tells systemd how the service is (sd_notify(3), its protocol spoken directly: one datagram of
// KEY=VALUE lines to the socket in NOTIFY_SOCKET, which is a path or, with '@' in front, an abstract name).
//
// Without systemd (no NOTIFY_SOCKET) every call succeeds and does nothing. Calls never block.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/core/time.h"

namespace margay::process {

class ServiceNotifier {
 public:
  // nullopt: not set.
  using Environment = std::function<std::optional<std::string>(std::string_view name)>;

  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; the error names the one that cannot be understood.
  static Result<ServiceNotifier> from_environment(const Environment& environment);

  // Start-up is finished.
  Status ready() const { return send("READY=1"); }
  // Shutting down has begun.
  Status stopping() const { return send("STOPPING=1"); }
  // Alive; to be sent at least every watchdog_interval(), best twice as often.
  Status alive() const { return send("WATCHDOG=1"); }
  // One line for `systemctl status`; line ends become blanks.
  Status status(std::string_view text) const;

  [[nodiscard]] bool is_supervised() const { return !socket_.empty(); }
  // nullopt: systemd does not watch this process.
  [[nodiscard]] std::optional<Duration> watchdog_interval() const { return watchdog_interval_; }

 private:
  [[nodiscard]] Status send(std::string_view message) const;

  std::string socket_;  // path, or '\0' and the abstract name; empty: nobody listens
  std::optional<Duration> watchdog_interval_;
};

// The environment of this process; getenv(3) is safe as long as nobody changes it.
std::optional<std::string> process_environment(std::string_view name);

}  // namespace margay::process
