// The text forms of addresses, for base/ip's own use: see IpAddress. Errors are the reason alone ("…: group \"g\" …"),
// to be put behind what was being read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/ip/bits.h"

namespace margay {

// Dotted decimal, each number 0-255 without leading zeros (which some programs read as octal).
Result<Bits, std::string> parse_v4_text(std::string_view text);
// RFC 4291 §2.2, all three forms. Zones (RFC 4007) are refused: an address with a zone means nothing to another host.
Result<Bits, std::string> parse_v6_text(std::string_view text);

std::string print_v4_text(std::uint32_t value);
// RFC 5952 §4 and §5.
std::string print_v6_text(const Bits& bits);

}  // namespace margay
