// Networks: what the dataplane must know of IPPools, BlockAffinities and BGPConfiguration besides policy: pools (NAT),
// this node's blocks (blackholes) and advertised service addresses (service loop prevention).
// Pure; level-based; costs what there is of pools and blocks when something changed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/render/iptables_renderer.h"
#include "base/ip/prefix.h"
#include "datastore/model/bgp_configuration.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"
#include "datastore/model/key.h"

namespace margay::agent {

class Networks {
 public:
  explicit Networks(std::string node) : node_(std::move(node)) {}

  // Null: gone.
  void set_pool(const model::ObjectKey& key, std::shared_ptr<const model::IpPool> pool);
  void set_affinity(const model::ObjectKey& key, const std::shared_ptr<const model::BlockAffinity>& affinity);
  void set_configuration(const model::ObjectKey& key, std::shared_ptr<const model::BgpConfiguration> configuration);

  struct Change {
    std::optional<render::NodeNetworks> networks;
    std::optional<std::set<IpPrefix>> own_blocks;
  };
  // What is other than at the last call; all of it the first time.
  Change take();

 private:
  [[nodiscard]] render::NodeNetworks networks() const;

  std::string node_;
  std::map<model::ObjectKey, std::shared_ptr<const model::IpPool>> pools_;
  std::map<model::ObjectKey, IpPrefix> blocks_;  // of this node, confirmed
  std::map<model::ObjectKey, std::shared_ptr<const model::BgpConfiguration>> configurations_;
  std::optional<render::NodeNetworks> told_networks_;
  std::optional<std::set<IpPrefix>> told_blocks_;
  bool is_dirty_ = true;
};

}  // namespace margay::agent
