// State: deltas added up; what a node is to enforce now. Tests compare it, the verdict is evaluated on it.
//
// Looking up a member costs a longest match in a set of nets, a binary search in one of ports.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/ip/prefix_trie.h"
#include "policy/desired/delta.h"

namespace margay::policy {

class IpSet {
 public:
  explicit IpSet(IpSetKind kind = IpSetKind::kNets) : kind_(kind) {}
  void apply(const IpSetDelta& delta);

  [[nodiscard]] IpSetKind kind() const { return kind_; }
  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] bool contains(const IpAddress& address, model::Protocol protocol, Port port) const;
  [[nodiscard]] std::vector<IpSetMember> members() const;  // sorted

 private:
  IpSetKind kind_;
  PrefixTrie<bool> nets_;
  std::set<IpSetMember> ports_;
};

class State {
 public:
  // Fails, naming both, when something refers to what is not there afterwards, or a set is changed that is not there.
  // Looks at everything: for tests and questions, not for dataplanes.
  Status apply(const Delta& delta);

  [[nodiscard]] const std::map<IpSetId, IpSet>& ip_sets() const { return ip_sets_; }
  [[nodiscard]] const std::map<ObjectKey, std::shared_ptr<const Policy>>& policies() const { return policies_; }
  [[nodiscard]] const std::map<std::string, std::shared_ptr<const Profile>>& profiles() const { return profiles_; }
  [[nodiscard]] const std::map<ObjectKey, std::shared_ptr<const Endpoint>>& endpoints() const { return endpoints_; }

 private:
  Status apply_ip_sets(const Delta& delta);
  [[nodiscard]] Status check_references() const;

  std::map<IpSetId, IpSet> ip_sets_;
  std::map<ObjectKey, std::shared_ptr<const Policy>> policies_;
  std::map<std::string, std::shared_ptr<const Profile>> profiles_;
  std::map<ObjectKey, std::shared_ptr<const Endpoint>> endpoints_;
};

}  // namespace margay::policy
