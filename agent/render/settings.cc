#include "agent/render/settings.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "agent/render/names.h"
#include "base/core/text.h"

namespace margay::render {
namespace {

using model::TransportProtocol;

constexpr std::string_view kDefaultPrefix = "cali";
constexpr std::string_view kDefaultLogPrefix = "calico-packet";
constexpr std::uint32_t kDefaultMarkMask = 0xffff0000;
constexpr Port kDefaultVxlanPort{4789};
constexpr int kDefaultLogBurst = 5;
constexpr int kLogBurstMax = 10000;     // xt_limit
constexpr int kLogRateMax = 10000;      // per unit of time, xt_limit
constexpr std::size_t kPrefixMax = 14;  // of an interface's name: 15 bytes, of which one is the "+"

std::string_view transport_word(TransportProtocol protocol) {
  switch (protocol) {
    case TransportProtocol::kTcp: return "tcp";
    case TransportProtocol::kUdp: return "udp";
    case TransportProtocol::kSctp: return "sctp";
  }
  return "tcp";
}

void add_all(std::vector<Failsafe>& out, std::string_view protocol, std::initializer_list<std::uint16_t> ports) {
  for (const std::uint16_t port : ports) out.push_back({std::string(protocol), Port(port), std::nullopt});
}

std::vector<Failsafe> default_in() {
  std::vector<Failsafe> out;
  add_all(out, "tcp", {22});
  add_all(out, "udp", {68});
  add_all(out, "tcp", {179, 2379, 2380, 5473, 6443, 6666, 6667});
  return out;
}

std::vector<Failsafe> default_out() {
  std::vector<Failsafe> out;
  add_all(out, "udp", {53, 67});
  add_all(out, "tcp", {179, 2379, 2380, 5473, 6443, 6666, 6667});
  return out;
}

std::vector<Failsafe> failsafes(const std::optional<std::vector<model::ProtoPort>>& given,
                                std::vector<Failsafe> fallback) {
  if (!given) return fallback;
  std::vector<Failsafe> out;
  for (const model::ProtoPort& each : *given) {
    out.push_back({std::string(transport_word(each.protocol.value_or(TransportProtocol::kTcp))), each.port, each.net});
  }
  return out;
}

std::vector<std::string> prefixes(std::string_view text, FieldErrors& problems) {
  std::vector<std::string> out;
  for (const std::string_view piece : split(text, ',')) {
    if (piece.empty()) continue;
    if (piece.size() <= kPrefixMax && is_interface_name(piece)) {
      out.emplace_back(piece);
    } else {
      problems.push_back({FieldError::Kind::kInvalid, "spec.interfacePrefix",
                          concat(quoted(piece), " is not the beginning of a name of an interface")});
    }
  }
  if (out.empty()) out.emplace_back(kDefaultPrefix);
  return out;
}

bool is_log_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("%: /_-.").find(c) != std::string_view::npos;
}

std::string log_prefix(std::string_view text, FieldErrors& problems) {
  if (text.empty()) return std::string(kDefaultLogPrefix);
  if (std::all_of(text.begin(), text.end(), is_log_character)) return std::string(text);
  problems.push_back({FieldError::Kind::kInvalid, "spec.logPrefix",
                      concat(quoted(text), " has characters other than letters, digits, blanks and %:/_-.")});
  return std::string(kDefaultLogPrefix);
}

bool is_rate(std::string_view text) {
  const auto parts = split_once(text, '/');
  if (!parts) return false;
  const auto count = parse_number<int>(parts->first);
  const std::string_view unit = parts->second;
  return count && *count > 0 && *count < kLogRateMax &&
         (unit == "second" || unit == "minute" || unit == "hour" || unit == "day");
}

std::string log_limit(const model::FelixNetfilter& spec, FieldErrors& problems) {
  const std::string& rate = spec.log_action_rate_limit;
  if (rate.empty()) return "";
  if (!is_rate(rate)) {
    problems.push_back({FieldError::Kind::kInvalid, "spec.logActionRateLimit",
                        concat(quoted(rate), " is not a rate such as 10/second or 100/hour")});
    return "";
  }
  const int burst = std::clamp(spec.log_action_rate_limit_burst.value_or(kDefaultLogBurst), 1, kLogBurstMax);
  return concat("-m limit --limit ", rate, " --limit-burst ", burst);
}

Marks marks(std::optional<std::uint32_t> mask, FieldErrors& problems) {
  const auto given = Marks::of(mask.value_or(kDefaultMarkMask));
  if (given.ok()) return *given;
  problems.push_back({FieldError::Kind::kInvalid, "spec.iptablesMarkMask", given.error().message});
  return Marks::of(kDefaultMarkMask).value();
}

// A "+" at the end stands for any text.
std::string nat_interface(std::string_view name, FieldErrors& problems) {
  if (name.empty() || is_interface_name(name.substr(0, name.size() - (name.ends_with('+') ? 1 : 0)))) {
    return std::string(name);
  }
  problems.push_back({FieldError::Kind::kInvalid, "spec.iptablesNATOutgoingInterfaceFilter",
                      concat(quoted(name), " is not a name of an interface")});
  return "";
}

void fill_nat(const model::FelixRoutes& spec, Settings& out, FieldErrors& problems) {
  out.nat_address = spec.nat_outgoing_address;
  out.nat_ports = spec.nat_port_range;
  out.is_nat_to_hosts_excluded =
      spec.nat_outgoing_exclusions == std::optional(model::NatOutgoingExclusions::kIpPoolsAndHostIps);
  out.nat_interface = nat_interface(spec.iptables_nat_outgoing_interface_filter, problems);
}

void fill_host(const model::FelixHost& spec, Settings& out, FieldErrors& problems) {
  out.has_ipv6 = out.features.has_ipv6 && spec.ipv6_support.value_or(true);
  out.workload_prefixes = prefixes(spec.interface_prefix, problems);
  out.endpoint_to_host = spec.default_endpoint_to_host_action.value_or(model::EndpointToHostAction::kDrop);
  out.failsafe_in = failsafes(spec.failsafe_inbound_host_ports, default_in());
  out.failsafe_out = failsafes(spec.failsafe_outbound_host_ports, default_out());
  out.allows_spoofing = spec.workload_source_spoofing == std::optional(model::SourceSpoofing::kAny);
  out.allows_vxlan = spec.allow_vxlan_packets_from_workloads.value_or(false);
  if (spec.external_nodes_list)
    out.external_nodes = {spec.external_nodes_list->begin(), spec.external_nodes_list->end()};
  out.allows_ipip = spec.allow_ipip_packets_from_workloads.value_or(false);
}

// At most seven, as the rules on the object have it: as many ranges go into one multiport.
std::string node_ports(const std::optional<std::vector<PortRange>>& ranges) {
  if (!ranges) return "30000:32767";
  std::string out;
  for (const PortRange& range : *ranges) {
    out += concat(out.empty() ? "" : ",", range.first().value(), ":", range.last().value());
  }
  return out;
}

}  // namespace

