#include "ipip/ebpf/tunnel_maps.h"

#include <arpa/inet.h>

#include <vector>

namespace margay::ipip {
namespace {

// Makes `have` what `want` is, of IPv4 addresses. True: it was not.
bool change(std::set<IpAddress>& have, const std::set<IpAddress>& want, bpf::MapDriver<AddressCodec>& map) {
  std::set<IpAddress> next;
  for (const IpAddress& address : want) {
    if (address.is_v4()) next.insert(next.end(), address);
  }
  if (next == have) return false;
  for (const IpAddress& address : next) map.set(address, std::monostate());
  for (const IpAddress& address : have) {
    if (next.count(address) == 0) map.remove(address);
  }
  have = std::move(next);
  return true;
}

}  // namespace

__u32 raw_of(const IpAddress& address) { return htonl(address.v4_value()); }
IpAddress address_of(__u32 raw) { return IpAddress::v4(ntohl(raw)); }
IpAddress plain_node() { return IpAddress::v4(kPlainNode); }

RouteKey RouteCodec::key_of(const IpPrefix& prefix) {
  return {static_cast<__u32>(prefix.length()), raw_of(prefix.first())};
}

RouteValue RouteCodec::value_of(const Value& node) { return {node ? raw_of(*node) : 0}; }

std::optional<std::pair<IpPrefix, std::optional<IpAddress>>> RouteCodec::read(const RouteKey& key,
                                                                              const RouteValue& value) {
  if (key.length > 32) return std::nullopt;
  const IpPrefix prefix = IpPrefix::containing(address_of(key.address), static_cast<int>(key.length));
  return std::pair(prefix, value.node == 0 ? std::optional<IpAddress>() : address_of(value.node));
}

std::optional<std::pair<__u32, std::optional<IpAddress>>> ConfigCodec::read(__u32 index, const TunnelConfig& value) {
  return std::pair(index, value.source == 0 ? std::optional<IpAddress>() : address_of(value.source));
}

TunnelMaps::TunnelMaps(Kernel kernel)
    : route_map_(kernel.routes),
      sender_map_(kernel.senders),
      address_map_(kernel.addresses),
      config_map_(kernel.config) {
  config_map_.set(0, std::nullopt);
}

// A prefix that another node has is that node's, even if a block says that it is ours: it was borrowed.
void TunnelMaps::settle(const IpPrefix& prefix) {
  const auto remote = remotes_.find(prefix);
  if (remote != remotes_.end()) {
    route_map_.set(prefix, remote->second);
  } else if (own_.count(prefix) > 0) {
    route_map_.set(prefix, std::nullopt);
  } else {
    route_map_.remove(prefix);
  }
}

void TunnelMaps::set_remote(const IpPrefix& prefix, const std::optional<IpAddress>& node) {
  if (!prefix.is_v4() || (node && !node->is_v4())) return;
  if (node) {
    remotes_.insert_or_assign(prefix, *node);
  } else {
    remotes_.erase(prefix);
  }
  settle(prefix);
}

void TunnelMaps::set_remotes(const std::map<IpPrefix, IpAddress>& remotes) {
  std::vector<IpPrefix> gone;
  for (const auto& [prefix, node] : remotes_) {
    if (remotes.count(prefix) == 0) gone.push_back(prefix);
  }
  for (const IpPrefix& prefix : gone) set_remote(prefix, std::nullopt);
  for (const auto& [prefix, node] : remotes) set_remote(prefix, node);
}

void TunnelMaps::set_own_prefixes(const std::set<IpPrefix>& prefixes) {
  std::set<IpPrefix> touched = own_;
  own_.clear();
  for (const IpPrefix& prefix : prefixes) {
    if (prefix.is_v4()) own_.insert(prefix);
  }
  touched.insert(own_.begin(), own_.end());
  for (const IpPrefix& prefix : touched) settle(prefix);
}

bool TunnelMaps::set_senders(const std::set<IpAddress>& senders) { return change(senders_, senders, sender_map_); }

void TunnelMaps::set_addresses(const std::optional<IpAddress>& source, const std::set<IpAddress>& own) {
  change(addresses_, own, address_map_);
  config_map_.set(0, source && source->is_v4() ? source : std::nullopt);
}

Status TunnelMaps::resync() {
  MARGAY_RETURN_IF_ERROR(sender_map_.resync());
  MARGAY_RETURN_IF_ERROR(address_map_.resync());
  MARGAY_RETURN_IF_ERROR(config_map_.resync());
  return route_map_.resync();
}

Status TunnelMaps::apply_updates(std::size_t& updated) {
  MARGAY_RETURN_IF_ERROR(sender_map_.apply_updates(updated));
  MARGAY_RETURN_IF_ERROR(address_map_.apply_updates(updated));
  MARGAY_RETURN_IF_ERROR(config_map_.apply_updates(updated));
  return route_map_.apply_updates(updated);
}

Status TunnelMaps::apply_removes(std::size_t& removed) {
  MARGAY_RETURN_IF_ERROR(route_map_.apply_removes(removed));
  MARGAY_RETURN_IF_ERROR(address_map_.apply_removes(removed));
  return sender_map_.apply_removes(removed);
}

bool TunnelMaps::is_in_sync() const {
  return route_map_.is_in_sync() && sender_map_.is_in_sync() && address_map_.is_in_sync() && config_map_.is_in_sync();
}

}  // namespace margay::ipip
