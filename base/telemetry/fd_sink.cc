#include "base/telemetry/fd_sink.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace margay::telemetry {
namespace {

constexpr int kWaitMs = 100;

// True when it can be tried again.
bool wait_after(int failure, int fd) {
  if (failure == EINTR) return true;
  if (failure != EAGAIN) return false;
  pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&wanted, 1, kWaitMs) > 0;
}

}  // namespace

bool FdSink::write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written < 0 && !wait_after(errno, fd_)) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void FdSink::write(const Record& record) {
  std::string line = format_record(record, format_);
  line.push_back('\n');
  if (!write_all(line)) dropped_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace margay::telemetry
