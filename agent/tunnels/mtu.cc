#include "agent/tunnels/mtu.h"

#include <algorithm>
#include <optional>

namespace margay::agent {
namespace {

// Outer headers: IPv4; IPv4, UDP, VXLAN, Ethernet; IPv6, UDP, VXLAN, Ethernet.
constexpr std::uint32_t kIpipOverhead = 20;
constexpr std::uint32_t kVxlanV4Overhead = 50;
constexpr std::uint32_t kVxlanV6Overhead = 70;

std::uint32_t choose(const std::optional<std::int32_t>& setting, std::uint32_t host, std::uint32_t overhead) {
  if (setting.value_or(0) > 0) return static_cast<std::uint32_t>(*setting);
  return std::max(host, kMtuMin + overhead) - overhead;
}

bool has_any(const HostLink& link, const std::vector<IpAddress>& addresses) {
  return std::any_of(link.addresses.begin(), link.addresses.end(), [&](const IpAddress& each) {
    return std::find(addresses.begin(), addresses.end(), each) != addresses.end();
  });
}

template <class Which>
std::optional<std::uint32_t> smallest(const std::vector<HostLink>& links, Which&& which) {
  std::optional<std::uint32_t> out;
  for (const HostLink& link : links) {
    if (link.mtu >= kMtuMin && which(link)) out = std::min(out.value_or(link.mtu), link.mtu);
  }
  return out;
}

}  // namespace

std::uint32_t host_mtu(const std::vector<HostLink>& links, const std::function<bool(std::string_view)>& matches,
                       const std::vector<IpAddress>& node_addresses) {
  const auto matching =
      smallest(links, [&](const HostLink& link) { return !link.addresses.empty() && matches(link.name); });
  if (matching) return *matching;
  return smallest(links, [&](const HostLink& link) { return has_any(link, node_addresses); }).value_or(kDefaultMtu);
}

Mtus mtus_of(std::uint32_t host, const model::FelixTunnels& settings, const ipip::LocalTunnels& local) {
  Mtus out;
  out.ipip = choose(settings.ipip_mtu, host, kIpipOverhead);
  out.vxlan_v4 = choose(settings.vxlan_mtu, host, kVxlanV4Overhead);
  out.vxlan_v6 = choose(settings.vxlan_mtu_v6, host, kVxlanV6Overhead);
  out.workload = host;
  if (settings.ipip_enabled.value_or(local.ipip.is_wanted)) out.workload = std::min(out.workload, out.ipip);
  if (settings.vxlan_enabled.value_or(local.vxlan_v4.is_wanted)) out.workload = std::min(out.workload, out.vxlan_v4);
  // Forced on without IPv6 pools it costs nobody anything.
  if (settings.vxlan_enabled.value_or(true) && local.vxlan_v6.is_wanted) {
    out.workload = std::min(out.workload, out.vxlan_v6);
  }
  return out;
}

ipip::TunnelSettings tunnel_settings(const model::FelixTunnels& settings, const Mtus& mtus) {
  ipip::TunnelSettings out;
  out.ipip_mtu = mtus.ipip;
  out.vxlan_mtu_v4 = mtus.vxlan_v4;
  out.vxlan_mtu_v6 = mtus.vxlan_v6;
  constexpr std::int32_t kVniMax = (1 << 24) - 1;
  const std::int32_t vni = settings.vxlan_vni.value_or(0);
  if (vni > 0 && vni <= kVniMax) out.vni = static_cast<std::uint32_t>(vni);
  if (settings.vxlan_port) out.port = settings.vxlan_port->value();
  out.ipip = settings.ipip_enabled;
  out.vxlan = settings.vxlan_enabled;
  return out;
}

}  // namespace margay::agent
