#include "ipip/devices/vtep_table.h"

namespace margay::ipip {
namespace {

template <class Map, class Key>
void drop(Map& map, const Key& key, const std::string& node) {
  const auto at = map.find(key);
  at->second.erase(node);
  if (at->second.empty()) map.erase(at);
}

}  // namespace

void VtepTable::set(const std::string& node, const std::optional<Vtep>& vtep, Touched& touched) {
  if (const auto before = vteps_.find(node); before != vteps_.end()) {
    if (vtep == before->second) return;
    touched.addresses.insert(before->second.tunnel_address);
    touched.macs.insert(before->second.mac);
    drop(by_address_, before->second.tunnel_address, node);
    drop(by_mac_, before->second.mac, node);
    vteps_.erase(before);
  }
  if (!vtep) return;
  touched.addresses.insert(vtep->tunnel_address);
  touched.macs.insert(vtep->mac);
  by_address_[vtep->tunnel_address][node] = vtep->mac;
  by_mac_[vtep->mac][node] = vtep->node_address;
  vteps_.emplace(node, *vtep);
}

std::optional<Mac> VtepTable::neighbour(const IpAddress& address) const {
  const auto at = by_address_.find(address);
  return at == by_address_.end() ? std::nullopt : std::optional(at->second.rbegin()->second);
}

std::optional<IpAddress> VtepTable::forwarding(const Mac& mac) const {
  const auto at = by_mac_.find(mac);
  return at == by_mac_.end() ? std::nullopt : std::optional(at->second.rbegin()->second);
}

VtepTable::Touched VtepTable::all() const {
  Touched out;
  for (const auto& [address, nodes] : by_address_) out.addresses.insert(address);
  for (const auto& [mac, nodes] : by_mac_) out.macs.insert(mac);
  return out;
}

}  // namespace margay::ipip
