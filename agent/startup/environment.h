// Environment: what calico/node's variables say, so that manifests work as they are.
//
// NODENAME, IP, IP6, IP_AUTODETECTION_METHOD, IP6_AUTODETECTION_METHOD, AS, CALICO_ROUTER_ID, CALICO_K8S_NODE_REF,
// CALICO_NETWORKING_BACKEND, CALICO_IPV4POOL_*, CALICO_IPV6POOL_*, NO_DEFAULT_POOLS, DISABLE_NODE_IP_CHECK,
// AUTODETECT_POLL_INTERVAL, WAIT_FOR_DATASTORE, CLUSTER_TYPE, CALICO_STARTUP_LOGLEVEL, CALICO_MANAGE_CNI.
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/startup/autodetection.h"
#include "base/core/time.h"
#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "datastore/model/ip_pool.h"

namespace margay::startup {

// IP and IP6.
struct AddressChoice {
  enum class Kind : std::uint8_t {
    kAutodetect,  // "autodetect", or IP not given
    kGiven,       // an address, with or without a length
    kKeep,        // IP6 not given: what the Node object has already, if it is on the host
    kNone,        // "none": the node has no address of the family
  };
  Kind kind = Kind::kAutodetect;
  std::optional<InterfaceAddress> given{};
  bool has_length = false;  // of `given`; otherwise that of the interface is taken
  Method method{};
};

// CALICO_IPV4POOL_*, CALICO_IPV6POOL_*; absent: not said.
struct PoolChoice {
  std::optional<IpPrefix> cidr{};
  bool is_none = false;  // CIDR "none": no pool of the family is wanted
  model::EncapMode ipip = model::EncapMode::kNever;
  model::EncapMode vxlan = model::EncapMode::kNever;
  std::optional<int> block_size{};
  bool nat_outgoing = true;
  std::string node_selector = "all()";
  bool disable_bgp_export = false;
};

enum class NetworkingBackend : std::uint8_t { kBgp, kVxlan, kNone };

struct Environment {
  std::string node_name;  // NODENAME, else HOSTNAME, lower case
  AddressChoice ipv4;
  AddressChoice ipv6{.kind = AddressChoice::Kind::kKeep};
  std::optional<Asn> as_number;
  std::string router_id;  // CALICO_ROUTER_ID: an identifier, "hash", or ""
  std::string k8s_node_ref;
  NetworkingBackend backend = NetworkingBackend::kBgp;
  PoolChoice pool_v4{.ipip = model::EncapMode::kAlways};
  PoolChoice pool_v6{.nat_outgoing = false};
  bool no_default_pools = false;
  bool checks_node_ip = true;                         // DISABLE_NODE_IP_CHECK
  Duration poll_interval = std::chrono::seconds(60);  // AUTODETECT_POLL_INTERVAL
  bool waits_for_datastore = false;
  std::vector<std::string> cluster_type;
  std::string log_level;
  bool manages_cni = true;

  // What could not be read, with the variable and what is used instead: "IP: …; it is autodetected".
  std::vector<std::string> problems;
};

Environment read_environment(const std::map<std::string, std::string>& variables);

// The variables of this process.
std::map<std::string, std::string> process_environment();

}  // namespace margay::startup
