#include "policy/desired/ip_set.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/core/text.h"

namespace margay::policy {
namespace {

using Members = std::vector<IpSetMember>;

Members without(const Members& from, const Members& what) {
  Members out;
  std::set_difference(from.begin(), from.end(), what.begin(), what.end(), std::back_inserter(out));
  return out;
}

Members joined(const Members& a, const Members& b) {
  Members out;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

}  // namespace

std::string IpSetMember::to_string() const {
  if (protocol == model::Protocol{}) return net.to_string();
  return concat(net.first().to_string(), ",", to_lower(protocol.to_string()), ":", port.value());
}

void IpSetDelta::merge(IpSetDelta later) {
  if (later.what != What::kUpdate) {
    *this = std::move(later);
    return;
  }
  MARGAY_CHECK(what != What::kRemove);
  if (what == What::kCreate) {
    added = joined(without(added, later.removed), later.added);
    return;
  }
  // What was added and then removed, or the reverse, was not touched.
  Members all_added = joined(without(added, later.removed), without(later.added, removed));
  removed = joined(without(removed, later.added), without(later.removed, added));
  added = std::move(all_added);
}

}  // namespace margay::policy
