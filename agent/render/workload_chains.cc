#include "agent/render/workload_chains.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/core/text.h"

namespace margay::render {
namespace {

constexpr std::int64_t kPacketRateMax = 10000;  // a second; the finest that xt_limit knows
constexpr std::int64_t kPacketBurstMax = 10000;
constexpr std::int64_t kDefaultPacketBurst = 5;
constexpr std::int64_t kConnectionsMax = 0xffffffff;
constexpr std::string_view kLinkLocal6 = "fe80::/10";

const model::QosDirection* limits_of(const policy::Endpoint& endpoint, Direction direction) {
  const auto& controls = endpoint.workload->spec.qos_controls;
  if (!controls) return nullptr;
  return direction == Direction::kIngress ? &controls->ingress : &controls->egress;
}

void add_packet_rate(Rules& rules, const model::QosDirection& limits, const Settings& settings) {
  if (!limits.packet_rate) return;
  const Marks& marks = settings.marks;
  const std::int64_t rate = std::clamp<std::int64_t>(*limits.packet_rate, 1, kPacketRateMax);
  const std::int64_t burst =
      std::clamp<std::int64_t>(limits.packet_burst.value_or(kDefaultPacketBurst), 1, kPacketBurstMax);
  const std::string within = concat("-m limit --limit ", rate, "/sec --limit-burst ", burst);
  rules.push_back({.spec = clear_mark(marks.scratch0), .comment = "packet rate"});
  rules.push_back({.spec = spec({within, set_mark(marks.scratch0)})});
  rules.push_back({.spec = spec({has_no_mark(marks.scratch0), kDrop}), .comment = "over the packet rate"});
}

void add_connection_limit(Rules& rules, const model::QosDirection& limits, const Settings& settings) {
  if (!limits.max_connections || !settings.features.has_connlimit) return;
  const std::int64_t most = std::clamp<std::int64_t>(*limits.max_connections, 0, kConnectionsMax);
  rules.push_back({.spec = concat("-p tcp -m connlimit --connlimit-above ", most,
                                  " --connlimit-mask 0 -j REJECT --reject-with tcp-reset"),
                   .comment = "too many connections"});
}

// Tunnels that end at the host carry packets past every policy.
void add_tunnel_block(Rules& rules, const Settings& settings) {
  const std::string_view denied = deny(Table::kFilter, settings);
  if (!settings.allows_vxlan) {
    rules.push_back({.spec = concat("-p udp -m multiport --dports ", settings.vxlan_port.value(), ' ', denied),
                     .comment = "VXLAN from a workload"});
  }
  if (!settings.allows_ipip) rules.push_back({.spec = concat("-p 4 ", denied), .comment = "IP-in-IP from a workload"});
}

std::vector<std::string> sources_of(const model::WorkloadEndpointSpec& workload, IpFamily family,
                                    const Settings& settings) {
  std::vector<std::string> out;
  for (const IpPrefix& net : workload.ip_networks) {
    if (net.family() == family) out.push_back(net.to_string());
  }
  // Neighbour discovery, and whatever else stays on the link.
  if (family == IpFamily::kV6) out.emplace_back(kLinkLocal6);
  if (!settings.allows_spoofing) return out;
  for (const IpPrefix& net : workload.allow_spoofed_source_prefixes) {
    if (net.family() == family) out.push_back(net.to_string());
  }
  return out;
}

void add_source_check(Rules& rules, const std::vector<std::string>& sources, const Settings& settings) {
  constexpr std::string_view kWhy = "not its address";
  if (sources.empty()) {
    rules.push_back({.spec = std::string(kDrop), .comment = std::string(kWhy)});
    return;
  }
  if (sources.size() == 1) {
    rules.push_back({.spec = spec({"! -s", sources.front(), kDrop}), .comment = std::string(kWhy)});
    return;
  }
  const Marks& marks = settings.marks;
  rules.push_back({.spec = clear_mark(marks.scratch0)});
  for (const std::string& source : sources) {
    rules.push_back({.spec = spec({"-s", source, set_mark(marks.scratch0)})});
  }
  rules.push_back({.spec = spec({has_no_mark(marks.scratch0), kDrop}), .comment = std::string(kWhy)});
}

Rules workload_rules(const policy::Endpoint& endpoint, Direction direction, IpFamily family,
                     const DirectionUnits& units, const Settings& settings) {
  Rules rules;
  const model::QosDirection* limits = limits_of(endpoint, direction);
  if (limits != nullptr) add_packet_rate(rules, *limits, settings);
  add_connection_state(rules, Table::kFilter, settings);
  if (limits != nullptr) add_connection_limit(rules, *limits, settings);
  if (direction == Direction::kEgress) {
    add_source_check(rules, sources_of(endpoint.workload->spec, family, settings), settings);
    add_tunnel_block(rules, settings);
  }
  add_policy(rules, units, settings);
  return rules;
}

}  // namespace

std::string to_workload_chain(std::string_view interface) { return chain_name("tw", interface); }
std::string from_workload_chain(std::string_view interface) { return chain_name("fw", interface); }

EndpointChains render_workload(const std::string& interface, const policy::Endpoint& endpoint,
                               const EndpointContext& context) {
  EndpointChains out;
  for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
    const DirectionUnits units = units_of(endpoint.policy, direction, Table::kFilter, ChainKind::kNormal, context, out);
    const std::string name =
        direction == Direction::kIngress ? to_workload_chain(interface) : from_workload_chain(interface);
    for (const IpFamily family : context.families) {
      out.chains.push_back(
          {{family, Table::kFilter}, {name, workload_rules(endpoint, direction, family, units, context.settings)}});
    }
  }
  return out;
}

Rules spoofing_exceptions(const std::string& interface, const policy::Endpoint& endpoint, IpFamily family,
                          const Settings& settings) {
  Rules rules;
  if (!settings.allows_spoofing) return rules;
  for (const IpPrefix& net : endpoint.workload->spec.allow_spoofed_source_prefixes) {
    if (net.family() != family) continue;
    rules.push_back({.spec = spec({from_interface(interface), "-s", net.to_string(), kAccept})});
  }
  return rules;
}

std::vector<IpFamily> families_of(const model::WorkloadEndpointSpec& workload, const Settings& settings) {
  std::vector<IpFamily> out;
  for (const IpFamily family : families(settings)) {
    const auto is_of_it = [family](const IpPrefix& net) { return net.family() == family; };
    const auto& own = workload.ip_networks;
    const auto& spoofed = workload.allow_spoofed_source_prefixes;
    if (std::any_of(own.begin(), own.end(), is_of_it) || std::any_of(spoofed.begin(), spoofed.end(), is_of_it)) {
      out.push_back(family);
    }
  }
  return out;
}

FieldErrors problems_of(const model::WorkloadEndpointSpec& workload, const KernelFeatures& features) {
  FieldErrors out;
  if (workload.qos_controls && !features.has_connlimit &&
      (workload.qos_controls->ingress.max_connections || workload.qos_controls->egress.max_connections)) {
    out.push_back({FieldError::Kind::kNotSupported, "spec.qosControls",
                   "this kernel cannot count connections (xt_connlimit): they are not limited"});
  }
  return out;
}

}  // namespace margay::render
