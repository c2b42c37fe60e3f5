// The part of FelixConfiguration (projectcalico.org/v3) about interfaces and the host. A comment is the default.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "datastore/model/enum.h"
#include "datastore/model/felix_values.h"

namespace margay::model {

struct FelixHost {
  std::string interface_prefix;                        // cali
  std::string interface_exclude;                       // kube-ipvs0
  std::optional<Duration> interface_refresh_interval;  // 90s
  std::string mtu_iface_pattern;                       // ^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)
  std::optional<bool> require_mtu_file;                // false
  std::string endpoint_status_path_prefix;             // /var/run/calico
  std::optional<bool> ipv6_support;                    // true
  std::optional<Switch> ip_forwarding;                 // Enabled
  std::optional<EndpointToHostAction> default_endpoint_to_host_action;  // Drop
  // tcp 22, udp 68, tcp 179, 2379, 2380, 5473, 6443, 6666, 6667
  std::optional<std::vector<ProtoPort>> failsafe_inbound_host_ports;
  // udp 53, udp 67, tcp 179, 2379, 2380, 5473, 6443, 6666, 6667
  std::optional<std::vector<ProtoPort>> failsafe_outbound_host_ports;
  std::optional<SourceSpoofing> workload_source_spoofing;  // Disabled
  std::optional<bool> allow_vxlan_packets_from_workloads;  // false
  std::optional<bool> allow_ipip_packets_from_workloads;   // false
  std::optional<std::vector<IpPrefix>> external_nodes_list;
  std::optional<Switch> floating_ips;                   // Disabled
  std::optional<AwsSrcDstCheck> aws_src_dst_check;      // DoNothing
  std::optional<Duration> netlink_timeout;              // 10s
  std::optional<bool> sidecar_acceleration_enabled;     // false
  std::optional<Switch> windows_manage_firewall_rules;  // Disabled

  friend bool operator==(const FelixHost&, const FelixHost&) = default;
};

}  // namespace margay::model
