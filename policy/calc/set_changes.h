// SetChanges: changes of IP sets on their way through a node half, added up so that what goes out fits what the outside
// has: a set that came and went in between is not mentioned. Pure, one thread.
#pragma once

#include <map>
#include <set>

#include "policy/desired/ip_set.h"

namespace margay::policy {

class SetChanges {
 public:
  void add(const IpSetId& id, IpSetDelta delta);
  std::map<IpSetId, IpSetDelta> take();

 private:
  std::set<IpSetId> outside_;  // as of the last take
  std::map<IpSetId, IpSetDelta> pending_;
};

}  // namespace margay::policy
