#include "base/telemetry/fd_sink.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace margay::telemetry {
namespace {

constexpr int kWaitMs = 100;

bool wait_writable(int fd) {
  pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&wanted, 1, kWaitMs) > 0 || errno == EINTR;
}

}  // namespace

// Never more than a pipe takes without blocking once poll(2) has said that it takes something (pipe(7)): the descriptor
// is in blocking mode as a rule, and not ours to change.
std::size_t FdSink::write_all(std::string_view text) {
  std::size_t done = 0;
  while (done < text.size()) {
    errno = 0;
    if (!wait_writable(fd_)) break;
    const ssize_t written = ::write(fd_, text.data() + done, std::min<std::size_t>(text.size() - done, PIPE_BUF));
    if (written < 0 && errno != EINTR && errno != EAGAIN) break;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  return done;
}

void FdSink::write(const Record& record) {
  std::string line = is_line_cut_.exchange(false) ? "\n" : "";
  line.append(format_record(record, format_)).push_back('\n');
  const std::size_t written = write_all(line);
  if (written == line.size()) return;
  dropped_.fetch_add(1, std::memory_order_relaxed);
  if (written > 0 || line.front() == '\n') is_line_cut_ = true;
}

}  // namespace margay::telemetry
