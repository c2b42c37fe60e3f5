// PolicyTable: all policies and tiers of the cluster half: the head of each, and the rules of those that somebody
// demands. Tells subscribers what changed, and takes and gives back the sets they need.
//
// What is demanded is never taken away: a policy that is gone loses its head at once, and its rules and sets when the
// last subscriber gives it up. Pure, one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "policy/calc/cluster_half.h"
#include "policy/calc/policy_source.h"
#include "policy/calc/subscriber.h"
#include "policy/calc/tier_order.h"

namespace margay::policy {

using Subscribers = std::map<SubscriberId, std::unique_ptr<Subscriber>>;
using Problems = std::map<ObjectKey, FieldErrors>;

class PolicyTable {
 public:
  PolicyTable(Subscribers& subscribers, Problems& problems) : subscribers_(subscribers), problems_(problems) {}

  void put(const ObjectKey& key, PolicySource source);
  void put_tier(const std::string& name, const std::optional<model::TierSpec>& spec);

  void demand(SubscriberId id, const ObjectKey& key);
  void give_up(SubscriberId id, const ObjectKey& key);

  // All there is, for a new subscriber.
  void mark_all(Subscriber& subscriber) const;
  // The present values of what is marked.
  void tell(const Subscriber& subscriber, ClusterUpdate& update) const;

 private:
  struct Entry {
    PolicySource source;
    std::optional<PolicyHead> head;  // nullopt: absent
    FieldErrors problems;            // those that do not depend on other objects
    // While it is demanded.
    std::set<SubscriberId> demanded_by;
    Shared<RuleSet> rules;
    std::vector<IpSetId> sets;
  };

  void set_head(const ObjectKey& key, Entry& entry, std::optional<PolicyHead> head);
  void set_rules(const ObjectKey& key, Entry& entry, CompiledRules rules);
  void report(const ObjectKey& key, const Entry& entry);
  void drop_if_unused(const ObjectKey& key);

  Subscribers& subscribers_;
  Problems& problems_;
  std::map<ObjectKey, Entry> entries_;
  TierTable tiers_;
};

}  // namespace margay::policy
