#include "base/telemetry/log.h"

#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::telemetry {

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
    case Level::kOff: return "off";
  }
  MARGAY_CHECK(!"Level out of range");
}

Result<Level> parse_level(std::string_view text) {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn, Level::kError, Level::kOff}) {
    if (equals_ignoring_case(text, to_string(level))) return level;
  }
  if (equals_ignoring_case(text, "warning")) return Level::kWarn;
  return invalid(concat(quoted(text), " is not one of debug, info, warn, error, off"));
}

std::string FieldValue::duration_text(Duration value) { return format_duration(value); }

FieldValue::FieldValue(const Error& value) : data_(concat(margay::to_string(value.code), ": ", value.message)) {}

std::uint64_t LogOutput::count(Level level) const {
  MARGAY_CHECK(level != Level::kOff);
  return counts_[static_cast<std::size_t>(level)].load(std::memory_order_relaxed);
}

void LogOutput::write(Level level, std::string_view message, std::span<const Field> logger_fields,
                      std::span<const Field> call_fields) {
  counts_[static_cast<std::size_t>(level)].fetch_add(1, std::memory_order_relaxed);
  sink_.write(Record{.time = clock_(),
                     .level = level,
                     .message = message,
                     .logger_fields = logger_fields,
                     .call_fields = call_fields});
}

Logger Logger::with(Fields fields) const {
  Logger out = *this;
  out.fields_.insert(out.fields_.end(), fields.begin(), fields.end());
  return out;
}

void Logger::log(Level level, std::string_view message, Fields fields) const {
  if (is_enabled(level)) output_->write(level, message, fields_, fields);
}

}  // namespace margay::telemetry
