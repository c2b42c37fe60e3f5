// Iptables, nftables and IP sets of FelixConfiguration.
#include "datastore/codec/archive.h"
#include "datastore/codec/felix_fields.h"

namespace margay::codec {

namespace {

template <class Archive, Is<model::FelixNetfilter> S>
void list_netfilter(Archive& a, S& s) {
  a.field("iptablesBackend", s.iptables_backend);
  a.field("nftablesMode", s.nftables_mode);
  a.field("chainInsertMode", s.chain_insert_mode);
  a.field("iptablesMarkMask", s.iptables_mark_mask);
  a.field("nftablesMarkMask", s.nftables_mark_mask);
  a.field("iptablesFilterAllowAction", s.iptables_filter_allow_action);
  a.field("iptablesMangleAllowAction", s.iptables_mangle_allow_action);
  a.field("iptablesFilterDenyAction", s.iptables_filter_deny_action);
  a.field("nftablesFilterAllowAction", s.nftables_filter_allow_action);
  a.field("nftablesMangleAllowAction", s.nftables_mangle_allow_action);
  a.field("nftablesFilterDenyAction", s.nftables_filter_deny_action);
  a.field("iptablesRefreshInterval", s.iptables_refresh_interval);
  a.field("nftablesRefreshInterval", s.nftables_refresh_interval);
  a.field("ipsetsRefreshInterval", s.ipsets_refresh_interval);
  a.field("iptablesPostWriteCheckInterval", s.iptables_post_write_check_interval);
  a.field("iptablesLockProbeInterval", s.iptables_lock_probe_interval);
  a.field("maxIpsetSize", s.max_ipset_size);
  a.field("kubeNodePortRanges", s.kube_node_port_ranges);
  a.field("serviceLoopPrevention", s.service_loop_prevention);
  a.field("disableConntrackInvalidCheck", s.disable_conntrack_invalid_check);
  a.field("logPrefix", s.log_prefix);
  a.field("logActionRateLimit", s.log_action_rate_limit);
  a.field("logActionRateLimitBurst", s.log_action_rate_limit_burst);
  a.field("nftablesFlowTableOffload", s.nftables_flow_table_offload);
  a.field("nftablesFlowTableDataIfacePattern", s.nftables_flow_table_data_iface_pattern);
  a.field("xdpEnabled", s.xdp_enabled);
  a.field("genericXDPEnabled", s.generic_xdp_enabled);
  a.field("xdpRefreshInterval", s.xdp_refresh_interval);
}

}  // namespace

void fields(Reader& a, model::FelixNetfilter& s) { list_netfilter(a, s); }
void fields(Writer& a, const model::FelixNetfilter& s) { list_netfilter(a, s); }

}  // namespace margay::codec
