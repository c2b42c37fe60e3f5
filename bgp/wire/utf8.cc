#include "bgp/wire/utf8.h"

#include <cstdint>

namespace margay::bgp::wire {
namespace {

bool is_continuation(char byte) { return (static_cast<std::uint8_t>(byte) & 0xc0) == 0x80; }

// Bytes of the character that begins with `first`; 0: none begins so (RFC 3629 §3).
std::size_t size_of(std::uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

struct Character {
  std::size_t size = 1;
  char32_t value = U'\ufffd';  // nothing that is a character
  bool is_good = false;
};

Character first_of(std::string_view text) {
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto first = static_cast<std::uint8_t>(text[0]);
  const std::size_t size = size_of(first);
  if (size == 0 || size > text.size()) return {};
  if (size == 1) return {1, first, true};
  char32_t value = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(text[i])) return {};
    value = value << 6 | (static_cast<std::uint8_t>(text[i]) & 0x3fU);
  }
  const bool is_surrogate = value >= 0xd800 && value < 0xe000;
  if (value < kSmallest[size] || value > 0x10ffff || is_surrogate) return {};
  return {size, value, true};
}

bool is_control(char32_t value) {
  return value < 0x20 || (value >= 0x7f && value < 0xa0) || (value >= 0x2028 && value <= 0x202e) ||
         (value >= 0x2066 && value <= 0x2069) || value == 0x200e || value == 0x200f;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_of(text);
    if (!character.is_good) {
      out += '?';
    } else if (is_control(character.value)) {
      out += ' ';
    } else {
      out += text.substr(0, character.size);
    }
    text.remove_prefix(character.size);
  }
  return out;
}

std::string_view cut_at_character(std::string_view text, std::size_t size_max) {
  if (text.size() <= size_max) return text;
  while (size_max > 0 && is_continuation(text[size_max])) --size_max;
  return text.substr(0, size_max);
}

}  // namespace margay::bgp::wire
