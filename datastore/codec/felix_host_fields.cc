// Interfaces and the host of FelixConfiguration.
#include "datastore/codec/archive.h"
#include "datastore/codec/felix_fields.h"

namespace margay::codec {

template <class Archive, Is<model::ProtoPort> S>
void fields(Archive& a, S& s) {
  a.field("protocol", s.protocol);
  a.required("port", s.port);
  a.field("net", s.net);
}

namespace {

template <class Archive, Is<model::FelixHost> S>
void list_host(Archive& a, S& s) {
  a.field("interfacePrefix", s.interface_prefix);
  a.field("interfaceExclude", s.interface_exclude);
  a.field("interfaceRefreshInterval", s.interface_refresh_interval);
  a.field("mtuIfacePattern", s.mtu_iface_pattern);
  a.field("requireMTUFile", s.require_mtu_file);
  a.field("endpointStatusPathPrefix", s.endpoint_status_path_prefix);
  a.field("ipv6Support", s.ipv6_support);
  a.field("ipForwarding", s.ip_forwarding);
  a.field("defaultEndpointToHostAction", s.default_endpoint_to_host_action);
  a.field("failsafeInboundHostPorts", s.failsafe_inbound_host_ports);
  a.field("failsafeOutboundHostPorts", s.failsafe_outbound_host_ports);
  a.field("workloadSourceSpoofing", s.workload_source_spoofing);
  a.field("allowVXLANPacketsFromWorkloads", s.allow_vxlan_packets_from_workloads);
  a.field("allowIPIPPacketsFromWorkloads", s.allow_ipip_packets_from_workloads);
  a.field("externalNodesList", s.external_nodes_list);
  a.field("floatingIPs", s.floating_ips);
  a.field("awsSrcDstCheck", s.aws_src_dst_check);
  a.field("netlinkTimeout", s.netlink_timeout);
  a.field("sidecarAccelerationEnabled", s.sidecar_acceleration_enabled);
  a.field("windowsManageFirewallRules", s.windows_manage_firewall_rules);
}

}  // namespace

void fields(Reader& a, model::FelixHost& s) { list_host(a, s); }
void fields(Writer& a, const model::FelixHost& s) { list_host(a, s); }

}  // namespace margay::codec
