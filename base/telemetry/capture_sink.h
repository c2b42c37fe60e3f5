// CaptureSink: keeps log lines for a test to look at. The time is left out, so that lines can be compared.
//
//   CaptureSink sink;
//   LogOutput output(sink, no_clock, Level::kDebug);
//   …
//   EXPECT_EQ(sink.lines(), (std::vector<std::string>{"level=info msg=\"session up\" peer=a"}));
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/telemetry/log.h"
#include "base/telemetry/log_format.h"

namespace margay::telemetry {

inline WallTime no_clock() { return WallTime(); }

class CaptureSink final : public Sink {
 public:
  void write(const Record& record) override {
    const std::string line = format_record(record, LogFormat::kLogfmt);
    const std::lock_guard lock(mutex_);
    lines_.push_back(line.substr(line.find(' ') + 1));
  }

  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  // True if a line contains the text.
  [[nodiscard]] bool has(std::string_view text) const {
    for (const std::string& line : lines()) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace margay::telemetry
