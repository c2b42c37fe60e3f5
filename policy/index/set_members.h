// SetMembers: what the items that a selector matches give to its set, and how that changes when one item comes or goes.
//
// Nothing is counted: whether another item gives the same member is looked up among the items with the same net, of
// which there is nearly always one. So a member costs nothing beside the match itself.
#pragma once

#include <vector>

#include "policy/index/label_index.h"
#include "policy/index/member_log.h"
#include "policy/index/set_items.h"

namespace margay::policy {

// Sorted, each once; without those that lie in another.
void suppress_nested(std::vector<IpSetMember>& sorted);

class SetMembers {
 public:
  SetMembers(const SetItems& items, const LabelIndex& matches, bool suppress_nested)
      : items_(items), matches_(matches), suppress_nested_(suppress_nested) {}

  // What the set has now.
  [[nodiscard]] std::vector<IpSetMember> nets_of(SelectorId set) const;
  [[nodiscard]] std::vector<IpSetMember> ports_of(SelectorId set, const ItemPort& wanted) const;

  // What changes when `item` is matched, or no longer; whether it is counted already makes no difference. Of the port
  // `wanted`, name and protocol count.
  void nets_came(SelectorId set, ItemId item, MemberLog& log) const;
  void nets_left(SelectorId set, ItemId item, MemberLog& log) const;
  void ports_came(SelectorId set, ItemId item, const ItemPort& wanted, MemberLog& log) const;
  void ports_left(SelectorId set, ItemId item, const ItemPort& wanted, MemberLog& log) const;

 private:
  [[nodiscard]] bool is_given_by_others(SelectorId set, const IpPrefix& net, ItemId but) const;
  [[nodiscard]] bool is_covered(SelectorId set, const IpPrefix& net, ItemId item) const;
  template <class Visit>
  void for_each_uncovered_inside(SelectorId set, const IpPrefix& net, ItemId but, const Visit& visit) const;
  template <class Visit>
  void for_each_own_port(SelectorId set, ItemId item, const ItemPort& wanted, const Visit& visit) const;

  const SetItems& items_;
  const LabelIndex& matches_;
  const bool suppress_nested_;
};

}  // namespace margay::policy
