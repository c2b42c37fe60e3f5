#include "base/json/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/core/text.h"

namespace margay::json::detail {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_binary_digit(char c) { return c == '0' || c == '1'; }
bool is_octal_digit(char c) { return c >= '0' && c <= '7'; }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <class Predicate>
bool all_of(std::string_view text, Predicate predicate) {
  return !text.empty() && std::all_of(text.begin(), text.end(), predicate);
}

bool is_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return text;
}

std::string without_underscores(std::string_view text) {
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  return plain;
}

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_number(std::string_view text) {
  text = without_sign(text);
  const std::size_t whole = digits_at(text, 0);
  std::size_t at = whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits_at(text, at + 1);
    if (whole == 0 && fraction == 0) return false;
    at += 1 + fraction;
  } else if (whole == 0) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = digits_at(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

// Digits of `base` after an optional sign, as an integer or, where that overflows, a double.
Value integer_of(std::string_view digits, bool is_negative, int base) {
  std::uint64_t magnitude = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (failure == std::errc{} && is_negative && magnitude == kMax + 1) return std::numeric_limits<std::int64_t>::min();
  if (failure == std::errc{} && magnitude <= kMax) {
    const auto value = static_cast<std::int64_t>(magnitude);
    return is_negative ? -value : value;
  }
  double value = 0;
  for (const char c : digits) value = value * base + (is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  if (base == 10) std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return is_negative ? -value : value;
}

std::optional<Value> double_of(std::string_view text) {
  double value = 0;
  if (text[0] == '+') text.remove_prefix(1);
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{}) return std::nullopt;  // beyond the range of doubles: text, as in kubectl
  return value;
}

// Integers with a prefix for their base, as Go's ParseInt takes them.
std::optional<Value> based_integer_of(std::string_view digits, bool is_negative) {
  if (digits.size() < 3 || digits[0] != '0') return std::nullopt;
  const char base = static_cast<char>(digits[1] | 0x20);
  digits.remove_prefix(2);
  if (base == 'x' && all_of(digits, is_hex_digit)) return integer_of(digits, is_negative, 16);
  if (base == 'o' && all_of(digits, is_octal_digit)) return integer_of(digits, is_negative, 8);
  if (base == 'b' && all_of(digits, is_binary_digit)) return integer_of(digits, is_negative, 2);
  return std::nullopt;
}

std::optional<Value> number_of(std::string_view text) {
  const std::string_view digits = without_sign(text);
  const bool is_negative = text[0] == '-';
  if (auto value = based_integer_of(digits, is_negative)) return value;
  if (all_of(digits, is_digit)) {
    const bool is_octal = digits.size() > 1 && digits[0] == '0' && all_of(digits, is_octal_digit);
    const Value value = integer_of(digits, is_negative, is_octal ? 8 : 10);
    if (value.as_double() != nullptr && !std::isfinite(*value.as_double())) return std::nullopt;
    return value;
  }
  if (is_number(text)) return double_of(text);
  return std::nullopt;
}

bool is_infinity_or_nan(std::string_view text) {
  return is_any(without_sign(text), {".inf", ".Inf", ".INF"}) || is_any(text, {".nan", ".NaN", ".NAN"});
}

// What YAML 1.1 readers take for numbers: underscores, binary, base 60, and dates.
bool is_number_of_yaml_1_1(std::string_view text) {
  const std::string plain = without_underscores(without_sign(text));
  const std::string_view digits = plain;
  const std::string prefix = to_lower(digits.substr(0, 2));
  if (prefix == "0b" || prefix == "0x" || prefix == "0o") {
    return digits.size() == 2 || all_of(digits.substr(2), is_hex_digit);
  }
  if (is_number(digits)) return true;
  const bool is_base_60 = !digits.empty() && is_digit(digits[0]) && is_digit(digits.back()) &&
                          all_of(digits, [](char c) { return is_digit(c) || c == ':' || c == '.'; }) &&
                          digits.find(':') != std::string_view::npos && digits.find("::") == std::string_view::npos;
  const bool is_date = digits_at(text, 0) == 4 && text.size() >= 8 && text[4] == '-' && is_digit(text[5]);
  return is_base_60 || is_date;
}

bool starts_like_syntax(std::string_view text) {
  constexpr std::string_view kIndicators = ",[]{}#&*!|>'\"%@`";
  constexpr std::string_view kIndicatorsBeforeBlank = "-?:";
  if (kIndicators.find(text[0]) != std::string_view::npos) return true;
  if (text.starts_with("---") || text.starts_with("...")) return true;
  return kIndicatorsBeforeBlank.find(text[0]) != std::string_view::npos && (text.size() == 1 || text[1] == ' ');
}

}  // namespace

Result<Value> resolve_plain(std::string_view text) {
  if (is_any(text, {"", "~", "null", "Null", "NULL"})) return Value();
  if (is_any(text, {"true", "True", "TRUE"})) return Value(true);
  if (is_any(text, {"false", "False", "FALSE"})) return Value(false);
  if (is_infinity_or_nan(text)) return invalid(concat(text, " is no number that JSON knows; in quotes it is a text"));
  if (is_digit(text[0]) || text[0] == '-' || text[0] == '+' || text[0] == '.') {
    // 1_000 is a number to kubectl; ._5 is not.
    const std::string plain = text[0] == '.' ? std::string(text) : without_underscores(text);
    if (std::optional<Value> number = number_of(plain)) return *std::move(number);
  }
  return Value(text);
}

bool has_odd_character(std::string_view text) {
  constexpr std::string_view kUnseen[] = {"\xc2\x85", "\u2028", "\u2029", "\ufeff"};
  const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), is_control)) return true;
  return std::any_of(std::begin(kUnseen), std::end(kUnseen),
                     [&](std::string_view unseen) { return text.find(unseen) != std::string_view::npos; });
}

bool needs_quotes(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return true;
  if (starts_like_syntax(text)) return true;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return true;
  if (text.find('\n') != std::string_view::npos || has_odd_character(text)) return true;
  const std::string lower = to_lower(text);
  if (is_any(lower, {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<"})) return true;
  return is_any(without_sign(lower), {".inf", ".nan"}) || is_number_of_yaml_1_1(text);
}

}  // namespace margay::json::detail
