// ClusterObjects: what the calculation keeps of the objects it was given, and which peers must be thought over again
// because of a change. Pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/bgp/bgp_input.h"
#include "agent/bgp/bgp_settings.h"
#include "agent/bgp/export_rules.h"
#include "agent/bgp/filter_chains.h"
#include "agent/bgp/node_facts.h"
#include "agent/bgp/own_prefixes.h"
#include "agent/bgp/peer_maker.h"
#include "agent/bgp/peer_object.h"
#include "agent/bgp/service_routes.h"

namespace margay::agent {

// What is due; everything to begin with.
struct Dirty {
  bool all = true;    // every peer, settings, export rules, services
  bool nodes = true;  // peers of every node
  bool pools = true;
  std::set<std::string> node_names;
  std::set<std::string> peer_names;
};

class ClusterObjects {
 public:
  ClusterObjects(std::string node, std::string secret_namespace);

  void apply(const BgpInput& input);

  [[nodiscard]] const NodeFacts* own() const;          // nullptr: not known
  [[nodiscard]] std::vector<PoolFacts> pools() const;  // by prefix
  [[nodiscard]] std::vector<const LocalWorkload*> workloads() const;
  void add_problems(Problems& to) const;

  const std::string node;
  std::map<std::string, NodeFacts> nodes;
  std::map<IpAddress, std::set<std::string>> node_of;
  std::map<std::string, PeerObject> peers;
  std::map<std::string, std::shared_ptr<const model::Secret>> secrets;
  BgpConfigurations configurations;
  FilterChains chains;
  OwnPrefixes prefixes;
  ServiceRoutes services;
  Dirty dirty;

 private:
  void set_node(const std::string& name, const Shared<model::Node>& object);
  void set_configuration(const std::string& name, const Shared<model::BgpConfiguration>& object);
  void set_peer(const std::string& name, const Shared<model::BgpPeer>& object);
  void set_filter(const std::string& name, const Shared<model::BgpFilter>& object);
  void set_secret(const model::ObjectKey& key, const Shared<model::Secret>& object);
  void set_pool(const std::string& name, const Shared<model::IpPool>& object);
  void set_workload(const model::ObjectKey& key, const Shared<model::WorkloadEndpoint>& object);
  [[nodiscard]] bool is_password(const std::string& secret) const;
  void index(const std::string& name, const NodeFacts& facts);
  void unindex(const std::string& name, const NodeFacts& facts);
  void touch(const std::string& name, const NodeFacts& facts);

  std::string secret_namespace_;
  std::map<std::string, FieldErrors> node_errors_;
  std::map<std::string, PoolFacts> pools_;
  std::map<std::pair<std::string, std::string>, LocalWorkload> workloads_;
};

}  // namespace margay::agent
