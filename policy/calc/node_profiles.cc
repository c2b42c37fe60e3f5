#include "policy/calc/node_profiles.h"

#include <utility>

namespace margay::policy {

void NodeProfiles::put(const std::string& name, const Shared<ProfileBody>& body, Delta& out) {
  if (body == nullptr || !uses_.is_demanded(name)) return;
  const auto [at, is_new] = entries_.try_emplace(name);
  Entry& entry = at->second;
  if (is_new || entry.labels != body->labels) {
    entry.labels = body->labels;
    index_.put_parent(name, entry.labels);
  }
  Profile profile{.name = name, .is_missing = body->is_missing, .rules = body->rules};
  if (entry.published != nullptr && *entry.published == profile) return;
  entry.published = std::make_shared<const Profile>(std::move(profile));
  out.profiles[name] = entry.published;
}

void NodeProfiles::take_demand(NodeDemand& demand, Delta& out) {
  uses_.take(demand.profiles_added, demand.profiles_removed);
  for (const std::string& name : demand.profiles_removed) {
    if (entries_.erase(name) == 0) continue;
    index_.remove_parent(name);
    out.profiles[name] = nullptr;
  }
}

}  // namespace margay::policy
