#include "policy/calc/set_changes.h"

#include <utility>

namespace margay::policy {

void SetChanges::add(const IpSetId& id, IpSetDelta delta) {
  using What = IpSetDelta::What;
  const bool is_outside = outside_.contains(id);
  const auto at = pending_.find(id);
  if (delta.what == What::kRemove) {
    if (!is_outside) {
      if (at != pending_.end()) pending_.erase(at);
    } else {
      pending_[id] = std::move(delta);
    }
    return;
  }
  if (at == pending_.end()) {
    pending_.emplace(id, std::move(delta));
  } else {
    at->second.merge(std::move(delta));
  }
}

std::map<IpSetId, IpSetDelta> SetChanges::take() {
  for (const auto& [id, delta] : pending_) {
    if (delta.what == IpSetDelta::What::kCreate) outside_.insert(id);
    if (delta.what == IpSetDelta::What::kRemove) outside_.erase(id);
  }
  return std::exchange(pending_, {});
}

}  // namespace margay::policy
