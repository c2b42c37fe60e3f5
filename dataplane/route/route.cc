#include "dataplane/route/route.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/core/text.h"

namespace margay::route {

namespace {

constexpr std::uint8_t kNoProtocol = RTPROT_UNSPEC;

unsigned char family_number(IpFamily family) { return family == IpFamily::kV4 ? AF_INET : AF_INET6; }

unsigned char type_number(RouteType type) {
  switch (type) {
    case RouteType::kUnicast: return RTN_UNICAST;
    case RouteType::kLocal: return RTN_LOCAL;
    case RouteType::kBlackhole: return RTN_BLACKHOLE;
    case RouteType::kUnreachable: return RTN_UNREACHABLE;
    case RouteType::kProhibit: return RTN_PROHIBIT;
    case RouteType::kThrow: return RTN_THROW;
  }
  return RTN_UNICAST;
}

std::optional<RouteType> type_of(unsigned char number) {
  switch (number) {
    case RTN_UNICAST: return RouteType::kUnicast;
    case RTN_LOCAL: return RouteType::kLocal;
    case RTN_BLACKHOLE: return RouteType::kBlackhole;
    case RTN_UNREACHABLE: return RouteType::kUnreachable;
    case RTN_PROHIBIT: return RouteType::kProhibit;
    case RTN_THROW: return RouteType::kThrow;
    default: return std::nullopt;
  }
}

rtmsg header_of(const RouteKey& key, const Route& route, std::uint8_t protocol) {
  rtmsg head{};
  head.rtm_family = family_number(key.prefix.family());
  head.rtm_dst_len = static_cast<unsigned char>(key.prefix.length());
  head.rtm_table =
      static_cast<unsigned char>(key.table.value() <= 255 ? key.table.value() : std::uint32_t{RT_TABLE_UNSPEC});
  head.rtm_protocol = protocol;
  head.rtm_type = type_number(route.type);
  const bool is_on_link = route.hops.size() == 1 && !route.hops[0].gateway;
  head.rtm_scope = route.type == RouteType::kLocal    ? RT_SCOPE_HOST
                   : is_on_link && key.prefix.is_v4() ? RT_SCOPE_LINK
                                                      : RT_SCOPE_UNIVERSE;
  if (route.hops.size() == 1 && route.hops[0].is_onlink) head.rtm_flags |= RTNH_F_ONLINK;
  return head;
}

void add_gateway(netlink::Request& request, IpFamily family, const IpAddress& gateway) {
  if (gateway.family() == family) return request.address(RTA_GATEWAY, gateway);
  // RTA_VIA: two bytes of family, then the address (RFC 8950 routes: IPv4 by an IPv6 next hop).
  std::string via(2, '\0');
  const std::uint16_t number = family_number(gateway.family());
  std::memcpy(via.data(), &number, sizeof(number));
  const auto bytes = gateway.bytes();
  via.append(reinterpret_cast<const char*>(bytes.data()), gateway.size_bytes());
  request.bytes(RTA_VIA, bytes::view_of(via));
}

void add_hops(netlink::Request& request, IpFamily family, const std::vector<RouteHop>& hops) {
  if (hops.empty()) return;
  if (hops.size() == 1) {
    if (hops[0].gateway) add_gateway(request, family, *hops[0].gateway);
    if (hops[0].interface.value() != 0) request.u32(RTA_OIF, hops[0].interface.value());
    return;
  }
  const std::size_t nest = request.begin_nest(RTA_MULTIPATH);
  for (const RouteHop& hop : hops) {
    const std::size_t begin = request.position();
    rtnexthop head{};
    head.rtnh_flags = hop.is_onlink ? RTNH_F_ONLINK : 0;
    head.rtnh_hops = static_cast<unsigned char>(std::clamp(hop.weight, 1, 256) - 1);
    head.rtnh_ifindex = static_cast<int>(hop.interface.value());
    request.append(&head, sizeof(head));
    if (hop.gateway) add_gateway(request, family, *hop.gateway);
    request.patch_u16(begin + offsetof(rtnexthop, rtnh_len), static_cast<std::uint16_t>(request.position() - begin));
  }
  request.end_nest(nest);
}

void add_key(netlink::Request& request, const RouteKey& key) {
  // A default route is the one without a destination.
  if (key.prefix.length() > 0) request.address(RTA_DST, key.prefix.first());
  if (key.table.value() > 255) request.u32(RTA_TABLE, key.table.value());
  if (key.metric != 0) request.u32(RTA_PRIORITY, key.metric);
}

std::optional<IpAddress> via_address(const netlink::Attribute& via) {
  return via.bytes().size() < 2 ? std::nullopt : IpAddress::from_bytes(via.bytes().subspan(2));
}

// The hops inside RTA_MULTIPATH.
std::vector<RouteHop> parse_hops(bytes::View stream) {
  std::vector<RouteHop> hops;
  while (stream.size() >= sizeof(rtnexthop)) {
    rtnexthop head{};
    std::memcpy(&head, stream.data(), sizeof(head));
    if (head.rtnh_len < sizeof(head) || head.rtnh_len > stream.size()) break;
    RouteHop hop;
    hop.interface = IfIndex(static_cast<std::uint32_t>(head.rtnh_ifindex));
    hop.is_onlink = (head.rtnh_flags & RTNH_F_ONLINK) != 0;
    hop.weight = head.rtnh_hops + 1;
    netlink::for_each_attribute(stream.subspan(sizeof(head), head.rtnh_len - sizeof(head)),
                                [&](std::uint16_t type, const netlink::Attribute& attribute) {
                                  if (type == RTA_GATEWAY) hop.gateway = attribute.address();
                                  if (type == RTA_VIA) hop.gateway = via_address(attribute);
                                });
    hops.push_back(hop);
    const std::size_t step = (head.rtnh_len + std::size_t{RTNH_ALIGNTO} - 1) & ~(std::size_t{RTNH_ALIGNTO} - 1);
    if (step >= stream.size()) break;
    stream = stream.subspan(step);
  }
  return hops;
}

struct Parsed {
  std::optional<IpAddress> destination;
  RouteTableId table;
  std::uint32_t metric = 0;
  std::optional<RouteHop> hop;
  Route route;
};

RouteHop& only_hop(Parsed& parsed) {
  if (!parsed.hop) parsed.hop.emplace();
  return *parsed.hop;
}

void take_attribute(Parsed& parsed, std::uint16_t type, const netlink::Attribute& attribute) {
  switch (type) {
    case RTA_DST: parsed.destination = attribute.address(); break;
    case RTA_TABLE: parsed.table = RouteTableId(attribute.u32().value_or(0)); break;
    case RTA_PRIORITY: parsed.metric = attribute.u32().value_or(0); break;
    case RTA_OIF: only_hop(parsed).interface = IfIndex(attribute.u32().value_or(0)); break;
    case RTA_GATEWAY: only_hop(parsed).gateway = attribute.address(); break;
    case RTA_VIA: only_hop(parsed).gateway = via_address(attribute); break;
    case RTA_PREFSRC: parsed.route.preferred_source = attribute.address(); break;
    case RTA_MULTIPATH: parsed.route.hops = parse_hops(attribute.bytes()); break;
    case RTA_METRICS:
      if (const auto mtu = netlink::find_attribute(attribute.bytes(), RTAX_MTU)) {
        parsed.route.mtu = mtu->u32().value_or(0);
      }
      break;
    default: break;
  }
}

std::optional<KernelRoute> parse(const netlink::MessageView& message) {
  if (message.type != RTM_NEWROUTE && message.type != RTM_DELROUTE) return std::nullopt;
  const auto head = message.header<rtmsg>();
  if (!head || (head->rtm_family != AF_INET && head->rtm_family != AF_INET6)) return std::nullopt;
  const auto type = type_of(head->rtm_type);
  if (!type) return std::nullopt;
  const IpFamily family = head->rtm_family == AF_INET ? IpFamily::kV4 : IpFamily::kV6;

  Parsed parsed;
  parsed.table = RouteTableId(head->rtm_table);
  netlink::for_each_attribute(
      message.attributes<rtmsg>(),
      [&](std::uint16_t kind, const netlink::Attribute& attribute) { take_attribute(parsed, kind, attribute); });
  const IpAddress any = family == IpFamily::kV4 ? IpAddress::v4(0) : IpAddress::v6(0, 0);
  const IpAddress destination = parsed.destination.value_or(any);
  if (destination.family() != family || head->rtm_dst_len > address_bits(family)) return std::nullopt;
  parsed.route.type = *type;
  // IPv6 says "dev lo" for routes that lead nowhere.
  const bool leads_somewhere = *type == RouteType::kUnicast || *type == RouteType::kLocal;
  if (parsed.hop && leads_somewhere) {
    parsed.hop->is_onlink = (head->rtm_flags & RTNH_F_ONLINK) != 0;
    parsed.route.hops = {*parsed.hop};
  }
  return KernelRoute{RouteKey{parsed.table, IpPrefix::containing(destination, head->rtm_dst_len), parsed.metric},
                     std::move(parsed.route), head->rtm_protocol};
}

}  // namespace

std::string_view to_string(RouteType type) {
  switch (type) {
    case RouteType::kUnicast: return "unicast";
    case RouteType::kLocal: return "local";
    case RouteType::kBlackhole: return "blackhole";
    case RouteType::kUnreachable: return "unreachable";
    case RouteType::kProhibit: return "prohibit";
    case RouteType::kThrow: return "throw";
  }
  return "unicast";
}

std::string RouteKey::to_string() const {
  return concat(prefix.to_string(), " metric ", metric, " table ", table.value());
}

std::string Route::to_string() const {
  std::string out(type == RouteType::kUnicast ? std::string_view() : route::to_string(type));
  for (const RouteHop& hop : hops) {
    if (!out.empty()) out += hops.size() > 1 ? ", " : " ";
    if (hop.gateway) out += concat("via ", hop.gateway->to_string(), " ");
    out += concat("dev ", hop.interface.value());
    if (hop.is_onlink) out += " onlink";
    if (hops.size() > 1) out += concat(" weight ", hop.weight);
  }
  if (preferred_source) out += concat(" src ", preferred_source->to_string());
  if (mtu != 0) out += concat(" mtu ", mtu);
  return out;
}

void add_route_request(netlink::Batch& batch, const RouteKey& key, const Route& route, std::uint8_t protocol,
                       Write write) {
  netlink::Request request =
      batch.add(RTM_NEWROUTE, NLM_F_CREATE | (write == Write::kNew ? NLM_F_EXCL : NLM_F_REPLACE));
  request.header(header_of(key, route, protocol));
  add_key(request, key);
  add_hops(request, key.prefix.family(), route.hops);
  if (route.preferred_source) request.address(RTA_PREFSRC, *route.preferred_source);
  if (route.mtu != 0) {
    const std::size_t metrics = request.begin_nest(RTA_METRICS);
    request.u32(RTAX_MTU, route.mtu);
    request.end_nest(metrics);
  }
}

void add_delete_request(netlink::Batch& batch, const RouteKey& key, const Route& route, std::uint8_t protocol) {
  netlink::Request request = batch.add(RTM_DELROUTE, 0);
  rtmsg head = header_of(key, route, protocol);
  // The kernel compares what is given; key, kind and mark are enough to hit ours and nobody else's.
  head.rtm_scope = RT_SCOPE_NOWHERE;
  head.rtm_flags = 0;
  request.header(head);
  add_key(request, key);
}

void add_dump_request(netlink::Batch& batch, IpFamily family, std::uint8_t protocol,
                      std::optional<RouteTableId> table) {
  netlink::Request request = batch.add(RTM_GETROUTE, 0);
  rtmsg head{};
  head.rtm_family = family_number(family);
  head.rtm_protocol = protocol == kNoProtocol ? RTPROT_UNSPEC : protocol;
  request.header(head);
  if (table) request.u32(RTA_TABLE, table->value());
}

std::optional<KernelRoute> parse_route(const netlink::MessageView& message) {
  const auto head = message.header<rtmsg>();
  if (!head || (head->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  return parse(message);
}

std::optional<Route> parse_lookup(const netlink::MessageView& message) {
  auto parsed = parse(message);
  return parsed ? std::optional(std::move(parsed->route)) : std::nullopt;
}

}  // namespace margay::route
