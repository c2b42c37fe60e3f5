#include "ctl/render/width.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace margay::render {
namespace {

struct Span {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode 15, EastAsianWidth W and F, in blocks (unassigned code points inside a block count with it).
constexpr Span kWide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
    {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},   {0x274c, 0x274c},   {0x2753, 0x2755},
    {0x2795, 0x2797},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
    {0x3400, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

// Combining marks and format characters that take no column of their own.
constexpr Span kNone[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0e31, 0x0e31},
    {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x202a, 0x202e},
    {0x2060, 0x2064}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
};

template <std::size_t N>
bool is_in(const Span (&spans)[N], std::uint32_t point) {
  const auto after = std::upper_bound(std::begin(spans), std::end(spans), point,
                                      [](std::uint32_t value, const Span& span) { return value < span.first; });
  return after != std::begin(spans) && point <= std::prev(after)->last;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

struct Character {
  std::size_t bytes;
  std::size_t width;
};

// The character at the start of `text`, which is not empty.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {1, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
  if (bytes == 1 || text.size() < bytes) return {1, 1};
  std::uint32_t point = lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if (!is_continuation(text[i])) return {1, 1};
    point = (point << 6U) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  if (is_in(kNone, point)) return {bytes, 0};
  return {bytes, is_in(kWide, point) ? std::size_t{2} : std::size_t{1}};
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    width += character.width;
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t width) {
  constexpr std::string_view kCut = "...";
  if (display_width(text) <= width) return std::string(text);
  const std::size_t room = width > kCut.size() ? width - kCut.size() : 0;
  std::size_t used = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const Character character = first_character(text.substr(bytes));
    if (used + character.width > room) break;
    used += character.width;
    bytes += character.bytes;
  }
  return std::string(text.substr(0, bytes)).append(kCut.substr(0, width - used));
}

std::string on_one_line(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    if (byte == '\t' || byte == '\n') out[i] = ' ';
    // C0, DEL, and C1 as UTF-8 (0xc2 0x80…0x9f): all that a terminal acts on.
    if ((byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f) out[i] = '?';
    const bool is_c1 = byte == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) >= 0x80 &&
                       static_cast<unsigned char>(out[i + 1]) < 0xa0;
    if (is_c1) out.replace(i, 2, "?");
  }
  return out;
}

}  // namespace margay::render
