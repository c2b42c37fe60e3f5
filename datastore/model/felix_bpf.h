// The part of FelixConfiguration (projectcalico.org/v3) about the eBPF dataplane. A comment is the default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/string_map.h"
#include "base/core/time.h"
#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "datastore/model/enum.h"
#include "datastore/model/values.h"

namespace margay::model {

enum class BpfAttachType { kTc, kTcx, kNetkit };
template <>
struct EnumText<BpfAttachType> {
  static constexpr std::string_view kWords[] = {"TC", "TCX", "Netkit"};
};

enum class BpfConnectTimeLoadBalancing { kTcp, kEnabled, kDisabled };
template <>
struct EnumText<BpfConnectTimeLoadBalancing> {
  static constexpr std::string_view kWords[] = {"TCP", "Enabled", "Disabled"};
};

enum class BpfServiceMode { kTunnel, kDsr };
template <>
struct EnumText<BpfServiceMode> {
  static constexpr std::string_view kWords[] = {"Tunnel", "DSR"};
  static constexpr bool kAnyCase = true;
};

enum class BpfRpfMode { kDisabled, kStrict, kLoose };
template <>
struct EnumText<BpfRpfMode> {
  static constexpr std::string_view kWords[] = {"Disabled", "Strict", "Loose"};
  static constexpr bool kAnyCase = true;
};

enum class BpfConntrackMode { kAuto, kUserspace, kBpfProgram };
template <>
struct EnumText<BpfConntrackMode> {
  static constexpr std::string_view kWords[] = {"Auto", "Userspace", "BPFProgram"};
};

enum class BpfConntrackLogLevel { kOff, kDebug };
template <>
struct EnumText<BpfConntrackLogLevel> {
  static constexpr std::string_view kWords[] = {"Off", "Debug"};
};

enum class BpfMapScaling { kDisabled, kDoubleIfFull };
template <>
struct EnumText<BpfMapScaling> {
  static constexpr std::string_view kWords[] = {"Disabled", "DoubleIfFull"};
  static constexpr bool kAnyCase = true;
};

enum class BpfRedirectToPeer { kEnabled, kDisabled, kL2Only };
template <>
struct EnumText<BpfRedirectToPeer> {
  static constexpr std::string_view kWords[] = {"Enabled", "Disabled", "L2Only"};
};

enum class BpfOverlayHostSource { kTunnelAddress, kHostAddress };
template <>
struct EnumText<BpfOverlayHostSource> {
  static constexpr std::string_view kWords[] = {"TunnelAddress", "HostAddress"};
};

enum class BpfLogLevel { kOff, kInfo, kDebug };
template <>
struct EnumText<BpfLogLevel> {
  static constexpr std::string_view kWords[] = {"Off", "Info", "Debug"};
  static constexpr bool kAnyCase = true;
};

enum class BpfJitHardening { kAuto, kStrict };
template <>
struct EnumText<BpfJitHardening> {
  static constexpr std::string_view kWords[] = {"Auto", "Strict"};
};

// How long a connection is remembered without a packet, by its state. Auto: what the kernel's own tracking has.
struct BpfConntrackTimeouts {
  std::optional<AutoOrDuration> creation_grace_period;  // 10s
  std::optional<AutoOrDuration> tcp_syn_sent;           // 20s
  std::optional<AutoOrDuration> tcp_established;        // 1h
  std::optional<AutoOrDuration> tcp_fins_seen;          // Auto
  std::optional<AutoOrDuration> tcp_reset_seen;         // 40s
  std::optional<AutoOrDuration> udp_timeout;            // 60s
  std::optional<AutoOrDuration> generic_timeout;        // 10m
  std::optional<AutoOrDuration> icmp_timeout;           // 5s

