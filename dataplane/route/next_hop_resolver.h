// NextHopResolver: from a BGP next hop, which may be several links away (RFC 4271 §5.1.3), to the gateway and interface
// a packet leaves by. Asks the kernel once for each next hop and remembers until told to forget.
// Thread: the dataplane's.
#pragma once

#include <map>
#include <optional>

#include "base/core/result.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/route/route.h"

namespace margay::route {

class NextHopResolver {
 public:
  explicit NextHopResolver(netlink::Netlink& kernel) : kernel_(kernel) {}

  // kNotFound: there is no route to it, or it is an address of this machine.
  Result<RouteHop> resolve(const IpAddress& next_hop);
  // Links, addresses or other routes changed: what was said may be wrong now.
  void forget() { known_.clear(); }

 private:
  Result<RouteHop> ask(const IpAddress& next_hop);

  netlink::Netlink& kernel_;
  std::map<IpAddress, Result<RouteHop>> known_;
};

}  // namespace margay::route
