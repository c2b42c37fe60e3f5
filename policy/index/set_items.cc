#include "policy/index/set_items.h"

#include <cstddef>
#include <utility>

#include "policy/index/grow.h"
#include "policy/index/sorted.h"

namespace margay::policy {
ItemContent SetItems::content_of(const SetItem& item) {
  ItemContent out;
  out.nets.assign(item.nets.begin(), item.nets.end());
  sort_and_unite(out.nets);
  out.ports.reserve(item.ports.size());
  for (const model::EndpointPort& port : item.ports) {
    out.ports.push_back({.name = names_.share(port.name), .protocol = port.protocol, .port = port.port});
  }
  sort_and_unite(out.ports);
  return out;
}

const ItemContent& SetItems::at(ItemId id) const {
  static const ItemContent kNothing;
  return id.value() < items_.size() ? items_[id.value()] : kNothing;
}

void SetItems::put(ItemId id, ItemContent content) {
  grow_to(items_, std::size_t{id.value()} + 1);
  ItemContent& mine = items_[id.value()];
  for (const IpPrefix& net : mine.nets) nets_.remove(net, id);
  mine = std::move(content);
  for (const IpPrefix& net : mine.nets) nets_.add(net, id);
}

}  // namespace margay::policy
