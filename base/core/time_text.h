// Durations and timestamps as text.
//
// Durations: as Kubernetes objects write them (metav1.Duration, the notation of Go): "1h15m", "500ms", "1.5s", "0s".
// Timestamps: RFC 3339, in UTC when printed.
#pragma once

#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/core/time.h"

namespace margay {

// Decimal numbers with a unit (ns, us, µs, ms, s, m, h), one after the other, with an optional sign before them; "0"
// needs no unit. Parts below a nanosecond are dropped. At most about 292 years.
Result<Duration> parse_duration(std::string_view text);
// "1h15m0s", "500ms", "0s": what metav1.Duration prints.
std::string format_duration(Duration duration);

// "2026-08-22T10:00:00Z", with a fraction and any offset; years 1678 to 2261, which is what WallTime can hold.
Result<WallTime> parse_timestamp(std::string_view text);

// How many digits the fraction of a second gets: Kubernetes' Time has none, its MicroTime has six and needs all six.
enum class FractionDigits { kNone = 0, kMilliseconds = 3, kMicroseconds = 6, kNanoseconds = 9 };
// Rounded towards the past.
std::string format_timestamp(WallTime time, FractionDigits digits = FractionDigits::kNone);

}  // namespace margay
