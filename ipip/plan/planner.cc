#include "ipip/plan/planner.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/ip/prefix_trie.h"
#include "ipip/plan/block_claims.h"
#include "ipip/plan/node_ends.h"

namespace margay::ipip {
namespace {

using model::EncapMode;
using Pool = LearnedRule::Pool;

constexpr IpFamily kBoth[] = {IpFamily::kV4, IpFamily::kV6};

template <class T>
const T* as(const PlanInput& input) {
  const auto* const object = std::get_if<Shared<T>>(&input.value);
  return object == nullptr ? nullptr : object->get();
}

}  // namespace

class TunnelPlanner::Impl {
 public:
  Impl(std::string node, PlannedRoutes planned) : node_(std::move(node)), planned_(planned) {}

  void apply(const PlanInput& input);
  void set_planned(PlannedRoutes planned) {
    is_all_dirty_ |= planned_ != planned;
    planned_ = planned;
  }
  PlanDelta flush();
  [[nodiscard]] const std::map<model::ObjectKey, FieldErrors>& problems() const { return problems_; }
  [[nodiscard]] std::map<IpAddress, std::string> node_names() const;

 private:
  void set_pool(const std::string& name, const model::IpPool* object);
  void set_node(const std::string& name, const model::Node* object);
  void count_peer(const NodeEnds& ends, int by);
  void touch_pool(const IpPrefix& cidr);
  [[nodiscard]] const NodeEnds* find(const std::string& node) const;
  [[nodiscard]] std::optional<RemoteRoute> route_to(const IpPrefix& prefix) const;
  [[nodiscard]] std::optional<RemoteRoute> carried(const Pool& pool, const std::string& node, const NodeEnds& ends,
                                                   IpFamily family) const;
  [[nodiscard]] std::optional<RemoteRoute> meanwhile(const RemoteRoute& plain, const NodeEnds& ends,
                                                     IpFamily family) const;
  [[nodiscard]] LocalTunnels local_tunnels() const;
  [[nodiscard]] std::vector<IpAddress> ipip_nodes() const;
  void flush_prefixes(PlanDelta& delta);
  void flush_nodes(PlanDelta& delta);
  void flush_peers(PlanDelta& delta);
  void flush_rule(PlanDelta& delta);

  const std::string node_;
  PlannedRoutes planned_;
  std::map<std::string, NodeEnds> nodes_;
  std::map<model::ObjectKey, FieldErrors> problems_;
  std::map<std::string, Pool> pools_;  // by name
  PrefixTrie<Pool> pool_of_;
  BlockClaims claims_;
  std::map<IpAddress, int> peers_;  // addresses of other nodes, and how many have each

  std::set<IpPrefix> dirty_prefixes_;
  std::set<std::string> dirty_nodes_;
  std::set<IpAddress> dirty_peers_;
  bool is_all_dirty_ = false;
  bool is_rule_dirty_ = true;

