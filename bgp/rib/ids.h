// Ids: places in the RIB's tables. Dense, used again after they were given back; kNoId is none.
#pragma once

#include <cstdint>

#include "bgp/rib/route.h"

namespace margay::bgp::rib {

using AttributeId = std::uint32_t;
using NextHopId = std::uint32_t;
using PrefixId = std::uint32_t;
using PathId = std::uint32_t;

inline constexpr std::uint32_t kNoId = 0xffffffff;
inline constexpr PeerId kNoPeer = 0xffff;
inline constexpr PeerId kLocalPeer = 0xfffe;  // source of our own routes

}  // namespace margay::bgp::rib
