// A log record as one line of text.
//
//   logfmt   ts=2026-10-03T07:05:01.250Z level=info msg="session up" peer=10.0.0.2 routes=12
//   JSON     {"ts":"2026-10-03T07:05:01.250Z","level":"info","msg":"session up","peer":"10.0.0.2","routes":12}
//
// Whatever a field holds, the result is one line of valid UTF-8 that reads back: control characters are escaped, bytes
// that are not UTF-8 become U+FFFD, values above kValueSizeMax are cut and end in "…". A key that is not made of
// letters, digits and _ . - gets '_' in their place, and one that is ts, level or msg gets one appended.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/telemetry/log.h"

namespace margay::telemetry {

inline constexpr std::size_t kValueSizeMax = 4096;

enum class LogFormat { kLogfmt, kJson };
// "logfmt" (or "text"), "json".
Result<LogFormat> parse_log_format(std::string_view text);

// Without the line's end.
std::string format_record(const Record& record, LogFormat format);

}  // namespace margay::telemetry