  // As last said.
  std::map<IpPrefix, RemoteRoute> routes_;
  std::map<VtepKey, Vtep> vteps_;
  std::set<IpPrefix> local_blocks_;
  std::set<IpAddress> told_peers_;
  std::optional<LocalTunnels> local_;
};

void TunnelPlanner::Impl::apply(const PlanInput& input) {
  const std::string& name = input.key.name;
  if (input.key.kind == model::Kind::kIpPool) return set_pool(name, as<model::IpPool>(input));
  if (input.key.kind == model::Kind::kNode) return set_node(name, as<model::Node>(input));
  if (input.key.kind != model::Kind::kIpamBlock) return;
  const auto* const block = as<model::IpamBlock>(input);
  claims_.set(name, block == nullptr ? nullptr : &block->spec, dirty_prefixes_);
}

void TunnelPlanner::Impl::touch_pool(const IpPrefix& cidr) {
  const auto& all = claims_.all();
  for (auto at = all.lower_bound(cidr); at != all.end() && cidr.contains(at->first); ++at) {
    dirty_prefixes_.insert(at->first);
  }
}

void TunnelPlanner::Impl::set_pool(const std::string& name, const model::IpPool* object) {
  const auto before = pools_.find(name);
  std::optional<Pool> after;
  if (object != nullptr) after = Pool{object->spec.cidr, object->spec.ipip_mode, object->spec.vxlan_mode};
  if (before == pools_.end() ? !after : before->second == after) return;
  is_rule_dirty_ = true;
  if (before != pools_.end()) {
    touch_pool(before->second.cidr);
    pools_.erase(before);
  }
  if (after) {
    touch_pool(after->cidr);
    pools_.insert_or_assign(name, *after);
  }
  // Of pools with one range, which is a mistake of somebody, the last by name counts.
  pool_of_.clear();
  for (const auto& [each, pool] : pools_) pool_of_.insert(pool.cidr, pool);
}

void TunnelPlanner::Impl::count_peer(const NodeEnds& ends, int by) {
  for (const IpFamily family : kBoth) {
    if (!ends.address(family)) continue;
    const IpAddress& address = ends.address(family)->address;
    dirty_peers_.insert(address);
    if ((peers_[address] += by) == 0) peers_.erase(address);
  }
}

void TunnelPlanner::Impl::set_node(const std::string& name, const model::Node* object) {
  FieldErrors errors;
  std::optional<NodeEnds> after;
  if (object != nullptr) after = ends_of(*object, errors);
  const model::ObjectKey key{model::Kind::kNode, "", name};
  if (errors.empty()) {
    problems_.erase(key);
  } else {
    problems_[key] = std::move(errors);
  }
  const auto before = nodes_.find(name);
  if (before == nodes_.end() ? !after : before->second == after) return;
  const bool is_ours = name == node_;
  // Which addresses take IP-in-IP, of several nodes with one too.
  const auto ipip_end = [](const NodeEnds* ends) {
    return ends == nullptr ? std::pair(std::optional<InterfaceAddress>(), false)
                           : std::pair(ends->ipv4, ends->ipip_tunnel.has_value());
  };
  is_rule_dirty_ |= ipip_end(before == nodes_.end() ? nullptr : &before->second) != ipip_end(after ? &*after : nullptr);
  if (before != nodes_.end()) {
    if (!is_ours) count_peer(before->second, -1);
    nodes_.erase(before);
  }
  if (after) {
    if (!is_ours) count_peer(*after, 1);
    nodes_.insert_or_assign(name, *after);
  }
  dirty_nodes_.insert(name);
  is_all_dirty_ |= is_ours;
  is_rule_dirty_ |= is_ours;
}

const NodeEnds* TunnelPlanner::Impl::find(const std::string& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? nullptr : &found->second;
}

// Who is near is not known before our own address is.
std::optional<RemoteRoute> TunnelPlanner::Impl::carried(const Pool& pool, const std::string& node, const NodeEnds& ends,
                                                        IpFamily family) const {
  const auto& address = ends.address(family);
  const NodeEnds* const own = find(node_);
  if (!address) return std::nullopt;
  const bool is_cross_subnet = pool.vxlan == EncapMode::kCrossSubnet || pool.ipip == EncapMode::kCrossSubnet;
  if (is_cross_subnet && (own == nullptr || !own->address(family))) return std::nullopt;
  const bool is_near = own != nullptr && own->is_near(address->address);
  const RemoteRoute plain{Carrier::kPlain, address->address, node};
  if (pool.vxlan != EncapMode::kNever) {
    if (pool.vxlan == EncapMode::kCrossSubnet && is_near) return plain;
    if (const auto vtep = ends.vtep(family)) return RemoteRoute{Carrier::kVxlan, vtep->tunnel_address, node};
    return meanwhile(plain, ends, family);
  }
  if (pool.ipip != EncapMode::kNever && family == IpFamily::kV4) {
    std::optional<RemoteRoute> planned =
        planned_.ipip ? std::optional(RemoteRoute{Carrier::kIpip, address->address, node}) : std::nullopt;
    if (pool.ipip == EncapMode::kCrossSubnet && is_near) return planned_.ipip ? std::optional(plain) : std::nullopt;
    if (ends.ipip_tunnel) return planned;
    auto before = meanwhile(plain, ends, family);
    // Of what BGP teaches LearnedRule says the same.
    if (before && (before->carrier == Carrier::kVxlan || planned_.ipip)) return before;
    return planned;
  }
  // Without a tunnel a node of another subnet is reached only where routers know the way, which BGP tells.
  return planned_.plain && is_near ? std::optional(plain) : std::nullopt;
}

// To a node that has not told the address of its end of the tunnel that the pool wants: its device comes first. It has
// not heard of the change yet, or is not done. The other tunnel carries as long as both ends have it; without one
// packets stay on our link.
std::optional<RemoteRoute> TunnelPlanner::Impl::meanwhile(const RemoteRoute& plain, const NodeEnds& ends,
                                                          IpFamily family) const {
  const NodeEnds* const own = find(node_);
  if (own == nullptr) return std::nullopt;
  const auto vtep = ends.vtep(family);
  if (vtep && own->vtep(family)) return RemoteRoute{Carrier::kVxlan, vtep->tunnel_address, plain.node};
  if (family == IpFamily::kV4 && ends.ipip_tunnel && own->ipip_tunnel) {
    return RemoteRoute{Carrier::kIpip, plain.gateway, plain.node};
  }
  return own->is_near(plain.gateway) ? std::optional(plain) : std::nullopt;
}

std::optional<RemoteRoute> TunnelPlanner::Impl::route_to(const IpPrefix& prefix) const {
  const std::string* const node = claims_.node_of(prefix);
  if (node == nullptr || *node == node_) return std::nullopt;
  const NodeEnds* const ends = find(*node);
  const auto pool = pool_of_.longest_match(prefix);
  if (ends == nullptr || !pool) return std::nullopt;
  return carried(*pool->value, *node, *ends, prefix.family());
}

void TunnelPlanner::Impl::flush_prefixes(PlanDelta& delta) {
  if (std::exchange(is_all_dirty_, false)) {
    for (const auto& [prefix, nodes] : claims_.all()) dirty_prefixes_.insert(prefix);
  }
  for (const IpPrefix& prefix : std::exchange(dirty_prefixes_, {})) {
    std::optional<RemoteRoute> route = route_to(prefix);
    const auto before = routes_.find(prefix);
    const bool is_same = before == routes_.end() ? !route : route && before->second == *route;
    if (!is_same) {
      if (route) {
        routes_.insert_or_assign(prefix, *route);
      } else {
        routes_.erase(before);
      }
      delta.routes[prefix] = std::move(route);
    }
    const bool is_local = !prefix.is_host() && claims_.is_block_of(prefix, node_);
    if (is_local == local_blocks_.contains(prefix)) continue;
    delta.local_blocks[prefix] = is_local;
    if (is_local) {
      local_blocks_.insert(prefix);
    } else {
      local_blocks_.erase(prefix);
    }
  }
}

void TunnelPlanner::Impl::flush_nodes(PlanDelta& delta) {
  for (const std::string& name : std::exchange(dirty_nodes_, {})) {
    const auto& prefixes = claims_.prefixes_of(name);
    dirty_prefixes_.insert(prefixes.begin(), prefixes.end());
    if (name == node_) continue;
    const NodeEnds* const ends = find(name);
    for (const IpFamily family : kBoth) {
      const VtepKey key{name, family};
      const std::optional<Vtep> vtep = ends == nullptr ? std::nullopt : ends->vtep(family);
      const auto before = vteps_.find(key);
      if (before == vteps_.end() ? !vtep : vtep && before->second == *vtep) continue;
      if (vtep) {
        vteps_.insert_or_assign(key, *vtep);
      } else {
        vteps_.erase(before);
      }
      delta.vteps[key] = vtep;
    }
  }
}

void TunnelPlanner::Impl::flush_peers(PlanDelta& delta) {
  for (const IpAddress& address : std::exchange(dirty_peers_, {})) {
    const bool is_there = peers_.contains(address);
    if (is_there == told_peers_.contains(address)) continue;
    is_rule_dirty_ = true;
    if (is_there) {
      told_peers_.insert(address);
    } else {
      told_peers_.erase(address);
    }
    const auto say = [&](PeerChange& change) { (is_there ? change.added : change.removed).insert(address); };
    say(delta.vxlan_peers);
    if (address.is_v4()) say(delta.ipip_peers);
  }
}

LocalTunnels TunnelPlanner::Impl::local_tunnels() const {
  LocalTunnels out;
  for (const auto& [name, pool] : pools_) {
    const bool has_vxlan = pool.vxlan != EncapMode::kNever;
    if (pool.cidr.is_v4()) {
      out.ipip.is_wanted |= !has_vxlan && pool.ipip != EncapMode::kNever;
      out.vxlan_v4.is_wanted |= has_vxlan;
    } else {
      out.vxlan_v6.is_wanted |= has_vxlan;
    }
  }
  const NodeEnds* const own = find(node_);
  if (own == nullptr) return out;
  const auto take = [](LocalTunnel& tunnel, const std::optional<IpAddress>& address,
                       const std::optional<InterfaceAddress>& outer) {
    tunnel.address = address;
    if (outer) tunnel.node_address = outer->address;
  };
  take(out.ipip, own->ipip_tunnel, own->ipv4);
  take(out.vxlan_v4, own->vxlan_tunnel_v4, own->ipv4);
  take(out.vxlan_v6, own->vxlan_tunnel_v6, own->ipv6);
  out.vxlan_v4.mac = own->mac_v4;
  out.vxlan_v6.mac = own->mac_v6;
  return out;
}

// Nodes to which routes of BGP go by IP-in-IP: all but those on our link that cannot take it yet (see meanwhile()).
std::vector<IpAddress> TunnelPlanner::Impl::ipip_nodes() const {
  std::set<IpAddress> waiting;
  const NodeEnds* const own = find(node_);
  for (const auto& [name, ends] : nodes_) {
    const bool is_near = own != nullptr && ends.ipv4 && own->is_near(ends.ipv4->address);
    if (is_near && !ends.ipip_tunnel) waiting.insert(ends.ipv4->address);
  }
  if (waiting.empty()) return {told_peers_.begin(), told_peers_.end()};
  for (const auto& [name, ends] : nodes_) {
    if (ends.ipip_tunnel && ends.ipv4) waiting.erase(ends.ipv4->address);
  }
  std::vector<IpAddress> out;
  std::set_difference(told_peers_.begin(), told_peers_.end(), waiting.begin(), waiting.end(), std::back_inserter(out));
  return out;
}

void TunnelPlanner::Impl::flush_rule(PlanDelta& delta) {
  if (!std::exchange(is_rule_dirty_, false)) return;
  std::vector<Pool> pools;
  pool_of_.for_each([&](const IpPrefix&, const Pool& pool) { pools.push_back(pool); });
  std::vector<IpPrefix> subnets;
  if (const NodeEnds* const own = find(node_)) {
    for (const IpFamily family : kBoth) {
      if (own->address(family)) subnets.push_back(own->address(family)->prefix());
    }
  }
  delta.learned_rule = std::make_shared<const LearnedRule>(std::move(pools), std::move(subnets), ipip_nodes());
  LocalTunnels local = local_tunnels();
  if (local_ == local) return;
  local_ = local;
  delta.local = local;
}

PlanDelta TunnelPlanner::Impl::flush() {
  PlanDelta delta;
  flush_nodes(delta);
  flush_prefixes(delta);
  flush_peers(delta);
  flush_rule(delta);
  return delta;
}

std::map<IpAddress, std::string> TunnelPlanner::Impl::node_names() const {
  std::map<IpAddress, std::string> out;
  for (const auto& [name, ends] : nodes_) {
    for (const IpFamily family : kBoth) {
      if (name != node_ && ends.address(family)) out[ends.address(family)->address] = name;
    }
  }
  return out;
}

TunnelPlanner::TunnelPlanner(std::string node, PlannedRoutes planned)
    : impl_(std::make_unique<Impl>(std::move(node), planned)) {}
TunnelPlanner::~TunnelPlanner() = default;
void TunnelPlanner::apply(const PlanInput& input) { impl_->apply(input); }
void TunnelPlanner::set_planned(PlannedRoutes planned) { impl_->set_planned(planned); }
PlanDelta TunnelPlanner::flush() { return impl_->flush(); }
std::map<IpAddress, std::string> TunnelPlanner::node_names() const { return impl_->node_names(); }
const std::map<model::ObjectKey, FieldErrors>& TunnelPlanner::problems() const { return impl_->problems(); }

}  // namespace margay::ipip
