// Service and EndpointSlice of Kubernetes, with only the fields that advertisement, policy and load balancing use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/string_map.h"
#include "base/ip/address.h"
#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "datastore/model/meta.h"
#include "datastore/model/values.h"

namespace margay::model {

// The address of a Service, or None for a headless one.
struct ClusterIp {
  std::optional<IpAddress> address;  // nullopt: None

  static Result<ClusterIp> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const ClusterIp&, const ClusterIp&) = default;
};

enum class ServiceType { kClusterIp, kNodePort, kLoadBalancer, kExternalName };
template <>
struct EnumText<ServiceType> {
  static constexpr std::string_view kWords[] = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"};
};

enum class ServiceIpFamily { kIpv4, kIpv6 };
template <>
struct EnumText<ServiceIpFamily> {
  static constexpr std::string_view kWords[] = {"IPv4", "IPv6"};
};

enum class TrafficPolicy { kCluster, kLocal };
template <>
struct EnumText<TrafficPolicy> {
  static constexpr std::string_view kWords[] = {"Cluster", "Local"};
};

enum class SessionAffinity { kNone, kClientIp };
template <>
struct EnumText<SessionAffinity> {
  static constexpr std::string_view kWords[] = {"None", "ClientIP"};
};

struct ServicePort {
  std::string name;
  std::optional<Protocol> protocol;  // TCP
  Port port;
  std::optional<PortOrName> target_port;  // port
  Port node_port;                         // 0: none

  friend bool operator==(const ServicePort&, const ServicePort&) = default;
};

struct ServiceSpec {
  ServiceType type = ServiceType::kClusterIp;
  StringMap selector;  // labels of the pods behind it; empty: somebody else keeps its endpoints
  std::optional<ClusterIp> cluster_ip;
  std::vector<ClusterIp> cluster_ips;        // cluster_ip, and that of the other family
  std::vector<ServiceIpFamily> ip_families;  // in order of preference; Kubernetes fills it in
  std::vector<IpAddress> external_ips;
  std::optional<IpAddress> load_balancer_ip;
  std::string load_balancer_class;
  std::vector<IpPrefix> load_balancer_source_ranges;
  TrafficPolicy external_traffic_policy = TrafficPolicy::kCluster;
  TrafficPolicy internal_traffic_policy = TrafficPolicy::kCluster;
  SessionAffinity session_affinity = SessionAffinity::kNone;
  Port health_check_node_port;  // 0: none
  std::vector<ServicePort> ports;

  friend bool operator==(const ServiceSpec&, const ServiceSpec&) = default;
};

struct LoadBalancerIngress {
  std::optional<IpAddress> ip;
  std::string hostname;

  friend bool operator==(const LoadBalancerIngress&, const LoadBalancerIngress&) = default;
};

struct LoadBalancerStatus {
  std::vector<LoadBalancerIngress> ingress;

  friend bool operator==(const LoadBalancerStatus&, const LoadBalancerStatus&) = default;
};

struct ServiceStatus {
  LoadBalancerStatus load_balancer;

  friend bool operator==(const ServiceStatus&, const ServiceStatus&) = default;
};

struct Service {
  static constexpr Kind kKind = Kind::kService;

  ObjectMeta metadata;
  ServiceSpec spec;
  ServiceStatus status;

  friend bool operator==(const Service&, const Service&) = default;
};

enum class EndpointAddressType { kIpv4, kIpv6, kFqdn };
template <>
struct EnumText<EndpointAddressType> {
  static constexpr std::string_view kWords[] = {"IPv4", "IPv6", "FQDN"};
};

struct EndpointConditions {
  std::optional<bool> ready;        // true
  std::optional<bool> serving;      // ready
  std::optional<bool> terminating;  // false

  friend bool operator==(const EndpointConditions&, const EndpointConditions&) = default;
};

struct EndpointTarget {
  std::string kind;
  std::string name_space;
  std::string name;

  friend bool operator==(const EndpointTarget&, const EndpointTarget&) = default;
};

struct Endpoint {
  std::vector<std::string> addresses;  // names for kFqdn
  EndpointConditions conditions;
  std::string node_name;
  std::string zone;
  StringMap topology;  // v1beta1: labels of the node, among them what node_name and zone say in v1
  EndpointTarget target_ref;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct EndpointSlicePort {
  std::string name;
  std::optional<Protocol> protocol;  // TCP
  std::optional<Port> port;          // absent: all ports

  friend bool operator==(const EndpointSlicePort&, const EndpointSlicePort&) = default;
};

// Its service is named by the label kServiceNameLabel.
struct EndpointSlice {
  static constexpr Kind kKind = Kind::kEndpointSlice;

  ObjectMeta metadata;
  EndpointAddressType address_type = EndpointAddressType::kIpv4;
  std::vector<Endpoint> endpoints;
  std::vector<EndpointSlicePort> ports;

  friend bool operator==(const EndpointSlice&, const EndpointSlice&) = default;
};

// The node it is on; "" when it is not said.
inline std::string_view node_of(const Endpoint& endpoint) {
  return endpoint.node_name.empty() ? endpoint.topology.get("kubernetes.io/hostname") : endpoint.node_name;
}

inline constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";

}  // namespace margay::model
