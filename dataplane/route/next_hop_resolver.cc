#include "dataplane/route/next_hop_resolver.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/core/text.h"

namespace margay::route {

Result<RouteHop> NextHopResolver::resolve(const IpAddress& next_hop) {
  const auto known = known_.find(next_hop);
  if (known != known_.end()) return known->second;
  return known_.emplace(next_hop, ask(next_hop)).first->second;
}

Result<RouteHop> NextHopResolver::ask(const IpAddress& next_hop) {
  netlink::Batch batch;
  {
    netlink::Request request = batch.add(RTM_GETROUTE, 0);
    rtmsg head{};
    head.rtm_family = next_hop.is_v4() ? AF_INET : AF_INET6;
    head.rtm_dst_len = static_cast<unsigned char>(address_bits(next_hop.family()));
    request.header(head);
    request.address(RTA_DST, next_hop);
  }
  std::optional<Route> found;
  const Status asked = kernel_.ask(batch, [&](const netlink::MessageView& message) {
    if (const auto route = parse_lookup(message)) found = *route;
  });
  if (!asked.ok()) return asked.error().within(concat("next hop ", next_hop.to_string()));
  if (!found || found->type != RouteType::kUnicast || found->hops.empty()) {
    return Error{ErrorCode::kNotFound,
                 concat("next hop ", next_hop.to_string(), " is not reachable by a unicast route")};
  }
  RouteHop hop = found->hops[0];
  // On our own link: the next hop is the gateway.
  if (!hop.gateway) hop.gateway = next_hop;
  return hop;
}

}  // namespace margay::route
