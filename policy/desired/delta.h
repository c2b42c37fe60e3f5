// Delta: what changed in what a node is to enforce. A value: two deltas in a row are one (merge), so that queues
// between loops stay short.
//
// Nothing refers to what is not there when sections are applied in this order:
//   1. ip_sets that are created, and members that are added     4. endpoints, also those that go
//   2. policies with a value                                     5. policies and profiles without a value
//   3. profiles with a value                                     6. members that are removed, ip_sets that go
// A null value means: absent from now on. Ordered containers: equal deltas render equally.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "policy/desired/ip_set.h"
#include "policy/desired/policy.h"

namespace margay::policy {

struct Delta {
  std::map<IpSetId, IpSetDelta> ip_sets;
  std::map<ObjectKey, std::shared_ptr<const Policy>> policies;
  std::map<std::string, std::shared_ptr<const Profile>> profiles;
  std::map<ObjectKey, std::shared_ptr<const Endpoint>> endpoints;
  // All objects that were there at the start have been taken in; nothing may be removed from the kernel before.
  bool is_in_sync = false;

  [[nodiscard]] bool empty() const {
    return ip_sets.empty() && policies.empty() && profiles.empty() && endpoints.empty();
  }
  // This and then `later`, as one.
  void merge(Delta later);
};

}  // namespace margay::policy
