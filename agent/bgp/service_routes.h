// ServiceRoutes: which service addresses this node tells its BGP peers of.
//
//   range of BGPConfiguration                                told by
//   serviceClusterIPs, serviceExternalIPs                    every node, as a whole
//   serviceLoadBalancerIPs, aggregation Enabled, no host     every node, as a whole
//   serviceLoadBalancerIPs, Disabled, or a single address    every node, each service's address alone
//   any, externalTrafficPolicy Local                         besides: nodes with a ready endpoint, the address alone
//
// Nodes labelled node.kubernetes.io/exclude-from-external-load-balancers tell of none. Addresses outside of all ranges
// are not told. Pure; costs the services that changed. Source: Calico's documentation "Advertise Kubernetes service IP
// addresses".
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/bgp/bgp_settings.h"
#include "base/ip/prefix.h"
#include "datastore/model/key.h"
#include "datastore/model/service.h"

namespace margay::agent {

class ServiceRoutes {
 public:
  explicit ServiceRoutes(std::string node) : node_(std::move(node)) {}

  // nullptr: absent.
  void set_service(const model::ObjectKey& key, const std::shared_ptr<const model::Service>& service);
  void set_slice(const model::ObjectKey& key, const std::shared_ptr<const model::EndpointSlice>& slice);
  void set_settings(const BgpSettings& settings, bool advertises);

  // True if prefixes() changed.
  bool update();
  // Whole ranges and single addresses, each once.
  [[nodiscard]] const std::map<IpPrefix, std::size_t>& prefixes() const { return prefixes_; }

 private:
  using Name = std::pair<std::string, std::string>;  // namespace, name
  struct Facts {
    bool is_local = false;  // externalTrafficPolicy
    bool has_load_balancer = false;
    std::vector<IpAddress> cluster_ips, external_ips, load_balancer_ips;
    friend bool operator==(const Facts&, const Facts&) = default;
  };
  struct Slice {
    Name service;
    bool has_ready_endpoint = false;  // on this node
    friend bool operator==(const Slice&, const Slice&) = default;
  };

  static Facts facts_of(const model::Service& service);
  [[nodiscard]] Slice slice_of(const model::ObjectKey& key, const model::EndpointSlice& slice) const;
  [[nodiscard]] bool has_ready_endpoint(const Name& service) const;
  [[nodiscard]] std::set<IpPrefix> wanted_of(const Name& service) const;
  void replace(std::set<IpPrefix>& before, std::set<IpPrefix> after);
  void forget_slice(const Name& key);

  std::string node_;
  std::map<Name, Facts> services_;
  std::map<Name, Slice> slices_;
  std::map<Name, std::set<Name>> slices_of_;
  std::map<Name, std::set<IpPrefix>> told_;  // of each service
  std::set<IpPrefix> told_ranges_;
  std::map<IpPrefix, std::size_t> prefixes_;  // how many want it
  std::set<Name> dirty_;
  bool is_all_dirty_ = true;
  bool has_changed_ = false;
  bool advertises_ = false;
  std::vector<IpPrefix> cluster_ranges_, external_ranges_, load_balancer_ranges_;
  bool aggregates_ = true;
};

}  // namespace margay::agent
