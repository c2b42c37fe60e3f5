#include "base/ip/mac.h"

#include <charconv>
#include <vector>

#include "base/core/text.h"

namespace margay {

Result<Mac> Mac::parse(std::string_view text) {
  const char separator = text.find('-') != std::string_view::npos ? '-' : ':';
  const std::vector<std::string_view> parts = split(text, separator);
  std::array<std::uint8_t, 6> bytes{};
  bool is_good = parts.size() == bytes.size();
  for (std::size_t i = 0; is_good && i < bytes.size(); ++i) {
    const char* end = parts[i].data() + parts[i].size();
    const auto [stop, failure] = std::from_chars(parts[i].data(), end, bytes[i], 16);
    is_good = parts[i].size() == 2 && failure == std::errc{} && stop == end;
  }
  if (!is_good) return invalid(concat(quoted(text), " is not a MAC address such as 0a:58:0a:00:00:01"));
  return Mac(bytes);
}

std::string Mac::to_string() const {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : bytes_) {
    if (!out.empty()) out.push_back(':');
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 0xf]);
  }
  return out;
}

}  // namespace margay
