// Text helpers on std::string_view (Debian's Abseil is built with its own string_view and does not accept it).
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace margay {

// Concatenates strings, characters and integers.
namespace text_detail {
inline void append(std::string& out, std::string_view part) { out.append(part); }
inline void append(std::string& out, char part) { out.push_back(part); }
template <std::integral T>
requires(!std::same_as<T, char> && !std::same_as<T, bool>) void append(std::string& out, T part) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, part).ptr;
  out.append(buffer, static_cast<std::size_t>(end - buffer));
}
}  // namespace text_detail

template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string out;
  (text_detail::append(out, parts), ...);
  return out;
}

// Pieces between separators; "" gives one empty piece, "a,,b" gives three.
std::vector<std::string_view> split(std::string_view text, char separator);
// Splits at the first separator; nullopt if there is none.
std::optional<std::pair<std::string_view, std::string_view>> split_once(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
// Without leading and trailing space, tab, CR and LF.
std::string_view trim(std::string_view text);
// ASCII only.
std::string to_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
// In double quotes, with control characters, quotes and backslashes escaped; for messages.
std::string quoted(std::string_view text);

// The whole text as a decimal number; nullopt for anything else: empty, signs where unsigned, blanks, overflow.
template <std::integral T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace margay
