// For tests: routes and their parts from texts, which must be right.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip/address.h"
#include "base/ip/prefix.h"
#include "dataplane/route/route.h"
#include "dataplane/route/route_batch.h"

namespace margay::route::test {

using Lines = std::vector<std::string>;

inline IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }
inline HopSet by(std::string_view address) { return {LearnedHop{IpAddress::parse(address).value()}}; }
inline RouteKey key(std::string_view prefix, std::uint32_t metric = 1024) { return {kMainTable, net(prefix), metric}; }
inline Route via(std::string_view gateway, IfIndex interface = IfIndex()) {
  return Route{.hops = {RouteHop{IpAddress::parse(gateway).value(), interface}}};
}

}  // namespace margay::route::test
