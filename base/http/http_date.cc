#include "base/http/http_date.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include "base/core/text.h"

namespace margay::http {
namespace {

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view kDays[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
constexpr std::size_t kShortName = 3;
constexpr int kCentury = 100;
// RFC 9110 section 5.6.7: a two-digit year that seems to be more than this ahead is in the past.
constexpr int kYearsAheadMax = 50;

// What WallTime can hold, with room for differences.
constexpr int kYearMin = 1900;
constexpr int kYearMax = 2250;

struct Parts {
  std::string_view day_name;
  std::string_view day;
  std::string_view month;
  std::string_view year;
  std::string_view time;
  std::size_t day_name_size_max = kShortName;
};

std::optional<int> number(std::string_view digits, std::size_t size, int low, int high) {
  const bool is_number = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits.size() != size || !is_number) return std::nullopt;
  const auto value = parse_number<int>(digits);
  return value && *value >= low && *value <= high ? value : std::nullopt;
}

bool is_day_name(const Parts& parts) {
  return std::any_of(std::begin(kDays), std::end(kDays), [&](std::string_view name) {
    return parts.day_name == (parts.day_name_size_max == kShortName ? name.substr(0, kShortName) : name);
  });
}

std::optional<unsigned> month_of(std::string_view name) {
  const auto* found = std::find(std::begin(kMonths), std::end(kMonths), name);
  if (found == std::end(kMonths)) return std::nullopt;
  return static_cast<unsigned>(found - std::begin(kMonths)) + 1;
}

std::optional<int> year_of(std::string_view digits, WallTime now) {
  if (digits.size() != 2) return number(digits, 4, kYearMin, kYearMax);
  const auto within = number(digits, 2, 0, kCentury - 1);
  if (!within) return std::nullopt;
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
  const int this_year = static_cast<int>(today.year());
  const int year = this_year - this_year % kCentury + *within;
  return year > this_year + kYearsAheadMax ? year - kCentury : year;
}

std::optional<Duration> time_of(std::string_view text) {
  const std::vector<std::string_view> fields = split(text, ':');
  if (fields.size() != 3) return std::nullopt;
  const auto hour = number(fields[0], 2, 0, 23);
  const auto minute = number(fields[1], 2, 0, 59);
  const auto second = number(fields[2], 2, 0, 60);
  if (!hour || !minute || !second) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(std::min(*second, 59));
}

std::optional<Parts> parts_of(std::string_view text) {
  std::vector<std::string_view> words = split(text, ' ');
  // asctime pads the day with a blank.
  if (words.size() == 6 && words[2].empty() && words[3].size() == 1) words.erase(words.begin() + 2);
  if (words.size() == 6 && words[0].ends_with(',') && words[5] == "GMT")
    return Parts{words[0].substr(0, words[0].size() - 1), words[1], words[2], words[3], words[4]};
  if (words.size() == 4 && words[0].ends_with(',') && words[3] == "GMT") {
    const std::vector<std::string_view> date = split(words[1], '-');
    if (date.size() != 3 || date[2].size() != 2) return std::nullopt;
    return Parts{words[0].substr(0, words[0].size() - 1), date[0], date[1], date[2], words[2], std::string_view::npos};
  }
  if (words.size() == 5) return Parts{words[0], words[2], words[1], words[4], words[3]};
  return std::nullopt;
}

}  // namespace

Result<WallTime> parse_http_date(std::string_view text, WallTime now) {
  const Error bad = invalid(concat(quoted(text), " is not a date such as Sun, 06 Nov 1994 08:49:37 GMT"));
  const auto parts = parts_of(text);
  if (!parts || !is_day_name(*parts)) return bad;
  const auto day = number(parts->day, parts->day.size() == 1 ? 1 : 2, 1, 31);
  const auto month = month_of(parts->month);
  const auto year = year_of(parts->year, now);
  const auto time = time_of(parts->time);
  if (!day || !month || !year || !time) return bad;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return bad;
  return WallTime(std::chrono::sys_days(date)) + *time;
}

}  // namespace margay::http
