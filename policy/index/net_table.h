// NetTable: which items have which nets, and which nets lie in which. One thread.
#pragma once

#include <cstdint>

#include "absl/container/btree_map.h"
#include "base/ip/prefix.h"
#include "base/ip/prefix_trie.h"
#include "policy/index/label_store.h"

namespace margay::policy {

class NetTable {
 public:
  void add(const IpPrefix& net, ItemId item);
  void remove(const IpPrefix& net, ItemId item);

  // visit(ItemId) for the items with exactly this net, until one answers true; that answer.
  template <class Visit>
  [[nodiscard]] bool any_with(const IpPrefix& net, const Visit& visit) const {
    const auto at = nets_.find(net);
    if (at == nets_.end()) return false;
    for (const ItemId item : at->second) {
      if (visit(item)) return true;
    }
    return false;
  }
  // visit(IpPrefix) for the nets that contain this one, it not included; the largest first.
  template <class Visit>
  void for_each_around(const IpPrefix& net, const Visit& visit) const {
    if (wide_.empty()) return;
    wide_.for_each_containing(net, [&](const IpPrefix& around, bool /*value*/) {
      if (around != net) visit(around);
    });
  }
  // visit(IpPrefix, items) for the nets inside this one, it not included, in order: those around before those inside.
  template <class Visit>
  void for_each_inside(const IpPrefix& net, const Visit& visit) const {
    if (net.is_host()) return;
    for (auto at = nets_.upper_bound(net); at != nets_.end() && net.contains(at->first); ++at) {
      visit(at->first, at->second);
    }
  }

 private:
  absl::btree_map<IpPrefix, FewOf<ItemId>> nets_;
  PrefixTrie<bool> wide_;  // those that are no single address
};

}  // namespace margay::policy
