// Settings: what FelixConfiguration says about rules, with every default in its place and every word checked, so that
// no text of a user reaches a rule unseen. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/render/inputs.h"
#include "agent/render/marks.h"
#include "base/core/field_error.h"
#include "base/ip/address.h"
#include "base/ip/port.h"
#include "datastore/model/felix_configuration.h"

namespace margay::render {

// A port of the host that no policy closes.
struct Failsafe {
  std::string protocol;  // as iptables has it: "tcp"
  Port port;
  std::optional<IpPrefix> net;  // of the other end; any

  friend bool operator==(const Failsafe&, const Failsafe&) = default;
};

struct Settings {
  KernelFeatures features;
  bool has_ipv6 = true;
  Marks marks;
  std::vector<std::string> workload_prefixes;  // of the names of workloads' interfaces; at least one
  bool drops_invalid = true;
  bool rejects = false;  // denied packets of the filter table; else they are dropped
  model::AllowAction filter_allow = model::AllowAction::kAccept;
  model::AllowAction mangle_allow = model::AllowAction::kAccept;
  model::EndpointToHostAction endpoint_to_host = model::EndpointToHostAction::kDrop;
  model::ServiceLoopPrevention service_loop = model::ServiceLoopPrevention::kDrop;
  std::string log_prefix;
  std::string log_limit;  // "-m limit …" or ""
  std::vector<Failsafe> failsafe_in;
  std::vector<Failsafe> failsafe_out;
  std::string node_ports;        // "30000:32767,…", as multiport has them; "" is none
  bool allows_spoofing = false;  // by workloads that name the sources they need
  bool allows_vxlan = false;     // from workloads
  bool allows_ipip = false;
  Port vxlan_port;
  std::uint32_t vxlan_vni = 4096;
  std::set<IpPrefix> external_nodes;  // no nodes of the cluster, but what comes from them tunnelled is let in as well
  std::optional<IpAddress> nat_address;
  std::optional<PortRange> nat_ports;
  bool is_nat_to_hosts_excluded = false;
  std::string nat_interface;  // "" is any
};

// Those that have tables.
std::vector<IpFamily> families(const Settings& settings);

// What cannot be used counts as absent, and is reported with the field.
Settings settings_of(const model::FelixConfigurationSpec& spec, const KernelFeatures& features, FieldErrors& problems);

}  // namespace margay::render
