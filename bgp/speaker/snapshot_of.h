// From the RIB's views to owned values for people.
#pragma once

#include <string>

#include "bgp/rib/route.h"
#include "bgp/speaker/snapshot.h"

namespace margay::bgp {

// All but the peer's address.
RouteSnapshot snapshot_of(const rib::RouteView& view);
// "64512:100", "no-export".
std::string community_text(std::uint32_t community);
std::string community_text(const LargeCommunity& community);

}  // namespace margay::bgp
