#include "cni/ipam/users.h"

#include <algorithm>
#include <array>

#include "base/core/text.h"

namespace margay::ipam {
namespace {

// Attributes of virtual machines begin so: vmi, vmName, …
constexpr std::string_view kVmPrefix = "vm";
constexpr std::string_view kPodAddresses = "cni.projectcalico.org/podIPs";
constexpr std::string_view kPodAddress = "cni.projectcalico.org/podIP";
// Of several networks: a JSON list with quoted addresses.
constexpr std::string_view kNetworkStatus = "k8s.v1.cni.cncf.io/network-status";

struct TunnelNames {
  TunnelKind kind;
  std::string_view annotation;
};
constexpr std::array<TunnelNames, 5> kTunnels = {{
    {TunnelKind::kIpip, "projectcalico.org/IPv4IPIPTunnelAddr"},
    {TunnelKind::kVxlan, "projectcalico.org/IPv4VXLANTunnelAddr"},
    {TunnelKind::kVxlanV6, "projectcalico.org/IPv6VXLANTunnelAddr"},
    {TunnelKind::kWireguard, "projectcalico.org/IPv4WireguardInterfaceAddr"},
    {TunnelKind::kWireguardV6, "projectcalico.org/IPv6WireguardInterfaceAddr"},
}};

bool is_over(const model::Pod& pod) {
  return pod.status.phase == model::PodPhase::kSucceeded || pod.status.phase == model::PodPhase::kFailed;
}

void add_text(std::string_view text, std::vector<IpAddress>& out) {
  const auto prefix = IpPrefix::parse_cidr_or_address(trim(text));
  if (prefix.ok()) out.push_back(prefix->first());
}

bool has_vm(const StringMap& attributes) {
  return std::any_of(attributes.begin(), attributes.end(),
                     [](const auto& each) { return each.first.starts_with(kVmPrefix); });
}

}  // namespace

AddressOwner owner_of(const model::AllocationAttribute& attribute) {
  const StringMap& said = attribute.active_owner;
  AddressOwner out;
  out.node = said.get(kNodeAttribute);
  if (!attribute.alternate_owner.empty() || has_vm(said)) return out;
  const std::string_view type = said.get(kTypeAttribute);
  if (!type.empty()) {
    for (const TunnelNames& each : kTunnels) {
      if (tunnel_type(each.kind) == type && !out.node.empty()) {
        out.kind = AddressOwner::Kind::kTunnel;
        out.tunnel = each.kind;
      }
    }
    return out;
  }
  out.name_space = said.get(kNamespaceAttribute);
  out.pod = said.get(kPodAttribute);
  if (!out.name_space.empty() && !out.pod.empty()) out.kind = AddressOwner::Kind::kPod;
  return out;
}

std::vector<IpAddress> addresses_of(const model::Pod& pod) {
  std::vector<IpAddress> out;
  if (is_over(pod) || pod.spec.host_network) return out;
  for (const model::PodIp& each : pod.status.pod_ips) {
    if (each.ip) out.push_back(*each.ip);
  }
  if (pod.status.pod_ip) out.push_back(*pod.status.pod_ip);
  const StringMap& notes = pod.metadata.annotations;
  for (const std::string_view text : split(notes.get(kPodAddresses), ',')) add_text(text, out);
  add_text(notes.get(kPodAddress), out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::optional<IpAddress> tunnel_address(const model::Node& node, TunnelKind kind) {
  for (const TunnelNames& each : kTunnels) {
    if (each.kind != kind) continue;
    const auto prefix = IpPrefix::parse_cidr_or_address(node.metadata.annotations.get(each.annotation));
    if (prefix.ok()) return prefix->first();
  }
  return std::nullopt;
}

std::vector<IpAddress> tunnel_addresses(const model::Node& node) {
  std::vector<IpAddress> out;
  for (const TunnelNames& each : kTunnels) {
    if (const auto address = tunnel_address(node, each.kind)) out.push_back(*address);
  }
  return out;
}

// A pod never changes its node, and is given addresses only on it: what was given elsewhere, or before it had a node,
// was an earlier pod's of its name.
bool uses(const model::Pod* pod, const AddressOwner& owner, const IpAddress& address) {
  if (pod == nullptr || is_over(*pod) || pod->spec.host_network || pod->spec.node_name.empty()) return false;
  if (!owner.node.empty() && pod->spec.node_name.view() != owner.node) return false;
  const std::vector<IpAddress> known = addresses_of(*pod);
  if (known.empty() || std::binary_search(known.begin(), known.end(), address)) return true;
  return pod->metadata.annotations.get(kNetworkStatus).find(concat('"', address.to_string(), '"')) !=
         std::string_view::npos;
}

bool uses(const model::Node* node, const AddressOwner& owner, const IpAddress& address) {
  return node != nullptr && owner.tunnel && tunnel_address(*node, *owner.tunnel) == address;
}

}  // namespace margay::ipam
