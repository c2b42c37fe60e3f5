// The part of FelixConfiguration (projectcalico.org/v3) about iptables, nftables and IP sets. A comment is the default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "base/ip/port.h"
#include "datastore/model/enum.h"
#include "datastore/model/felix_values.h"

namespace margay::model {

struct FelixNetfilter {
  std::optional<IptablesBackend> iptables_backend;               // Auto
  std::optional<NftablesMode> nftables_mode;                     // Auto
  std::optional<ChainInsertMode> chain_insert_mode;              // Insert
  std::optional<std::uint32_t> iptables_mark_mask;               // 0xffff0000
  std::optional<std::uint32_t> nftables_mark_mask;               // 0xffff0000
  std::optional<AllowAction> iptables_filter_allow_action;       // Accept
  std::optional<AllowAction> iptables_mangle_allow_action;       // Accept
  std::optional<DenyAction> iptables_filter_deny_action;         // Drop
  std::optional<AllowAction> nftables_filter_allow_action;       // Accept
  std::optional<AllowAction> nftables_mangle_allow_action;       // Accept
  std::optional<DenyAction> nftables_filter_deny_action;         // Drop
  std::optional<Duration> iptables_refresh_interval;             // 180s
  std::optional<Duration> nftables_refresh_interval;             // 180s
  std::optional<Duration> ipsets_refresh_interval;               // 90s
  std::optional<Duration> iptables_post_write_check_interval;    // 5s
  std::optional<Duration> iptables_lock_probe_interval;          // 50ms
  std::optional<std::int32_t> max_ipset_size;                    // 1048576
  std::optional<std::vector<PortRange>> kube_node_port_ranges;   // 30000:32767
  std::optional<ServiceLoopPrevention> service_loop_prevention;  // Drop
  std::optional<bool> disable_conntrack_invalid_check;           // false
  std::string log_prefix;                                        // calico-packet
  std::string log_action_rate_limit;
  std::optional<std::int32_t> log_action_rate_limit_burst;      // 5
  std::optional<FlowTableOffload> nftables_flow_table_offload;  // Disabled
  std::string nftables_flow_table_data_iface_pattern;
  std::optional<bool> xdp_enabled;               // true
  std::optional<bool> generic_xdp_enabled;       // false
  std::optional<Duration> xdp_refresh_interval;  // 90s

  friend bool operator==(const FelixNetfilter&, const FelixNetfilter&) = default;
};

}  // namespace margay::model
