#include "datastore/schema/formats.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/core/text.h"

namespace margay::schema {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_address(int family, std::string_view text) {
  std::array<unsigned char, 16> bytes;
  return text.size() < INET6_ADDRSTRLEN && inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

bool is_ipv4(std::string_view text) { return is_address(AF_INET, text); }
bool is_ipv6(std::string_view text) { return is_address(AF_INET6, text); }

bool is_cidr(std::string_view text) {
  const auto parts = split_once(text, '/');
  if (!parts) return false;
  const auto length = parse_number<unsigned>(parts->second);
  if (!length || (parts->second.size() > 1 && parts->second[0] == '0')) return false;
  return (is_ipv4(parts->first) && *length <= 32) || (is_ipv6(parts->first) && *length <= 128);
}

// Text laid out as `shape`, where 9 is a digit; others stand for themselves.
bool has_shape(std::string_view text, std::string_view shape) {
  return std::equal(text.begin(), text.end(), shape.begin(), shape.end(),
                    [](char c, char s) { return s == '9' ? is_digit(c) : c == s; });
}

int number_at(std::string_view text, std::size_t at, std::size_t size) {
  return parse_number<int>(text.substr(at, size)).value_or(-1);
}

bool is_date(std::string_view text) {
  if (!has_shape(text, "9999-99-99")) return false;
  const int year = number_at(text, 0, 4);
  const int month = number_at(text, 5, 2);
  const int day = number_at(text, 8, 2);
  constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12) return false;
  const bool is_leap_day = month == 2 && day == 29 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return (day >= 1 && day <= kDays[static_cast<std::size_t>(month - 1)]) || is_leap_day;
}

// RFC 3339 §5.6: 2006-01-02T15:04:05(.9…)(Z|+07:00); a leap second is let through.
bool is_date_time(std::string_view text) {
  if (text.size() < 20 || !is_date(text.substr(0, 10)) || (text[10] | 0x20) != 't') return false;
  const std::string_view time = text.substr(11, 8);
  if (!has_shape(time, "99:99:99") || number_at(time, 0, 2) > 23 || number_at(time, 3, 2) > 59 ||
      number_at(time, 6, 2) > 60) {
    return false;
  }
  std::string_view rest = text.substr(19);
  if (rest[0] == '.') {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end == 1) return false;
    rest.remove_prefix(end);
  }
  if (rest == "Z" || rest == "z") return true;
  return rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && has_shape(rest.substr(1), "99:99") &&
         number_at(rest, 1, 2) <= 23 && number_at(rest, 4, 2) <= 59;
}

// As Go writes it: one or more numbers with a unit, or 0. "1h30m", "1.5s", "-2ms".
bool is_duration(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text == "0") return true;
  if (text.empty()) return false;
  while (!text.empty()) {
    const std::size_t number = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view digits = text.substr(0, number);
    if (std::none_of(digits.begin(), digits.end(), is_digit) || std::count(digits.begin(), digits.end(), '.') > 1)
      return false;
    text.remove_prefix(number);
    const std::size_t unit_size = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, unit_size);
    constexpr std::string_view kUnits[] = {"ns", "us", "µs", "μs", "ms", "s", "m", "h"};
    if (std::find(std::begin(kUnits), std::end(kUnits), unit) == std::end(kUnits)) return false;
    text.remove_prefix(unit_size);
  }
  return true;
}

bool is_mac(std::string_view text) {
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ':' && text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_base64(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return false;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

struct Format {
  std::string_view name;
  std::string_view hint;
  bool (*check)(std::string_view);
};

const Format* find_format(std::string_view name) {
  static constexpr Format kFormats[] = {
      {"date-time", "a date and time such as 2006-01-02T15:04:05Z", is_date_time},
      {"date", "a date such as 2006-01-02", is_date},
      {"duration", "a duration such as 1h30m or 10s", is_duration},
      {"ipv4", "an IPv4 address such as 10.0.0.1", is_ipv4},
      {"ipv6", "an IPv6 address such as fd00::1", is_ipv6},
      {"cidr", "an address and prefix length such as 10.0.0.0/8", is_cidr},
      {"mac", "a MAC address such as 02:00:00:00:00:01", is_mac},
      {"byte", "base64", is_base64},
      {"uuid", "a UUID", is_uuid},
  };
  const auto* found =
      std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& f) { return f.name == name; });
  return found == std::end(kFormats) ? nullptr : found;
}

}  // namespace

std::string_view format_hint(std::string_view format) {
  const Format* found = find_format(format);
  return found == nullptr ? std::string_view{} : found->hint;
}

bool has_format(std::string_view text, std::string_view format) {
  const Format* found = find_format(format);
  return found == nullptr || found->check(text);
}

}  // namespace margay::schema
