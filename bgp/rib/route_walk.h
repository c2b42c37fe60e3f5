// RouteWalk: what people see of the RIB in order of prefixes, a piece at a time, while everything goes on.
//
// No prefix is seen twice. What comes or goes during the walk may be seen or not. Used no more once the Rib is gone.
#pragma once

#include <cstddef>
#include <functional>

#include "bgp/rib/route.h"

namespace margay::bgp::rib {

enum class RouteList : std::uint8_t { kBest, kReceived, kSent };  // Loc-RIB with all paths, Adj-RIB-In, Adj-RIB-Out

class RouteWalk {
 public:
  virtual ~RouteWalk() = default;
  // Looks at `prefixes` at most; false: that was all.
  virtual bool step(std::size_t prefixes, const std::function<void(const RouteView&)>& visit) = 0;
};

}  // namespace margay::bgp::rib
