// Addresses for tests, short to write. Not part of any library.
#pragma once

#include <string_view>

#include "base/ip/address.h"
#include "base/ip/prefix.h"

namespace margay::ipip {

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
inline IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }

}  // namespace margay::ipip
