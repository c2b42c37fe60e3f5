#include "base/core/base64.h"

#include <array>
#include <cstdint>

#include "base/core/text.h"

namespace margay {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNotInAlphabet = 0xff;

using Table = std::array<std::uint8_t, 256>;

constexpr Table decoding_table(std::string_view letters) {
  Table table{};
  table.fill(kNotInAlphabet);
  for (std::size_t i = 0; i < letters.size(); ++i)
    table[static_cast<unsigned char>(letters[i])] = static_cast<std::uint8_t>(i);
  return table;
}

constexpr Table kStandardTable = decoding_table(kStandard);
constexpr Table kUrlTable = decoding_table(kUrl);

std::string_view without_padding(std::string_view text) {
  if (text.size() % 4 != 0) return text;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string base64_encode(std::string_view bytes, Base64Alphabet alphabet) {
  const std::string_view letters = alphabet == Base64Alphabet::kStandard ? kStandard : kUrl;
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) bits = bits << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j <= count; ++j) out.push_back(letters[bits >> (18 - 6 * j) & 0x3f]);
    if (alphabet == Base64Alphabet::kStandard) out.append(3 - count, '=');
  }
  return out;
}

Result<std::string> base64_decode(std::string_view text, Base64Alphabet alphabet) {
  const Table& table = alphabet == Base64Alphabet::kStandard ? kStandardTable : kUrlTable;
  text = without_padding(text);
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t value = table[static_cast<unsigned char>(text[i])];
    if (value == kNotInAlphabet) return invalid(concat(quoted(text.substr(i, 1)), " at byte ", i, " is not base64"));
    bits = bits << 6 | value;
    if (i % 4 != 0) out.push_back(static_cast<char>(bits >> (6 - 2 * (i % 4)) & 0xff));
  }
  const std::size_t rest = text.size() % 4;
  const std::uint32_t unused = rest == 2 ? bits & 0xf : rest == 3 ? bits & 0x3 : 0;
  if (rest == 1 || unused != 0) return invalid("the base64 text is cut short");
  return out;
}

}  // namespace margay
