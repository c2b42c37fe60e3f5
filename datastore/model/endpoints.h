// What policy applies to and refers to (projectcalico.org/v3): HostEndpoint, WorkloadEndpoint, NetworkSet,
// GlobalNetworkSet, Profile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/string_map.h"
#include "base/ip/address.h"
#include "base/ip/mac.h"
#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "datastore/model/meta.h"
#include "datastore/model/rule.h"
#include "datastore/model/values.h"

namespace margay::model {

struct NetworkSetSpec {
  std::vector<IpPrefix> nets;

  friend bool operator==(const NetworkSetSpec&, const NetworkSetSpec&) = default;
};

struct NetworkSet {
  static constexpr Kind kKind = Kind::kNetworkSet;

  ObjectMeta metadata;
  NetworkSetSpec spec;
  ConditionsStatus status;

  friend bool operator==(const NetworkSet&, const NetworkSet&) = default;
};

struct GlobalNetworkSet {
  static constexpr Kind kKind = Kind::kGlobalNetworkSet;

  ObjectMeta metadata;
  NetworkSetSpec spec;
  ConditionsStatus status;

  friend bool operator==(const GlobalNetworkSet&, const GlobalNetworkSet&) = default;
};

struct ProfileSpec {
  std::vector<Rule> ingress;
  std::vector<Rule> egress;
  StringMap labels_to_apply;  // endpoints with the profile inherit them

  friend bool operator==(const ProfileSpec&, const ProfileSpec&) = default;
};

struct Profile {
  static constexpr Kind kKind = Kind::kProfile;

  ObjectMeta metadata;
  ProfileSpec spec;

  friend bool operator==(const Profile&, const Profile&) = default;
};

// A named port of an endpoint.
struct EndpointPort {
  std::string name;
  Protocol protocol;
  Port port;

  friend bool operator==(const EndpointPort&, const EndpointPort&) = default;
};

struct HostEndpointSpec {
  std::string node;
  std::string interface_name;  // "*": all of the host's; "": found by expected_ips
  std::vector<IpAddress> expected_ips;
  std::vector<std::string> profiles;
  std::vector<EndpointPort> ports;

  friend bool operator==(const HostEndpointSpec&, const HostEndpointSpec&) = default;
};

struct HostEndpoint {
  static constexpr Kind kKind = Kind::kHostEndpoint;

  ObjectMeta metadata;
  HostEndpointSpec spec;
  ConditionsStatus status;

  friend bool operator==(const HostEndpoint&, const HostEndpoint&) = default;
};

// One-to-one NAT of an address of the workload.
struct IpNat {
  IpAddress internal_ip;
  IpAddress external_ip;

  friend bool operator==(const IpNat&, const IpNat&) = default;
};

struct WorkloadEndpointPort {
  std::string name;  // may be empty when host_port is given
  Protocol protocol;
  Port port;
  Port host_port;                    // 0: none
  std::optional<IpAddress> host_ip;  // all of the host's

  friend bool operator==(const WorkloadEndpointPort&, const WorkloadEndpointPort&) = default;
};

// Limits for one direction; absent: none.
struct QosDirection {
  std::optional<std::int64_t> bandwidth;     // bit/s
  std::optional<std::int64_t> burst;         // bit
  std::optional<std::int64_t> peakrate;      // bit/s
  std::optional<std::int64_t> minburst;      // bytes
  std::optional<std::int64_t> packet_rate;   // packets/s
  std::optional<std::int64_t> packet_burst;  // packets
  std::optional<std::int64_t> max_connections;

  friend bool operator==(const QosDirection&, const QosDirection&) = default;
};

struct QosControls {
  QosDirection ingress;  // in objects ingressBandwidth, …
  QosDirection egress;   // in objects egressBandwidth, …
  std::optional<Dscp> dscp;

  friend bool operator==(const QosControls&, const QosControls&) = default;
};

struct WorkloadEndpointSpec {
  std::string orchestrator;  // k8s, cni, libnetwork, openstack
  std::string workload;
  std::string node;
  std::string container_id;
  std::string pod;
  std::string endpoint;  // eth0
  std::string service_account_name;
  std::vector<IpPrefix> ip_networks;  // single addresses
  std::vector<IpNat> ip_nats;
  std::optional<IpAddress> ipv4_gateway;
  std::optional<IpAddress> ipv6_gateway;
  std::vector<std::string> profiles;
  std::string interface_name;  // on the host
  std::optional<Mac> mac;
  std::vector<WorkloadEndpointPort> ports;
  std::vector<IpPrefix> allow_spoofed_source_prefixes;
  std::optional<QosControls> qos_controls;

  friend bool operator==(const WorkloadEndpointSpec&, const WorkloadEndpointSpec&) = default;
};

struct WorkloadEndpoint {
  static constexpr Kind kKind = Kind::kWorkloadEndpoint;

  ObjectMeta metadata;
  WorkloadEndpointSpec spec;

  friend bool operator==(const WorkloadEndpoint&, const WorkloadEndpoint&) = default;
};

}  // namespace margay::model
