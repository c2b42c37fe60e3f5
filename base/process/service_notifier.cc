#include "base/process/service_notifier.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/core/text.h"
#include "base/loop/unique_fd.h"

namespace margay::process {
namespace {

Result<std::string> read_socket(const std::string& text) {
  const bool is_abstract = text.starts_with('@');
  if (text.size() < 2 || !(is_abstract || text.starts_with('/'))) {
    return invalid(concat("NOTIFY_SOCKET: ", quoted(text), " is no absolute path and no abstract name (@name)"));
  }
  // An abstract name may fill the address; a path needs its zero byte.
  if (text.size() > sizeof(sockaddr_un::sun_path) - (is_abstract ? 0 : 1)) {
    return invalid(concat("NOTIFY_SOCKET: ", quoted(text), " is too long for a unix socket"));
  }
  return is_abstract ? std::string(1, '\0').append(text, 1) : text;
}

// The longest interval that a Duration can hold, in microseconds.
constexpr std::int64_t kWatchdogUsecMax = INT64_MAX / 1000;

Result<std::optional<Duration>> read_watchdog(const ServiceNotifier::Environment& environment) {
  const std::optional<std::string> usec = environment("WATCHDOG_USEC");
  if (!usec) return std::optional<Duration>();
  const auto interval = parse_number<std::int64_t>(*usec);
  if (!interval || *interval <= 0 || *interval > kWatchdogUsecMax) {
    return invalid(concat("WATCHDOG_USEC: ", quoted(*usec), " is no positive number of microseconds"));
  }
  if (const std::optional<std::string> pid = environment("WATCHDOG_PID")) {
    const auto number = parse_number<pid_t>(*pid);
    if (!number) return invalid(concat("WATCHDOG_PID: ", quoted(*pid), " is no process number"));
    if (*number != ::getpid()) return std::optional<Duration>();  // meant for another process
  }
  return std::optional<Duration>(std::chrono::microseconds(*interval));
}

}  // namespace

Result<ServiceNotifier> ServiceNotifier::from_environment(const Environment& environment) {
  ServiceNotifier notifier;
  if (const auto socket = environment("NOTIFY_SOCKET"); socket && !socket->empty()) {
    MARGAY_ASSIGN_OR_RETURN(notifier.socket_, read_socket(*socket));
  }
  MARGAY_ASSIGN_OR_RETURN(notifier.watchdog_interval_, read_watchdog(environment));
  return notifier;
}

Status ServiceNotifier::status(std::string_view text) const {
  std::string line = concat("STATUS=", text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return send(line);
}

Status ServiceNotifier::send(std::string_view message) const {
  if (!is_supervised()) return ok_status();
  const loop::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) return Error{ErrorCode::kInternal, concat("notifying systemd: ", std::strerror(errno))};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(socket_.begin(), socket_.end(), address.sun_path);
  const bool is_abstract = socket_[0] == '\0';
  const std::size_t size = offsetof(sockaddr_un, sun_path) + socket_.size() + (is_abstract ? 0 : 1);
  const ssize_t sent = ::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
  if (sent == static_cast<ssize_t>(message.size())) return ok_status();
  return Error{ErrorCode::kUnavailable, concat("notifying systemd: ", std::strerror(errno))};
}

std::optional<std::string> process_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace margay::process
