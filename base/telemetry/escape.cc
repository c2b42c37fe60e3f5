#include "base/telemetry/escape.h"

#include <cstdint>

namespace margay::telemetry {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

std::uint8_t byte_at(std::string_view text, std::size_t index) { return static_cast<std::uint8_t>(text[index]); }

bool is_continuation(std::uint8_t byte) { return (byte & 0xc0) == 0x80; }

// What the second byte may be after `lead` (Unicode, table 3-7): no overlong forms, no surrogates, at most U+10FFFF.
bool second_is_allowed(std::uint8_t lead, std::uint8_t second) {
  switch (lead) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return second <= 0x9f;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second <= 0x8f;
    default: return true;
  }
}

std::size_t size_by_lead(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

// Bytes of the character at the front; 0 if it is none.
std::size_t character_size(std::string_view text) {
  const std::uint8_t lead = byte_at(text, 0);
  const std::size_t size = size_by_lead(lead);
  if (size == 0 || size > text.size()) return 0;
  if (size > 1 && !second_is_allowed(lead, byte_at(text, 1))) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(byte_at(text, i))) return 0;
  }
  return size;
}

void append_escaped_ascii(std::string& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<std::uint8_t>(c);
  switch (c) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    default: break;
  }
  if (byte >= 0x20 && byte != 0x7f) {
    out.push_back(c);
    return;
  }
  out.append("\\u00").push_back(kHex[byte >> 4]);
  out.push_back(kHex[byte & 0xf]);
}

template <class OnAscii>
void append_characters(std::string& out, std::string_view text, OnAscii on_ascii) {
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (size == 0) out.append(kReplacement);
    if (size == 1) on_ascii(out, text[0]);
    if (size > 1) out.append(text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  append_characters(out, text, append_escaped_ascii);
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  append_characters(out, text, [](std::string& to, char c) { to.push_back(c); });
  return out;
}

std::string_view cut_at_character(std::string_view text, std::size_t size_max) {
  if (text.size() <= size_max) return text;
  std::size_t size = size_max;
  // A character has at most three continuation bytes; more than that is no UTF-8 anyway.
  for (int i = 0; i < 3 && size > 0 && is_continuation(byte_at(text, size)); ++i) --size;
  return text.substr(0, size);
}

}  // namespace margay::telemetry
