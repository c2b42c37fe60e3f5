#include "policy/translate/names.h"

#include <cstdint>
#include <optional>

#include "base/core/text.h"

namespace margay::policy {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
// RFC 4122 §4.1: they say what sort of UID it is.
constexpr std::size_t kVersionByte = 6;
constexpr std::size_t kVariantByte = 8;

std::optional<std::uint8_t> hex_value(char digit) {
  const auto at = kDigits.find(to_lower(std::string_view(&digit, 1)));
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint8_t>(at);
}

std::uint8_t reversed(std::uint8_t byte) {
  unsigned out = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {
    if ((byte & (1u << bit)) != 0) out |= 0x80u >> bit;
  }
  return static_cast<std::uint8_t>(out);
}

}  // namespace

std::string derived_uid(std::string_view uid) {
  std::string out;
  std::size_t index = 0;  // of the byte
  for (std::size_t i = 0; i < uid.size();) {
    if (uid[i] == '-') {
      out.push_back(uid[i++]);
      continue;
    }
    if (i + 1 >= uid.size()) return std::string(uid);
    const auto high = hex_value(uid[i]);
    const auto low = hex_value(uid[i + 1]);
    if (!high || !low) return std::string(uid);
    const auto given = static_cast<std::uint8_t>(*high << 4 | *low);
    const bool is_kept = index == kVersionByte || index == kVariantByte;
    const std::uint8_t byte = is_kept ? given : reversed(given);
    ++index;
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xf]);
    i += 2;
  }
  return out;
}

model::ObjectMeta derived_metadata(const model::ObjectMeta& from, std::string_view name_prefix) {
  model::ObjectMeta out;
  out.name = concat(name_prefix, from.name);
  out.name_space = from.name_space;
  out.uid = derived_uid(from.uid);
  out.creation_timestamp = from.creation_timestamp;
  return out;
}

}  // namespace margay::policy
