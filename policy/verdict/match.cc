#include <algorithm>

#include "base/core/check.h"
#include "policy/verdict/verdict.h"

namespace margay::policy {
namespace {

using model::IcmpMatch;

// One end of a packet's way.
struct End {
  const IpAddress& address;
  model::Protocol protocol;
  Port port;
};

// What a rule refers to is there: State sees to it.
const IpSet& set_of(const State& state, const IpSetId& id) {
  const auto at = state.ip_sets().find(id);
  MARGAY_CHECK(at != state.ip_sets().end());
  return at->second;
}

bool is_in_any(const std::vector<IpPrefix>& nets, const IpAddress& address) {
  return std::any_of(nets.begin(), nets.end(), [&](const IpPrefix& net) { return net.contains(address); });
}

auto has_address(const State& state, const End& end) {
  return [&state, &end](const IpSetId& id) { return set_of(state, id).contains(end.address); };
}

auto has_port(const State& state, const End& end) {
  return [&state, &end](const IpSetId& id) { return set_of(state, id).contains(end.address, end.protocol, end.port); };
}

bool is_port_in(const State& state, const std::vector<PortRange>& ranges, const std::vector<IpSetId>& sets,
                const End& end) {
  if (!end.protocol.has_ports()) return false;
  return std::any_of(ranges.begin(), ranges.end(), [&](PortRange range) { return range.contains(end.port); }) ||
         std::any_of(sets.begin(), sets.end(), has_port(state, end));
}

bool is_address_right(const State& state, const RuleEnd& rule, const End& end) {
  return (rule.nets.empty() || is_in_any(rule.nets, end.address)) && !is_in_any(rule.not_nets, end.address) &&
         std::all_of(rule.sets.begin(), rule.sets.end(), has_address(state, end)) &&
         std::none_of(rule.not_sets.begin(), rule.not_sets.end(), has_address(state, end));
}

bool is_port_right(const State& state, const RuleEnd& rule, const End& end) {
  const bool says_ports = !rule.ports.empty() || !rule.port_sets.empty();
  return (!says_ports || is_port_in(state, rule.ports, rule.port_sets, end)) &&
         !is_port_in(state, rule.not_ports, rule.not_port_sets, end) &&
         std::all_of(rule.service_sets.begin(), rule.service_sets.end(), has_port(state, end));
}

bool is_icmp(const IcmpMatch& icmp, const Packet& packet) {
  return (!icmp.type || (packet.icmp_type && *packet.icmp_type == *icmp.type)) &&
         (!icmp.code || (packet.icmp_code && *packet.icmp_code == *icmp.code));
}

}  // namespace

bool matches(const State& state, const Rule& rule, const Packet& packet) {
  if (rule.ip_version && *rule.ip_version != packet.source.family()) return false;
  if (rule.protocol && *rule.protocol != packet.protocol) return false;
  if (rule.not_protocol && *rule.not_protocol == packet.protocol) return false;
  if (rule.icmp && !is_icmp(*rule.icmp, packet)) return false;
  if (rule.not_icmp && is_icmp(*rule.not_icmp, packet)) return false;
  const End source{.address = packet.source, .protocol = packet.protocol, .port = packet.source_port};
  const End destination{.address = packet.destination, .protocol = packet.protocol, .port = packet.destination_port};
  return is_port_right(state, rule.source, source) && is_port_right(state, rule.destination, destination) &&
         is_address_right(state, rule.source, source) && is_address_right(state, rule.destination, destination);
}

}  // namespace margay::policy
