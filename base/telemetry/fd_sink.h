// FdSink: log lines to a file descriptor (standard error, a file), one write(2) a line, so that lines of several
// threads or processes do not mix. A line that cannot be written within a tenth of a second is dropped and counted:
// logging must never hold up what it tells about.
#pragma once

#include <atomic>
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
  bool write_all(std::string_view text);

  int fd_;
  LogFormat format_;
  std::atomic<std::uint64_t> dropped_ = 0;
};

}  // namespace margay::telemetry
