#include "policy/index/set_members.h"

#include <algorithm>
#include <optional>

#include "policy/index/sorted.h"

namespace margay::policy {
namespace {

using Members = std::vector<IpSetMember>;

IpSetMember member_of(const IpPrefix& net) { return {.net = net, .protocol = {}, .port = {}}; }

bool is_called(const ItemPort& port, const ItemPort& wanted) {
  return port.protocol == wanted.protocol && port.name == wanted.name;
}

// visit(IpSetMember) for each address with each port that is called so.
template <class Visit>
void for_each_port(const ItemContent& content, const ItemPort& wanted, const Visit& visit) {
  for (const ItemPort& port : content.ports) {
    if (!is_called(port, wanted)) continue;
    for (const IpPrefix& net : content.nets) {
      visit(IpSetMember{.net = net, .protocol = port.protocol, .port = port.port});
    }
  }
}

}  // namespace

void suppress_nested(Members& sorted) {
  std::optional<IpPrefix> cover;
  std::erase_if(sorted, [&cover](const IpSetMember& member) {
    if (cover && cover->contains(member.net)) return true;
    cover = member.net;
    return false;
  });
}

Members SetMembers::nets_of(SelectorId set) const {
  Members out;
  for (const ItemId item : matches_.matches_of(set)) {
    for (const IpPrefix& net : items_.at(item).nets) out.push_back(member_of(net));
  }
  sort_and_unite(out);
  if (suppress_nested_) suppress_nested(out);
  return out;
}

Members SetMembers::ports_of(SelectorId set, const ItemPort& wanted) const {
  Members out;
  for (const ItemId item : matches_.matches_of(set)) {
    for_each_port(items_.at(item), wanted, [&out](const IpSetMember& member) { out.push_back(member); });
  }
  sort_and_unite(out);
  return out;
}

bool SetMembers::is_given_by_others(SelectorId set, const IpPrefix& net, ItemId but) const {
  return items_.nets().any_with(net, [&](ItemId other) { return other != but && matches_.is_match(set, other); });
}

// A member lies around it: from another item, or from the same one.
bool SetMembers::is_covered(SelectorId set, const IpPrefix& net, ItemId item) const {
  const auto& own = items_.at(item).nets;
  bool is_covered = false;
  items_.nets().for_each_around(net, [&](const IpPrefix& around) {
    is_covered =
        is_covered || std::binary_search(own.begin(), own.end(), around) || is_given_by_others(set, around, item);
  });
  return is_covered;
}

// The members inside a net that no other inside it covers, not counting what `but` gives.
template <class Visit>
void SetMembers::for_each_uncovered_inside(SelectorId set, const IpPrefix& net, ItemId but, const Visit& visit) const {
  std::optional<IpPrefix> cover;
  items_.nets().for_each_inside(net, [&](const IpPrefix& inside, const FewOf<ItemId>& givers) {
    if (cover && cover->contains(inside)) return;
    const bool is_member = std::any_of(givers.begin(), givers.end(),
                                       [&](ItemId other) { return other != but && matches_.is_match(set, other); });
    if (!is_member) return;
    cover = inside;
    visit(inside);
  });
}

// An item's nets come in order, so that what lies around is there before what lies inside, and leave in reverse.
void SetMembers::nets_came(SelectorId set, ItemId item, MemberLog& log) const {
  for (const IpPrefix& net : items_.at(item).nets) {
    if (is_given_by_others(set, net, item)) continue;
    if (suppress_nested_) {
      if (is_covered(set, net, item)) continue;
      for_each_uncovered_inside(set, net, item, [&log](const IpPrefix& inside) { log.left(member_of(inside)); });
    }
    log.came(member_of(net));
  }
}

void SetMembers::nets_left(SelectorId set, ItemId item, MemberLog& log) const {
  const auto& nets = items_.at(item).nets;
  for (auto net = nets.rbegin(); net != nets.rend(); ++net) {
    if (is_given_by_others(set, *net, item)) continue;
    if (suppress_nested_) {
      if (is_covered(set, *net, item)) continue;
      for_each_uncovered_inside(set, *net, item, [&log](const IpPrefix& inside) { log.came(member_of(inside)); });
    }
    log.left(member_of(*net));
  }
}

// visit(IpSetMember) for what this item gives and no other.
template <class Visit>
void SetMembers::for_each_own_port(SelectorId set, ItemId item, const ItemPort& wanted, const Visit& visit) const {
  for_each_port(items_.at(item), wanted, [&](const IpSetMember& member) {
    const bool is_shared = items_.nets().any_with(member.net, [&](ItemId other) {
      if (other == item || !matches_.is_match(set, other)) return false;
      const std::vector<ItemPort>& ports = items_.at(other).ports;
      return std::any_of(ports.begin(), ports.end(),
                         [&](const ItemPort& port) { return is_called(port, wanted) && port.port == member.port; });
    });
    if (!is_shared) visit(member);
  });
}

void SetMembers::ports_came(SelectorId set, ItemId item, const ItemPort& wanted, MemberLog& log) const {
  for_each_own_port(set, item, wanted, [&log](const IpSetMember& member) { log.came(member); });
}

void SetMembers::ports_left(SelectorId set, ItemId item, const ItemPort& wanted, MemberLog& log) const {
  for_each_own_port(set, item, wanted, [&log](const IpSetMember& member) { log.left(member); });
}

}  // namespace margay::policy