  friend bool operator==(const BpfConntrackTimeouts&, const BpfConntrackTimeouts&) = default;
};

struct FelixBpf {
  std::optional<bool> bpf_enabled;               // false
  std::optional<BpfAttachType> bpf_attach_type;  // Netkit
  std::string bpf_data_iface_pattern;            // ^((en|wl|ww|sl|ib)[Popsx].*|(eth|wlan|wwan|bond).*)
  std::string bpf_l3_iface_pattern;
  std::string bpf_disable_gro_for_ifaces;
  std::optional<BpfConnectTimeLoadBalancing> bpf_connect_time_load_balancing;  // TCP
  std::optional<bool> bpf_connect_time_load_balancing_enabled;                 // true
  std::optional<Switch> bpf_host_networked_nat_without_ctlb;                   // Enabled
  std::optional<BpfServiceMode> bpf_external_service_mode;                     // Tunnel
  std::vector<IpPrefix> bpf_dsr_optout_cidrs;
  std::vector<IpPrefix> bpf_exclude_cidrs_from_nat;
  std::optional<std::uint32_t> bpf_ext_to_service_connmark;     // 0
  std::optional<BpfRpfMode> bpf_enforce_rpf;                    // Loose
  std::optional<BpfConntrackMode> bpf_conntrack_mode;           // Auto
  std::optional<BpfConntrackLogLevel> bpf_conntrack_log_level;  // Off
  std::optional<BpfConntrackTimeouts> bpf_conntrack_timeouts;
  std::optional<bool> bpf_host_conntrack_bypass;                                // false
  std::optional<std::vector<std::string>> bpf_force_track_packets_from_ifaces;  // docker+
  std::optional<std::int32_t> bpf_map_size_conntrack;                           // 512000
  std::optional<std::int32_t> bpf_map_size_per_cpu_conntrack;                   // 0
  std::optional<BpfMapScaling> bpf_map_size_conntrack_scaling;                  // DoubleIfFull
  std::optional<std::int32_t> bpf_map_size_conntrack_cleanup_queue;             // 100000
  std::optional<std::int32_t> bpf_map_size_nat_frontend;                        // 65536
  std::optional<std::int32_t> bpf_map_size_nat_backend;                         // 262144
  std::optional<std::int32_t> bpf_map_size_nat_affinity;                        // 65536
  std::optional<std::int32_t> bpf_map_size_route;                               // 262144
  std::optional<std::int32_t> bpf_map_size_ip_sets;                             // 1048576
  std::optional<std::int32_t> bpf_map_size_if_state;                            // 1000
  std::optional<Duration> bpf_kube_proxy_min_sync_period;                       // 1s
  std::optional<Port> bpf_kube_proxy_healthz_port;                              // 10256
  std::optional<bool> bpf_kube_proxy_iptables_cleanup_enabled;                  // true
  std::optional<PortRange> bpf_psnat_ports;                                     // 20000:29999
  std::optional<BpfRedirectToPeer> bpf_redirect_to_peer;                        // Enabled
  std::optional<std::int32_t> bpf_maglev_max_services;                          // 100
  std::optional<std::int32_t> bpf_maglev_max_endpoints_per_service;             // 100
  std::optional<bool> bpf_ip_fragment_reassembly_enabled;                       // true
  std::optional<Duration> bpf_ip_frag_timeout;
  std::optional<BpfOverlayHostSource> bpf_overlay_host_source_ip;  // TunnelAddress
  std::optional<bool> bpf_policy_debug_enabled;                    // true
  std::optional<Switch> bpf_profiling;                             // Disabled
  std::optional<BpfLogLevel> bpf_log_level;                        // Off
  StringMap bpf_log_filters;
  std::string bpf_ctlb_log_filter;
  std::optional<std::int32_t> bpf_export_buffer_size_mb;  // 1
  std::optional<bool> bpf_disable_unprivileged;           // true
  std::optional<BpfJitHardening> bpf_jit_hardening;       // Auto
  std::string cgroup_v2_path;

  friend bool operator==(const FelixBpf&, const FelixBpf&) = default;
};

}  // namespace margay::model
