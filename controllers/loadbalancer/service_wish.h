// ServiceWish: what a Service of type LoadBalancer wants of us, as Calico reads it. Pure.
//
// Ours are those of class "calico"; of those without a class all (assignIPs AllServices), or those with an annotation
// that asks (RequestedServicesOnly). Which addresses, the first that says something:
//   projectcalico.org/loadBalancerIPs   ["10.1.0.7"], at most one of each family
//   spec.loadBalancerIP
//   projectcalico.org/ipv4pools, ipv6pools   names or CIDRs of pools, in order of preference
//   pools for the use LoadBalancer that select the Service's namespace and are not Manual
// The latter two give one address for each of spec.ipFamilies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/core/string_map.h"
#include "base/ip/address.h"
#include "cni/ipam/pools.h"
#include "datastore/model/controllers_configuration.h"
#include "datastore/model/service.h"

namespace margay::controllers {

struct AddressWish {
  IpFamily family = IpFamily::kV4;
  std::optional<IpAddress> address{};    // this one
  std::vector<ipam::PoolRange> pools{};  // of these; empty: none can be had
  std::vector<IpPrefix> kept{};          // where one that the Service has may stay: a pool that gives no new ones, too
  friend bool operator==(const AddressWish&, const AddressWish&) = default;

  [[nodiscard]] bool accepts(const IpAddress& held) const;
};

struct ServiceWish {
  bool is_ours = false;
  std::vector<AddressWish> addresses{};
  std::string problem{};  // what cannot be honoured, for people; then what the Service has stays
};

struct ServiceView {
  const model::Service& service;
  const std::vector<const model::IpPool*>& pools;  // all
  const StringMap& namespace_labels;
  model::AssignIps assign = model::AssignIps::kAllServices;
};
ServiceWish wish_of(const ServiceView& view);

// "lb-…": as in a Calico cluster, so that what it gave is known again. It changes with the Service's UID.
std::string service_handle(const model::ObjectMeta& service);

// Some pool for this use has it.
bool is_load_balancer_address(const std::vector<const model::IpPool*>& pools, const IpAddress& address);

}  // namespace margay::controllers
