// For tests: addresses and prefixes from their texts, which must be right.
#pragma once

#include <string_view>

#include "base/ip/address.h"
#include "base/ip/prefix.h"

namespace margay::test {

inline IpPrefix prefix(std::string_view text) { return IpPrefix::parse(text).value(); }
inline IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }

}  // namespace margay::test
