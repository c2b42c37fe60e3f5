#include "policy/desired/delta.h"

#include <utility>

namespace margay::policy {
namespace {

template <class Map>
void overwrite(Map& map, Map later) {
  later.merge(map);  // keeps what is in `later`
  map = std::move(later);
}

}  // namespace

void Delta::merge(Delta later) {
  for (auto& [id, change] : later.ip_sets) {
    const auto [at, is_new] = ip_sets.try_emplace(id);
    if (is_new) {
      at->second = std::move(change);
    } else {
      at->second.merge(std::move(change));
    }
  }
  overwrite(policies, std::move(later.policies));
  overwrite(profiles, std::move(later.profiles));
  overwrite(endpoints, std::move(later.endpoints));
  is_in_sync = is_in_sync || later.is_in_sync;
}

}  // namespace margay::policy
