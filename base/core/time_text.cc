#include "base/core/time_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "base/core/text.h"

namespace margay {
namespace {

using Days = std::chrono::sys_days;

constexpr std::uint64_t kNanosecondsMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

// Longer units first where one begins another.
constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
    {"ns", 1},
    {"us", 1'000},
    {"µs", 1'000},
    {"μs", 1'000},
    {"ms", 1'000'000},
    {"s", kNanosecondsPerSecond},
    {"m", 60 * kNanosecondsPerSecond},
    {"h", 3600 * kNanosecondsPerSecond},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

// 0.digits of a unit, rounded down.
std::uint64_t fraction_of(std::string_view digits, std::uint64_t unit) {
  std::uint64_t sum = 0;
  for (const char digit : digits) {
    // Below 3600e9 units a digit is worth unit/10, unit/100, …: exact while it divides, less than 1 ns off after that.
    unit /= 10;
    sum += unit * static_cast<std::uint64_t>(digit - '0');
    if (unit == 0) break;
  }
  return sum;
}

// One "1.5s" from the front of `text`, in nanoseconds.
std::optional<std::uint64_t> take_part(std::string_view& text) {
  const std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  const auto* unit =
      std::find_if(std::begin(kUnits), std::end(kUnits), [&](const auto& u) { return text.starts_with(u.first); });
  if (unit == std::end(kUnits)) return std::nullopt;
  text.remove_prefix(unit->first.size());
  const std::optional<std::uint64_t> count = whole.empty() ? 0 : parse_number<std::uint64_t>(whole);
  if (!count || *count > kNanosecondsMax / unit->second) return std::nullopt;
  return *count * unit->second + fraction_of(fraction, unit->second);
}

Error bad_duration(std::string_view text) {
  return invalid(concat(quoted(text), " is not a duration such as 90s, 1m30s or 500ms"));
}

// Two digits of a number in [low, high], and the separator before them unless it is '\0'.
std::optional<int> take_two(std::string_view& text, char separator, int low, int high) {
  if (separator != '\0') {
    if (!text.starts_with(separator)) return std::nullopt;
    text.remove_prefix(1);
  }
  if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) return std::nullopt;
  const int value = (text[0] - '0') * 10 + (text[1] - '0');
  text.remove_prefix(2);
  if (value < low || value > high) return std::nullopt;
  return value;
}

std::optional<Days> take_date(std::string_view& text) {
  if (text.size() < 4 || !std::all_of(text.begin(), text.begin() + 4, is_digit)) return std::nullopt;
  const int year = *parse_number<int>(text.substr(0, 4));
  text.remove_prefix(4);
  const auto month = take_two(text, '-', 1, 12);
  if (!month) return std::nullopt;
  const auto day = take_two(text, '-', 1, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return Days(date);
}

std::optional<Duration> take_time_of_day(std::string_view& text) {
  const auto hour = take_two(text, '\0', 0, 23);
  if (!hour) return std::nullopt;
  const auto minute = take_two(text, ':', 0, 59);
  if (!minute) return std::nullopt;
  const auto second = take_two(text, ':', 0, 59);
  if (!second) return std::nullopt;
  Duration out = std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::string_view digits = take_digits(text);
    if (digits.empty()) return std::nullopt;
    out += Duration(static_cast<std::int64_t>(fraction_of(digits, kNanosecondsPerSecond)));
  }
  return out;
}

std::optional<Duration> take_offset(std::string_view& text) {
  if (text == "Z" || text == "z") return text.remove_prefix(1), Duration(0);
  if (!text.starts_with('+') && !text.starts_with('-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hour = take_two(text, '\0', 0, 23);
  if (!hour) return std::nullopt;
  const auto minute = take_two(text, ':', 0, 59);
  if (!minute) return std::nullopt;
  return sign * (std::chrono::hours(*hour) + std::chrono::minutes(*minute));
}

void append_padded(std::string& out, std::int64_t value, std::size_t width) {
  const std::string digits = concat(value);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out.append(digits);
}

// nanoseconds / unit, with as many decimals as it needs.
void append_decimal(std::string& out, std::uint64_t nanoseconds, std::uint64_t unit, std::size_t decimals) {
  out.append(concat(nanoseconds / unit));
  std::string fraction;
  append_padded(fraction, static_cast<std::int64_t>(nanoseconds % unit), decimals);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (!fraction.empty()) out.append(".").append(fraction);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool is_negative = rest.starts_with('-');
  if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return Duration(0);
  std::uint64_t sum = 0;
  do {
    const std::optional<std::uint64_t> part = take_part(rest);
    if (!part || *part > kNanosecondsMax - sum) return bad_duration(text);
    sum += *part;
  } while (!rest.empty());
  const auto nanoseconds = static_cast<std::int64_t>(sum);
  return Duration(is_negative ? -nanoseconds : nanoseconds);
}

std::string format_duration(Duration duration) {
  std::string out;
  std::uint64_t rest = static_cast<std::uint64_t>(duration.count());
  if (duration.count() < 0) {
    out.push_back('-');
    rest = 0 - rest;
  }
  if (rest == 0) return "0s";
  if (rest < 1'000) return out.append(concat(rest, "ns"));
  if (rest < 1'000'000) return append_decimal(out, rest, 1'000, 3), out.append("µs");
  if (rest < kNanosecondsPerSecond) return append_decimal(out, rest, 1'000'000, 6), out.append("ms");
  const std::uint64_t minutes = rest / (60 * kNanosecondsPerSecond);
  if (minutes >= 60) out.append(concat(minutes / 60, "h"));
  if (minutes > 0) out.append(concat(minutes % 60, "m"));
  append_decimal(out, rest % (60 * kNanosecondsPerSecond), kNanosecondsPerSecond, 9);
  return out.append("s");
}

Result<WallTime> parse_timestamp(std::string_view text) {
  const Error bad = invalid(concat(quoted(text), " is not a time such as 2026-08-22T10:00:00Z (RFC 3339)"));
  std::string_view rest = text;
  const std::optional<Days> date = take_date(rest);
  if (!date || (!rest.starts_with('T') && !rest.starts_with('t'))) return bad;
  rest.remove_prefix(1);
  const std::optional<Duration> time = take_time_of_day(rest);
  if (!time) return bad;
  const std::optional<Duration> offset = take_offset(rest);
  if (!offset || !rest.empty()) return bad;
  constexpr Days kFirst{std::chrono::year(1678) / 1 / 1};
  constexpr Days kLast{std::chrono::year(2261) / 12 / 31};
  if (*date < kFirst || *date > kLast) return invalid(concat(quoted(text), " is outside the years 1678 to 2261"));
  return WallTime(*date) + *time - *offset;
}

std::string format_timestamp(WallTime time, FractionDigits digits) {
  const Days day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<Duration> clock(time - day);
  std::string out;
  append_padded(out, static_cast<int>(date.year()), 4);
  const std::pair<char, std::int64_t> parts[] = {{'-', static_cast<unsigned>(date.month())},
                                                 {'-', static_cast<unsigned>(date.day())},
                                                 {'T', clock.hours().count()},
                                                 {':', clock.minutes().count()},
                                                 {':', clock.seconds().count()}};
  for (const auto& [separator, value] : parts) {
    out.push_back(separator);
    append_padded(out, value, 2);
  }
  if (digits != FractionDigits::kNone) {
    std::string fraction;
    append_padded(fraction, clock.subseconds().count(), 9);
    out.append(".").append(fraction, 0, static_cast<std::size_t>(digits));
  }
  return out.append("Z");
}

}  // namespace margay
