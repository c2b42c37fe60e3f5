#include "policy/index/net_table.h"

#include <algorithm>

namespace margay::policy {

void NetTable::add(const IpPrefix& net, ItemId item) {
  nets_[net].push_back(item);
  if (!net.is_host()) wide_.insert(net, true);
}

void NetTable::remove(const IpPrefix& net, ItemId item) {
  const auto at = nets_.find(net);
  FewOf<ItemId>& items = at->second;
  items.erase(std::find(items.begin(), items.end(), item));
  if (!items.empty()) return;
  nets_.erase(at);
  if (!net.is_host()) wide_.erase(net);
}

}  // namespace margay::policy
