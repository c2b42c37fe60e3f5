// FdSink: log lines to a file descriptor (standard error, a file), one write(2) a line (of up to PIPE_BUF bytes), so
// that lines of several threads or processes do not mix. A line that nobody takes a part of within a tenth of a second
// is dropped and counted, also where write(2) would block: logging must never hold up what it tells about.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/telemetry/log.h"
#include "base/telemetry/log_format.h"

namespace margay::telemetry {

class FdSink final : public Sink {
 public:
  // The descriptor stays the caller's. Writing to a pipe nobody reads needs SIGPIPE ignored.
  FdSink(int fd, LogFormat format) : fd_(fd), format_(format) {}

  void write(const Record& record) override;
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  // How much of it.
  std::size_t write_all(std::string_view text);

  int fd_;
  LogFormat format_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<bool> is_line_cut_ = false;  // a part of a line went out: the next begins on its own
};

}  // namespace margay::telemetry
