// For tests: bytes written as hexadecimal text, and UPDATEs put together from their parts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes/reader.h"
#include "bgp/wire/family.h"

namespace margay::bgp::test {

inline constexpr Family kV4 = Family::kIpv4Unicast;
inline constexpr Family kV6 = Family::kIpv6Unicast;

inline int digit_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

// "40 01 01 00": blanks are for the reader.
inline std::string hex(std::string_view text) {
  std::string out;
  int high = -1;
  for (const char each : text) {
    const int digit = digit_of(each);
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<char>(high << 4 | digit));
      high = -1;
    }
  }
  return out;
}

inline std::string to_hex(std::string_view data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char each : data) {
    const auto byte = static_cast<std::uint8_t>(each);
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

inline std::string two_octets(std::size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}

inline std::string message(int type, std::string_view body) {
  return std::string(16, '\xff') + two_octets(19 + body.size()) + static_cast<char>(type) + std::string(body);
}

// All parts as bytes.
inline std::string update(std::string_view withdrawn, std::string_view attributes, std::string_view nlri) {
  return message(2, two_octets(withdrawn.size()) + std::string(withdrawn) + two_octets(attributes.size()) +
                        std::string(attributes) + std::string(nlri));
}

}  // namespace margay::bgp::test
