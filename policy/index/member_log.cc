#include "policy/index/member_log.h"

#include <algorithm>
#include <cstddef>

#include "base/core/check.h"

namespace margay::policy {

void MemberLog::drain(IpSetDelta& into) {
  std::vector<std::pair<IpSetMember, int>> entries = std::exchange(entries_, {});
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < entries.size();) {
    const IpSetMember member = entries[i].first;
    int change = 0;
    for (; i < entries.size() && entries[i].first == member; ++i) change += entries[i].second;
    MARGAY_CHECK(change >= -1 && change <= 1);
    if (change == 1) into.added.push_back(member);
    if (change == -1) into.removed.push_back(member);
  }
}

}  // namespace margay::policy
