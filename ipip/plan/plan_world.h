// Objects for tests of the planner, short to write. Not part of any library.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/text.h"
#include "ipip/plan/planner.h"

namespace margay::ipip {

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
inline IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }

inline PlanInput absent(model::Kind kind, const std::string& name) { return {{kind, "", name}, std::monostate{}}; }

inline PlanInput pool(std::string_view cidr, model::EncapMode ipip, model::EncapMode vxlan) {
  auto object = std::make_shared<model::IpPool>();
  object->metadata.name = std::string(cidr);
  object->spec.cidr = net(cidr);
  object->spec.ipip_mode = ipip;
  object->spec.vxlan_mode = vxlan;
  return {{model::Kind::kIpPool, "", object->metadata.name}, Shared<model::IpPool>(std::move(object))};
}

// Annotations without "projectcalico.org/".
inline PlanInput node(const std::string& name, const std::map<std::string, std::string>& annotations) {
  auto object = std::make_shared<model::Node>();
  object->metadata.name = name;
  for (const auto& [key, value] : annotations) {
    object->metadata.annotations.set(concat("projectcalico.org/", key), value);
  }
  return {{model::Kind::kNode, "", name}, Shared<model::Node>(std::move(object))};
}

// `given`: ordinal to node.
inline PlanInput block(std::string_view cidr, const std::string& owner, const std::map<int, std::string>& given = {}) {
  auto object = std::make_shared<model::IpamBlock>();
  object->metadata.name = std::string(cidr);
  model::IpamBlockSpec& spec = object->spec;
  spec.cidr = net(cidr);
  if (!owner.empty()) spec.affinity = model::BlockOwner{model::AffinityType::kHost, owner};
  spec.allocations.resize(64);
  for (const auto& [ordinal, holder] : given) {
    spec.allocations[static_cast<std::size_t>(ordinal)] = static_cast<std::int32_t>(spec.attributes.size());
    model::AllocationAttribute attribute;
    attribute.active_owner.set("node", holder);
    spec.attributes.push_back(std::move(attribute));
  }
  return {{model::Kind::kIpamBlock, "", object->metadata.name}, Shared<model::IpamBlock>(std::move(object))};
}

// What the deltas so far come to.
struct PlanState {
  std::map<IpPrefix, RemoteRoute> routes;
  std::map<VtepKey, Vtep> vteps;
  std::set<IpPrefix> local_blocks;
  std::set<IpAddress> ipip_peers, vxlan_peers;
  LocalTunnels local;
  LearnedRule rule;
  friend bool operator==(const PlanState&, const PlanState&) = default;

  void apply(const PlanDelta& delta) {
    const auto put = [](auto& map, const auto& changes) {
      for (const auto& [key, value] : changes) {
        if (value) {
          map.insert_or_assign(key, *value);
        } else {
          map.erase(key);
        }
      }
    };
    put(routes, delta.routes);
    put(vteps, delta.vteps);
    for (const auto& [prefix, is_ours] : delta.local_blocks) {
      if (is_ours) {
        local_blocks.insert(prefix);
      } else {
        local_blocks.erase(prefix);
      }
    }
    const auto change = [](std::set<IpAddress>& set, const PeerChange& peers) {
      for (const IpAddress& address : peers.removed) set.erase(address);
      set.insert(peers.added.begin(), peers.added.end());
    };
    change(ipip_peers, delta.ipip_peers);
    change(vxlan_peers, delta.vxlan_peers);
    if (delta.local) local = *delta.local;
    if (delta.learned_rule) rule = *delta.learned_rule;
  }

  [[nodiscard]] std::vector<std::string> route_lines() const {
    std::vector<std::string> out;
    for (const auto& [prefix, route] : routes) {
      out.push_back(
          concat(prefix.to_string(), " ", to_string(route.carrier), " ", route.gateway.to_string(), " ", route.node));
    }
    return out;
  }
};

}  // namespace margay::ipip
