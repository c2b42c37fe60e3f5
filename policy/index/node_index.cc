#include "policy/index/node_index.h"

#include <algorithm>

namespace margay::policy {

void NodeIndex::put_node(const std::string& name, const StringMap& labels, const std::vector<IpAddress>& addresses) {
  Node node{labels, addresses};
  Node& present = nodes_[name];
  if (present == node) return;
  present = std::move(node);
  is_changed_ = true;
}

void NodeIndex::remove_node(const std::string& name) { is_changed_ = nodes_.erase(name) > 0 || is_changed_; }

std::vector<IpSetMember> NodeIndex::members_of(const selector::Selector& selector) const {
  std::vector<IpSetMember> members;
  for (const auto& [name, node] : nodes_) {
    if (!selector.matches(node.labels)) continue;
    for (const IpAddress& address : node.addresses) {
      members.push_back({.net = IpPrefix::host(address), .protocol = {}, .port = {}});
    }
  }
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  return members;
}

}  // namespace margay::policy
