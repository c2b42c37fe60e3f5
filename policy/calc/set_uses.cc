#include "policy/calc/set_uses.h"

#include <utility>

namespace margay::policy {
namespace {

IpSetKind kind_of(const IpSetId& id) {
  // Named ports and services with ports; see id_of.
  return id.view().starts_with("n:") || id.view().starts_with("svc:") ? IpSetKind::kPorts : IpSetKind::kNets;
}

}  // namespace

SetUses::~SetUses() {
  for (const auto& [id, use] : uses_) index_.remove_set(id);
}

std::vector<IpSetId> ids_of(const std::map<IpSetId, SetSource>& sets) {
  std::vector<IpSetId> out;
  out.reserve(sets.size());
  for (const auto& [id, source] : sets) out.push_back(id);
  return out;
}

void SetUses::count(const IpSetId& id, const SetSource* source) {
  const auto [at, is_new] = uses_.try_emplace(id);
  if (is_new) source == nullptr ? index_.share_set(id) : index_.add_set(id, *source);
  ++at->second.count;
  if (!at->second.is_sent) changed_.insert(id);
}

void SetUses::add(const std::map<IpSetId, SetSource>& sets) {
  for (const auto& [id, source] : sets) count(id, &source);
}

void SetUses::share(const std::vector<IpSetId>& sets) {
  for (const IpSetId& id : sets) count(id, nullptr);
}

void SetUses::release(const std::vector<IpSetId>& sets) {
  for (const IpSetId& id : sets) {
    if (--uses_.at(id).count == 0) changed_.insert(id);
  }
}

void SetUses::on_change(const IpSetId& id, const IpSetDelta& delta) {
  const auto at = uses_.find(id);
  if (at == uses_.end()) return;
  Use& use = at->second;
  const bool is_new = delta.what == IpSetDelta::What::kCreate && !use.is_sent;
  if (use.pending && !is_new) {
    use.pending->merge(delta);
  } else if (is_new || use.is_sent) {
    use.pending = delta;
  }
  changed_.insert(id);
}

std::map<IpSetId, IpSetDelta> SetUses::take() {
  std::map<IpSetId, IpSetDelta> out;
  for (const IpSetId& id : std::exchange(changed_, {})) {
    const auto at = uses_.find(id);
    Use& use = at->second;
    if (use.count == 0) {
      if (use.is_sent) out[id] = {.what = IpSetDelta::What::kRemove, .kind = kind_of(id), .added = {}, .removed = {}};
      index_.remove_set(id);
      uses_.erase(at);
      continue;
    }
    if (use.pending) {
      out[id] = *std::exchange(use.pending, std::nullopt);
    } else if (!use.is_sent) {
      out[id] = {.what = IpSetDelta::What::kCreate, .kind = kind_of(id), .added = index_.members_of(id), .removed = {}};
    }
    use.is_sent = true;
  }
  return out;
}

}  // namespace margay::policy
