// TunnelPlanner: pools, nodes and blocks in, the plan of this node's tunnels and remote routes out.
//
//   apply(PlanInput)… ─▶ what each prefix's node is, how its pool is carried ─▶ flush(): PlanDelta
//
// Pure, one thread. flush() costs what changed: a Node is its own prefixes.
//
// Invariants
//   1. The same objects in any order give the same plan.
//   2. A prefix whose node, address or tunnel address is not known has no route: nothing is guessed.
//      A node that has not told the address of its tunnel is reached by the other tunnel or on our own link meanwhile:
//      its device is not there yet. Between subnets IP-in-IP, which needs no address of the other's device, is tried.
//   3. CrossSubnet compares with the real prefix length of our own address: 192.0.2.1/32 shares its subnet with nobody.
// Source: projectcalico.org/v3 IPPool, Calico's documentation "Overlay networking".
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>

#include "base/core/field_error.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"
#include "datastore/model/key.h"
#include "datastore/model/kubernetes.h"
#include "ipip/plan/plan.h"

namespace margay::ipip {

template <class T>
using Shared = std::shared_ptr<const T>;

// monostate: absent.
struct PlanInput {
  model::ObjectKey key;
  std::variant<std::monostate, Shared<model::IpPool>, Shared<model::Node>, Shared<model::IpamBlock>> value;
};

// Which routes come from the plan rather than from BGP; those of VXLAN pools always do.
struct PlannedRoutes {
  bool ipip = false;   // of IPIP pools, same subnet included
  bool plain = false;  // of pools without encapsulation, to nodes of our own subnet
  friend bool operator==(const PlannedRoutes&, const PlannedRoutes&) = default;
};

class TunnelPlanner {
 public:
  explicit TunnelPlanner(std::string node, PlannedRoutes planned = {});
  ~TunnelPlanner();
  TunnelPlanner(const TunnelPlanner&) = delete;
  TunnelPlanner& operator=(const TunnelPlanner&) = delete;

  void apply(const PlanInput& input);
  // FelixConfiguration.programClusterRoutes, BGP switched off or on.
  void set_planned(PlannedRoutes planned);
  PlanDelta flush();

  // Of the other nodes, by their addresses.
  [[nodiscard]] std::map<IpAddress, std::string> node_names() const;
  // Annotations of nodes that cannot be read and count as absent.
  [[nodiscard]] const std::map<model::ObjectKey, FieldErrors>& problems() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::ipip
