#include "ipip/devices/device_spec.h"

namespace margay::ipip {
namespace {

void add_vxlan(DeviceSpecs& out, DeviceKind kind, const LocalTunnel& tunnel, const TunnelSettings& settings) {
  if (!settings.vxlan.value_or(tunnel.is_wanted)) return;
  if (!tunnel.node_address || !tunnel.mac) return;
  out[kind] = {.mtu = kind == DeviceKind::kVxlanV4 ? settings.vxlan_mtu_v4 : settings.vxlan_mtu_v6,
               .address = tunnel.address,
               .vni = settings.vni,
               .port = settings.port,
               .mac = *tunnel.mac,
               .local = tunnel.node_address,
               .is_checksum_offload_broken = settings.is_checksum_offload_broken};
}

}  // namespace

std::string_view name_of(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kIpip: return "tunl0";
    case DeviceKind::kVxlanV4: return "vxlan.calico";
    case DeviceKind::kVxlanV6: return "vxlan-v6.calico";
  }
  return {};
}

DeviceKind vxlan_of(IpFamily family) { return family == IpFamily::kV4 ? DeviceKind::kVxlanV4 : DeviceKind::kVxlanV6; }

DeviceSpecs devices_of(const LocalTunnels& local, const TunnelSettings& settings) {
  DeviceSpecs out;
  if (settings.ipip.value_or(local.ipip.is_wanted)) {
    out[DeviceKind::kIpip] = {.mtu = settings.ipip_mtu, .address = local.ipip.address};
  }
  add_vxlan(out, DeviceKind::kVxlanV4, local.vxlan_v4, settings);
  add_vxlan(out, DeviceKind::kVxlanV6, local.vxlan_v6, settings);
  return out;
}

}  // namespace margay::ipip
