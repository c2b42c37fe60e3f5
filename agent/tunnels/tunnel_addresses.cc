#include "agent/tunnels/tunnel_addresses.h"

#include <algorithm>
#include <utility>

#include "agent/startup/node_patch.h"
#include "base/core/text.h"
#include "cni/ipam/pools.h"
#include "datastore/codec/node_annotations.h"
#include "ipip/plan/node_ends.h"

namespace margay::agent {
namespace {

using ipam::TunnelKind;
using model::NodeNetworking;

constexpr TunnelKind kKinds[] = {TunnelKind::kIpip, TunnelKind::kVxlan, TunnelKind::kVxlanV6};
constexpr Duration kBackoffMax = std::chrono::seconds(60);
constexpr Duration kPatchRetry = std::chrono::seconds(2);

IpFamily family_of(TunnelKind kind) { return kind == TunnelKind::kVxlanV6 ? IpFamily::kV6 : IpFamily::kV4; }

bool uses(const model::IpPoolSpec& pool, TunnelKind kind) {
  if (pool.cidr.family() != family_of(kind)) return false;
  const model::EncapMode mode = kind == TunnelKind::kIpip ? pool.ipip_mode : pool.vxlan_mode;
  return mode != model::EncapMode::kNever;
}

std::optional<IpAddress>& address_of(NodeNetworking& node, TunnelKind kind) {
  if (kind == TunnelKind::kIpip) return node.ipv4_ipip_tunnel_address;
  return kind == TunnelKind::kVxlan ? node.ipv4_vxlan_tunnel_address : node.ipv6_vxlan_tunnel_address;
}

// Others make the same of the node's name; said all the same, for those who look.
void note_mac(NodeNetworking& node, TunnelKind kind, const std::string& name) {
  if (kind == TunnelKind::kIpip) return;
  std::optional<Mac>& mac = kind == TunnelKind::kVxlan ? node.vxlan_tunnel_mac : node.vxlan_tunnel_mac_v6;
  if (!address_of(node, kind)) {
    mac.reset();
  } else if (!mac) {
    mac = ipip::mac_of_name(name, family_of(kind));
  }
}

bool is_within(const std::vector<ipam::PoolRange>& pools, const IpAddress& address) {
  return std::any_of(pools.begin(), pools.end(),
                     [&](const ipam::PoolRange& pool) { return pool.cidr.contains(address); });
}

std::string why_none(const ipam::Got& got) {
  if (got.error) return got.error->message;
  return got.messages.empty() ? std::string("no address is free") : got.messages.front();
}

}  // namespace

TunnelAddresses::TunnelAddresses(Parts parts)
    : parts_(std::move(parts)), timer_(parts_.loop.make_timer([this] { look(); })) {}

TunnelAddresses::~TunnelAddresses() = default;

void TunnelAddresses::set_node(std::shared_ptr<const model::Node> node) {
  node_ = std::move(node);
  look();
}

bool TunnelAddresses::is_used(TunnelKind kind) const {
  const auto pools = parts_.source.pools();
  return std::any_of(pools.begin(), pools.end(), [kind](const model::IpPool* pool) { return uses(pool->spec, kind); });
}

std::vector<ipam::PoolRange> TunnelAddresses::pools_for(TunnelKind kind) const {
  std::vector<const model::IpPool*> fitting;
  for (const model::IpPool* pool : parts_.source.pools()) {
    if (uses(pool->spec, kind)) fitting.push_back(pool);
  }
  const auto selected = ipam::select_pools(
      fitting, {.family = family_of(kind), .use = model::IpPoolUse::kTunnel, .node_labels = node_->metadata.labels});
  return selected.ok() ? *selected : std::vector<ipam::PoolRange>();
}

void TunnelAddresses::look() {
  next_look_.reset();
  timer_->disarm();
  if (node_ == nullptr || !parts_.source.is_ready()) return;
  NodeNetworking wanted;
  // What cannot be read is written anew.
  static_cast<void>(codec::read_node_annotations(node_->metadata.annotations, wanted));
  for (const TunnelKind kind : kKinds) {
    std::optional<IpAddress>& address = address_of(wanted, kind);
    address = decide(kind, address);
    note_mac(wanted, kind, parts_.node);
  }
  send_patch(wanted);
}

std::optional<IpAddress> TunnelAddresses::decide(TunnelKind kind, const std::optional<IpAddress>& noted) {
  State& state = states_[kind];
  if (state.is_busy) return noted;
  std::vector<ipam::PoolRange> pools = pools_for(kind);
  if (!is_used(kind)) return decide_unwanted(kind, state, noted);
  state.unwanted_since.reset();
  // Those that are left give out no more: what there is stays.
  if (pools.empty()) return noted;
  const auto held = parts_.source.held(ipam::tunnel_handle(kind, parts_.node));
  const auto good =
      std::find_if(held.begin(), held.end(), [&](const IpAddress& each) { return is_within(pools, each); });
  if (good != held.end()) {
    succeed(kind);
    if (!noted && !parts_.is_there(kind)) return std::nullopt;
    return *good;
  }
  if (must_wait(state)) return noted;
  if (held.empty()) {
    assign(kind, std::move(pools), noted);
  } else {
    release(kind);
  }
  return noted;
}

bool TunnelAddresses::must_wait(const State& state) {
  if (!state.try_again_at || *state.try_again_at <= parts_.loop.now()) return false;
  look_at(*state.try_again_at);
  return true;
}

// First the annotation goes, then the address: nobody is told of one that is somebody else's.
std::optional<IpAddress> TunnelAddresses::decide_unwanted(TunnelKind kind, State& state,
                                                          const std::optional<IpAddress>& noted) {
  problems_.erase(ipam::tunnel_handle(kind, parts_.node));
  const bool is_held = !parts_.source.held(ipam::tunnel_handle(kind, parts_.node)).empty();
  if (!noted && !is_held) return std::nullopt;
  if (!state.unwanted_since) state.unwanted_since = parts_.loop.now();
  const TimePoint end = *state.unwanted_since + parts_.linger;
  if (end > parts_.loop.now()) {
    look_at(end);
    return noted;
  }
  if (!noted && !must_wait(state)) release(kind);
  return std::nullopt;
}

void TunnelAddresses::assign(TunnelKind kind, std::vector<ipam::PoolRange> pools,
                             const std::optional<IpAddress>& noted) {
  State& state = states_[kind];
  state.is_busy = true;
  ipam::Holder holder{ipam::tunnel_handle(kind, parts_.node), {}};
  holder.attributes.set(ipam::kNodeAttribute, parts_.node);
  holder.attributes.set(ipam::kTypeAttribute, ipam::tunnel_type(kind));
  ipam::Demand demand{.family = family_of(kind), .count = 1, .pools = std::move(pools), .address = {}};
  // The one that others know is as good as any, if it can be had.
  if (noted && noted != state.refused && is_within(demand.pools, *noted)) demand.address = noted;
  parts_.source.assign(
      std::move(holder), demand,
      [this, kind, wished = demand.address, alive = std::weak_ptr<bool>(alive_)](const ipam::Got& got) {
        if (alive.expired()) return;
        State& now = states_[kind];
        now.is_busy = false;
        if (got.addresses.empty() && wished) {
          now.refused = wished;
        } else if (got.addresses.empty()) {
          fail(kind, why_none(got));
        } else {
          parts_.log.info("tunnel address",
                          {{"handle", ipam::tunnel_handle(kind, parts_.node)}, {"address", got.addresses.front()}});
        }
        look();
      });
}

void TunnelAddresses::release(TunnelKind kind) {
  states_[kind].is_busy = true;
  parts_.source.release(ipam::tunnel_handle(kind, parts_.node),
                        [this, kind, alive = std::weak_ptr<bool>(alive_)](const Status& status) {
                          if (alive.expired()) return;
                          states_[kind].is_busy = false;
                          if (!status.ok()) fail(kind, status.error().message);
                          look();
                        });
}

void TunnelAddresses::fail(TunnelKind kind, const std::string& message) {
  State& state = states_[kind];
  state.try_again_at = parts_.loop.now() + state.backoff;
  state.backoff = std::min(state.backoff * 2, kBackoffMax);
  const std::string handle = ipam::tunnel_handle(kind, parts_.node);
  if (problems_[handle] != message) {
    parts_.log.warn("no address for a tunnel; it is tried again", {{"handle", handle}, {"error", message}});
  }
  problems_[handle] = message;
}

void TunnelAddresses::succeed(TunnelKind kind) {
  State& state = states_[kind];
  state.try_again_at.reset();
  state.refused.reset();
  state.backoff = std::chrono::seconds(1);
  problems_.erase(ipam::tunnel_handle(kind, parts_.node));
}

void TunnelAddresses::send_patch(const NodeNetworking& wanted) {
  std::string patch = startup::annotations_patch(*node_, wanted);
  if (patch.empty() || is_patching_) return;
  if (node_->metadata.resource_version == patched_version_) return;  // done; the watch has not shown it yet
  if (patch_again_at_ && *patch_again_at_ > parts_.loop.now()) return look_at(*patch_again_at_);
  is_patching_ = true;
  parts_.patch_node(std::move(patch), [this, version = node_->metadata.resource_version,
                                       alive = std::weak_ptr<bool>(alive_)](const Status& status) {
    if (alive.expired()) return;
    is_patching_ = false;
    if (status.ok()) {
      patched_version_ = version;
      patch_again_at_.reset();
    } else {
      parts_.log.warn("the Node object could not be changed; it is tried again", {{"error", status.error()}});
      patch_again_at_ = parts_.loop.now() + kPatchRetry;
    }
    look();
  });
}

void TunnelAddresses::look_at(TimePoint when) {
  if (next_look_ && *next_look_ <= when) return;
  next_look_ = when;
  timer_->arm(std::max(when - parts_.loop.now(), Duration{}));
}

}  // namespace margay::agent
