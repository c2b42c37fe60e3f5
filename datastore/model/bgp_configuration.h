// BGPConfiguration (projectcalico.org/v3): how nodes speak BGP. The object "default" is for all nodes; "node.NAME"
// overrides it for one, field by field. An absent field leaves the matter to the wider object, then to the default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "base/ip/address.h"
#include "base/ip/asn.h"
#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "datastore/model/meta.h"
#include "datastore/model/values.h"

namespace margay::model {

enum class BgpBindMode { kNone, kNodeIp };
template <>
struct EnumText<BgpBindMode> {
  static constexpr std::string_view kWords[] = {"None", "NodeIP"};
};

// Addresses of services that are advertised.
struct ServiceAddressBlock {
  std::optional<IpPrefix> cidr;

  friend bool operator==(const ServiceAddressBlock&, const ServiceAddressBlock&) = default;
};

struct NamedCommunity {
  std::string name;
  Community value = Community::standard(0, 0);

  friend bool operator==(const NamedCommunity&, const NamedCommunity&) = default;
};

struct PrefixAdvertisement {
  IpPrefix cidr;                         // routes inside it
  std::vector<std::string> communities;  // names of `communities`, or values

  friend bool operator==(const PrefixAdvertisement&, const PrefixAdvertisement&) = default;
};

struct BgpConfigurationSpec {
  std::optional<LogSeverity> log_severity_screen;  // Info
  std::optional<bool> node_to_node_mesh_enabled;   // true
  std::optional<Asn> as_number;                    // 64512
  std::vector<ServiceAddressBlock> service_cluster_ips;
  std::vector<ServiceAddressBlock> service_external_ips;
  std::vector<ServiceAddressBlock> service_load_balancer_ips;
  std::optional<Switch> service_load_balancer_aggregation;  // Enabled: whole blocks; Disabled: each address alone
  std::vector<NamedCommunity> communities;
  std::vector<PrefixAdvertisement> prefix_advertisements;
  std::optional<Port> listen_port;                       // 179
  std::optional<SecretReference> node_mesh_password;     // only in "default"
  std::optional<Duration> node_mesh_max_restart_time;    // 120 s; only in "default"
  std::optional<BgpBindMode> bind_mode;                  // None: all addresses
  std::vector<std::string> ignored_interfaces;           // patterns with "*"
  std::optional<IpAddress> local_workload_peering_ipv4;  // the node's address towards its own workloads
  std::optional<IpAddress> local_workload_peering_ipv6;
  std::optional<ProgramClusterRoutes> program_cluster_routes;  // EnabledNoEncapOnly
  std::optional<std::int32_t> ipv4_normal_route_priority;      // kernel metric; 1024
  std::optional<std::int32_t> ipv6_normal_route_priority;      // 1024

  friend bool operator==(const BgpConfigurationSpec&, const BgpConfigurationSpec&) = default;
};

struct BgpConfiguration {
  static constexpr Kind kKind = Kind::kBgpConfiguration;

  ObjectMeta metadata;
  BgpConfigurationSpec spec;
  ConditionsStatus status;

  friend bool operator==(const BgpConfiguration&, const BgpConfiguration&) = default;
};

}  // namespace margay::model
