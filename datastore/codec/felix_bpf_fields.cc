// The eBPF dataplane of FelixConfiguration.
#include "datastore/codec/archive.h"
#include "datastore/codec/felix_fields.h"

namespace margay::codec {

template <class Archive, Is<model::BpfConntrackTimeouts> S>
void fields(Archive& a, S& s) {
  a.field("creationGracePeriod", s.creation_grace_period);
  a.field("tcpSynSent", s.tcp_syn_sent);
  a.field("tcpEstablished", s.tcp_established);
  a.field("tcpFinsSeen", s.tcp_fins_seen);
  a.field("tcpResetSeen", s.tcp_reset_seen);
  a.field("udpTimeout", s.udp_timeout);
  a.field("genericTimeout", s.generic_timeout);
  a.field("icmpTimeout", s.icmp_timeout);
}

namespace {

template <class Archive, Is<model::FelixBpf> S>
void list_bpf(Archive& a, S& s) {
  a.field("bpfEnabled", s.bpf_enabled);
  a.field("bpfAttachType", s.bpf_attach_type);
  a.field("bpfDataIfacePattern", s.bpf_data_iface_pattern);
  a.field("bpfL3IfacePattern", s.bpf_l3_iface_pattern);
  a.field("bpfDisableGROForIfaces", s.bpf_disable_gro_for_ifaces);
  a.field("bpfConnectTimeLoadBalancing", s.bpf_connect_time_load_balancing);
  a.field("bpfConnectTimeLoadBalancingEnabled", s.bpf_connect_time_load_balancing_enabled);
  a.field("bpfHostNetworkedNATWithoutCTLB", s.bpf_host_networked_nat_without_ctlb);
  a.field("bpfExternalServiceMode", s.bpf_external_service_mode);
  a.field("bpfDSROptoutCIDRs", s.bpf_dsr_optout_cidrs);
  a.field("bpfExcludeCIDRsFromNAT", s.bpf_exclude_cidrs_from_nat);
  a.field("bpfExtToServiceConnmark", s.bpf_ext_to_service_connmark);
  a.field("bpfEnforceRPF", s.bpf_enforce_rpf);
  a.field("bpfConntrackMode", s.bpf_conntrack_mode);
  a.field("bpfConntrackLogLevel", s.bpf_conntrack_log_level);
  a.field("bpfConntrackTimeouts", s.bpf_conntrack_timeouts);
  a.field("bpfHostConntrackBypass", s.bpf_host_conntrack_bypass);
  a.field("bpfForceTrackPacketsFromIfaces", s.bpf_force_track_packets_from_ifaces);
  a.field("bpfMapSizeConntrack", s.bpf_map_size_conntrack);
  a.field("bpfMapSizePerCpuConntrack", s.bpf_map_size_per_cpu_conntrack);
  a.field("bpfMapSizeConntrackScaling", s.bpf_map_size_conntrack_scaling);
  a.field("bpfMapSizeConntrackCleanupQueue", s.bpf_map_size_conntrack_cleanup_queue);
  a.field("bpfMapSizeNATFrontend", s.bpf_map_size_nat_frontend);
  a.field("bpfMapSizeNATBackend", s.bpf_map_size_nat_backend);
  a.field("bpfMapSizeNATAffinity", s.bpf_map_size_nat_affinity);
  a.field("bpfMapSizeRoute", s.bpf_map_size_route);
  a.field("bpfMapSizeIPSets", s.bpf_map_size_ip_sets);
  a.field("bpfMapSizeIfState", s.bpf_map_size_if_state);
  a.field("bpfKubeProxyMinSyncPeriod", s.bpf_kube_proxy_min_sync_period);
  a.field("bpfKubeProxyHealthzPort", s.bpf_kube_proxy_healthz_port);
  a.field("bpfKubeProxyIptablesCleanupEnabled", s.bpf_kube_proxy_iptables_cleanup_enabled);
  a.field("bpfPSNATPorts", s.bpf_psnat_ports);
  a.field("bpfRedirectToPeer", s.bpf_redirect_to_peer);
  a.field("bpfMaglevMaxServices", s.bpf_maglev_max_services);
  a.field("bpfMaglevMaxEndpointsPerService", s.bpf_maglev_max_endpoints_per_service);
  a.field("bpfIPFragmentReassemblyEnabled", s.bpf_ip_fragment_reassembly_enabled);
  a.field("bpfIPFragTimeout", s.bpf_ip_frag_timeout);
  a.field("bpfOverlayHostSourceIP", s.bpf_overlay_host_source_ip);
  a.field("bpfPolicyDebugEnabled", s.bpf_policy_debug_enabled);
  a.field("bpfProfiling", s.bpf_profiling);
  a.field("bpfLogLevel", s.bpf_log_level);
  a.field("bpfLogFilters", s.bpf_log_filters);
  a.field("bpfCTLBLogFilter", s.bpf_ctlb_log_filter);
  a.field("bpfExportBufferSizeMB", s.bpf_export_buffer_size_mb);
  a.field("bpfDisableUnprivileged", s.bpf_disable_unprivileged);
  a.field("bpfJITHardening", s.bpf_jit_hardening);
  a.field("cgroupV2Path", s.cgroup_v2_path);
}

}  // namespace

void fields(Reader& a, model::FelixBpf& s) { list_bpf(a, s); }
void fields(Writer& a, const model::FelixBpf& s) { list_bpf(a, s); }

}  // namespace margay::codec
