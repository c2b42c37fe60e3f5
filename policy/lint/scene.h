// Scene: the endpoints and network sets of a world with everything that selectors see of them, for the checks.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "datastore/selector/selector.h"
#include "policy/question/cluster.h"

namespace margay::policy {

struct SceneEndpoint {
  ObjectKey key;
  std::string name;  // "shop/web"
  StringMap labels;  // with what it inherits
  std::vector<IpAddress> addresses;
  std::vector<model::WorkloadEndpointPort> ports;
};

struct SceneSet {
  ObjectKey key;
  StringMap labels;
};

class Scene {
 public:
  explicit Scene(const Cluster& cluster);

  [[nodiscard]] const Cluster& cluster() const { return cluster_; }
  [[nodiscard]] const World& world() const { return cluster_.world(); }
  [[nodiscard]] const std::vector<SceneEndpoint>& endpoints() const { return endpoints_; }
  // By index into endpoints(), sorted.
  [[nodiscard]] std::vector<std::size_t> matches_of(const selector::Selector& selector) const;
  [[nodiscard]] bool matches_a_set(const selector::Selector& selector) const;
  // Namespaces that are there, or that something is in.
  [[nodiscard]] const std::set<std::string>& namespaces() const { return namespaces_; }

 private:
  void collect_profiles();
  void collect_endpoints();
  void collect_sets();
  [[nodiscard]] StringMap inherited(const StringMap& own, const std::vector<std::string>& profiles) const;

  const Cluster& cluster_;
  std::map<std::string, StringMap> profiles_;
  std::vector<SceneEndpoint> endpoints_;
  std::vector<SceneSet> sets_;
  std::set<std::string> namespaces_;
};

// "3 pods, such as shop/web"
std::string some_of(const Scene& scene, const std::vector<std::size_t>& endpoints);

}  // namespace margay::policy
