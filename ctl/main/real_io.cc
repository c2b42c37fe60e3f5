#include "ctl/main/real_io.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/loop/asio_loop.h"

namespace margay::ctl {
namespace {

// 0, or the errno that stopped it.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

RealIo::RealIo(bool allows_colour)
    : out_has_colour_(allows_colour && ::isatty(STDOUT_FILENO) == 1),
      message_has_colour_(allows_colour && ::isatty(STDERR_FILENO) == 1) {}

bool RealIo::out(std::string_view text) {
  if (!is_out_open_) return false;
  const int problem = write_all(STDOUT_FILENO, text);
  if (problem == 0) return true;
  is_out_open_ = false;
  if (problem != EPIPE) write_problem_ = std::strerror(problem);
  return false;
}

void RealIo::message(std::string_view text) { (void)write_all(STDERR_FILENO, text); }

Result<std::string> RealIo::read_input(std::size_t bytes_max) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{ErrorCode::kInvalid, std::strerror(errno)};
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > bytes_max) {
      return Error{ErrorCode::kLimitExceeded, "larger than " + std::to_string(bytes_max / 1024 / 1024) + " MiB"};
    }
  }
}

// The clock belongs to the loop; one that only tells the time costs microseconds.
WallTime RealIo::wall_now() const { return loop::AsioLoop().wall_now(); }

}  // namespace margay::ctl
