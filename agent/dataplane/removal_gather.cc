#include "agent/dataplane/removal_gather.h"

#include <algorithm>
#include <utility>

namespace margay::agent {
namespace {

template <class Map>
bool are_gone(const Map& values) {
  return std::all_of(values.begin(), values.end(), [](const auto& entry) { return entry.second == nullptr; });
}

// Endpoints go, and what only they needed.
bool only_removes(const DataplaneBatch& batch) {
  if (batch.settings || batch.networks || batch.own_blocks || batch.tunnels || !batch.plan.empty()) return false;
  const policy::Delta& policy = batch.policy;
  if (!policy.is_in_sync || policy.endpoints.empty()) return false;
  const bool has_new_members = std::any_of(policy.ip_sets.begin(), policy.ip_sets.end(), [](const auto& entry) {
    return entry.second.what == policy::IpSetDelta::What::kCreate || !entry.second.added.empty();
  });
  return !has_new_members && are_gone(policy.endpoints) && are_gone(policy.policies) && are_gone(policy.profiles);
}

}  // namespace

RemovalGather::RemovalGather(loop::Loop& loop, Callback<void(DataplaneBatch)> on_batch)
    : on_batch_(std::move(on_batch)), timer_(loop.make_timer([this] { release(); })) {}

void RemovalGather::take(DataplaneBatch batch) {
  const bool can_wait = only_removes(batch);
  if (can_wait) batch.since.reset();  // nobody waits for it
  if (held_) {
    held_->merge(std::move(batch));
  } else {
    held_ = std::move(batch);
  }
  if (!can_wait) return release();
  if (!timer_->is_armed()) timer_->arm(kGatherRemovals);
}

void RemovalGather::release() {
  timer_->disarm();
  DataplaneBatch batch = *std::exchange(held_, std::nullopt);
  on_batch_(std::move(batch));
}

}  // namespace margay::agent