std::vector<IpFamily> families(const Settings& settings) {
  if (settings.has_ipv6) return {IpFamily::kV4, IpFamily::kV6};
  return {IpFamily::kV4};
}

Settings settings_of(const model::FelixConfigurationSpec& spec, const KernelFeatures& features, FieldErrors& problems) {
  const model::FelixNetfilter& netfilter = spec.netfilter;
  Settings out;
  out.features = features;
  out.marks = marks(netfilter.iptables_mark_mask, problems);
  out.node_ports = node_ports(netfilter.kube_node_port_ranges);
  out.drops_invalid = !netfilter.disable_conntrack_invalid_check.value_or(false);
  out.rejects = netfilter.iptables_filter_deny_action == std::optional(model::DenyAction::kReject);
  out.filter_allow = netfilter.iptables_filter_allow_action.value_or(model::AllowAction::kAccept);
  out.mangle_allow = netfilter.iptables_mangle_allow_action.value_or(model::AllowAction::kAccept);
  out.service_loop = netfilter.service_loop_prevention.value_or(model::ServiceLoopPrevention::kDrop);
  out.log_prefix = log_prefix(netfilter.log_prefix, problems);
  out.log_limit = log_limit(netfilter, problems);
  if (spec.tunnels.vxlan_vni.value_or(0) > 0) out.vxlan_vni = static_cast<std::uint32_t>(*spec.tunnels.vxlan_vni);
  out.vxlan_port = spec.tunnels.vxlan_port.value_or(kDefaultVxlanPort);
  fill_host(spec.host, out, problems);
  fill_nat(spec.routes, out, problems);
  return out;
}

}  // namespace margay::render
