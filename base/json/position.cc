#include "base/json/position.h"

#include <algorithm>

#include "base/core/text.h"

namespace margay::json::detail {
namespace {

constexpr std::size_t kExcerptBytesMax = 24;

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }
bool is_printable(char c) { return c >= 0x20 && c < 0x7f; }

}  // namespace

Place place_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  Place place;
  place.line += static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  place.column += static_cast<std::size_t>(
      std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start), before.end(), starts_character));
  return place;
}

std::string at_place(const Place& place, std::string_view message) {
  return concat("line ", place.line, ", column ", place.column, ": ", message);
}

std::string excerpt_before(std::string_view text, std::size_t offset) {
  std::string_view before = text.substr(0, std::min(offset, text.size()));
  before = before.substr(before.rfind('\n') + 1);
  const bool is_cut = before.size() > kExcerptBytesMax;
  if (is_cut) before = before.substr(before.size() - kExcerptBytesMax);
  std::string out(before);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is_printable(c); }, '?');
  if (out.empty()) return out;
  return concat("'", is_cut ? "…" : "", out, "'");
}

}  // namespace margay::json::detail
