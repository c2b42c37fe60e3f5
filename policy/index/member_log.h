// MemberLog: members that came to a set and left it, in the order they did so; what remains of it is the delta.
#pragma once

#include <utility>
#include <vector>

#include "policy/desired/ip_set.h"

namespace margay::policy {

class MemberLog {
 public:
  // Of one member, these alternate.
  void came(const IpSetMember& member) { entries_.emplace_back(member, 1); }
  void left(const IpSetMember& member) { entries_.emplace_back(member, -1); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  // Fills `added` and `removed`, sorted; what came and left, or the reverse, is in neither. The log is empty then.
  void drain(IpSetDelta& into);

 private:
  std::vector<std::pair<IpSetMember, int>> entries_;
};

}  // namespace margay::policy
