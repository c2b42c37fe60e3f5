// IP-in-IP, VXLAN and WireGuard of FelixConfiguration.
#include "datastore/codec/archive.h"
#include "datastore/codec/felix_fields.h"

namespace margay::codec {

namespace {

template <class Archive, Is<model::FelixTunnels> S>
void list_tunnels(Archive& a, S& s) {
  a.field("ipipEnabled", s.ipip_enabled);
  a.field("ipipMTU", s.ipip_mtu);
  a.field("vxlanEnabled", s.vxlan_enabled);
  a.field("vxlanMTU", s.vxlan_mtu);
  a.field("vxlanMTUV6", s.vxlan_mtu_v6);
  a.field("vxlanPort", s.vxlan_port);
  a.field("vxlanVNI", s.vxlan_vni);
  a.field("wireguardEnabled", s.wireguard_enabled);
  a.field("wireguardEnabledV6", s.wireguard_enabled_v6);
  a.field("wireguardHostEncryptionEnabled", s.wireguard_host_encryption_enabled);
  a.field("wireguardListeningPort", s.wireguard_listening_port);
  a.field("wireguardListeningPortV6", s.wireguard_listening_port_v6);
  a.field("wireguardInterfaceName", s.wireguard_interface_name);
  a.field("wireguardInterfaceNameV6", s.wireguard_interface_name_v6);
  a.field("wireguardMTU", s.wireguard_mtu);
  a.field("wireguardMTUV6", s.wireguard_mtu_v6);
  a.field("wireguardRoutingRulePriority", s.wireguard_routing_rule_priority);
  a.field("wireguardKeepAlive", s.wireguard_keep_alive);
  a.field("wireguardThreadingEnabled", s.wireguard_threading_enabled);
}

}  // namespace

void fields(Reader& a, model::FelixTunnels& s) { list_tunnels(a, s); }
void fields(Writer& a, const model::FelixTunnels& s) { list_tunnels(a, s); }

}  // namespace margay::codec
