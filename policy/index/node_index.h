// NodeIndex: nodes with labels and addresses, and which addresses a selector over nodes picks. Nodes are thousands,
// sets of them few: a set is looked through as a whole when any node has changed. One thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/core/string_map.h"
#include "base/ip/address.h"
#include "datastore/selector/selector.h"
#include "policy/desired/ip_set.h"

namespace margay::policy {

class NodeIndex {
 public:
  // The same again is no change.
  void put_node(const std::string& name, const StringMap& labels, const std::vector<IpAddress>& addresses);
  void remove_node(const std::string& name);

  // Sorted, each once.
  [[nodiscard]] std::vector<IpSetMember> members_of(const selector::Selector& selector) const;
  // Whether any node changed since the last call.
  bool take_changed() { return std::exchange(is_changed_, false); }

 private:
  struct Node {
    StringMap labels;
    std::vector<IpAddress> addresses;
    friend bool operator==(const Node&, const Node&) = default;
  };
  std::map<std::string, Node> nodes_;
  bool is_changed_ = false;
};

}  // namespace margay::policy
