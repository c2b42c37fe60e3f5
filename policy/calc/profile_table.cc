#include "policy/calc/profile_table.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "datastore/codec/validate.h"
#include "policy/calc/rule_compiler.h"

namespace margay::policy {
namespace {

constexpr std::string_view kDefaultAllow = "projectcalico-default-allow";

Shared<model::Profile> allow_all() {
  model::Profile out;
  out.metadata.name = kDefaultAllow;
  model::Rule allow;
  allow.action = model::RuleAction::kAllow;
  out.spec.ingress = {allow};
  out.spec.egress = {allow};
  return std::make_shared<const model::Profile>(std::move(out));
}

// What makes a profile count as absent. Those made of Kubernetes objects are right.
FieldErrors errors_of(const model::Profile& profile) {
  FieldErrors errors = codec::validate(profile);
  std::erase_if(errors, [](const FieldError& error) { return error.path.starts_with("metadata"); });
  if (!errors.empty()) return errors;
  return compile_rules(profile.spec.ingress, profile.spec.egress, {}).errors;
}

}  // namespace

ProfileTable::ProfileTable(Subscribers& subscribers, SetIndex& index, Problems& problems)
    : subscribers_(subscribers), index_(index), problems_(problems), default_allow_(allow_all()) {}

void ProfileTable::put(Origin origin, const std::string& name, const ObjectKey& key, Shared<model::Profile> profile) {
  const auto at = entries_.find(name);
  if (at == entries_.end() && profile == nullptr) {
    problems_.erase(key);
    return;
  }
  if (origin == Origin::kProfile) {
    FieldErrors errors = profile == nullptr ? FieldErrors() : errors_of(*profile);
    if (errors.empty()) {
      problems_.erase(key);
    } else {
      problems_[key] = std::move(errors);
      profile = nullptr;
    }
  }
  Entry& entry = at == entries_.end() ? entries_[name] : at->second;
  entry.by_origin[static_cast<std::size_t>(origin)] = std::move(profile);
  refresh(name, entry);
  drop_if_unused(name);
}

Shared<model::Profile> ProfileTable::find(const std::string& name, const Entry& entry) const {
  for (const Shared<model::Profile>& profile : entry.by_origin) {
    if (profile != nullptr) return profile;
  }
  return name == kDefaultAllow ? default_allow_ : nullptr;
}

void ProfileTable::refresh(const std::string& name, Entry& entry) {
  const Shared<model::Profile> profile = find(name, entry);
  if (profile == nullptr) {
    if (entry.is_in_index) index_.remove_parent(name);
    entry.is_in_index = false;
    entry.labels = StringMap();
  } else if (!entry.is_in_index || entry.labels != profile->spec.labels_to_apply) {
    entry.labels = profile->spec.labels_to_apply;
    entry.is_in_index = true;
    index_.put_parent(name, entry.labels);
  }
  if (!entry.demanded_by.empty()) set_body(name, entry, profile);
}

void ProfileTable::set_body(const std::string& name, Entry& entry, const Shared<model::Profile>& profile) {
  ProfileBody body{.labels = entry.labels, .is_missing = profile == nullptr, .rules = {}};
  CompiledRules compiled;
  if (profile != nullptr) compiled = compile_rules(profile->spec.ingress, profile->spec.egress, {});
  body.rules = std::move(compiled.rules);
  if (entry.body != nullptr && *entry.body == body) return;
  entry.body = std::make_shared<const ProfileBody>(std::move(body));
  const std::vector<IpSetId> old = std::exchange(entry.sets, ids_of(compiled.sets));
  for (const SubscriberId id : entry.demanded_by) {
    Subscriber& subscriber = *subscribers_.at(id);
    subscriber.profiles.insert(name);
    subscriber.sets.add(compiled.sets);
    subscriber.sets.release(old);
  }
}

void ProfileTable::drop_if_unused(const std::string& name) {
  const auto at = entries_.find(name);
  const auto& profiles = at->second.by_origin;
  const bool is_there = std::any_of(profiles.begin(), profiles.end(), [](const auto& p) { return p != nullptr; });
  if (!is_there && at->second.demanded_by.empty()) entries_.erase(at);
}

void ProfileTable::demand(SubscriberId id, const std::string& name) {
  Entry& entry = entries_[name];
  if (!entry.demanded_by.insert(id).second) return;
  if (entry.body == nullptr) {
    set_body(name, entry, find(name, entry));
    return;
  }
  Subscriber& subscriber = *subscribers_.at(id);
  subscriber.profiles.insert(name);
  subscriber.sets.share(entry.sets);
}

void ProfileTable::give_up(SubscriberId id, const std::string& name) {
  const auto at = entries_.find(name);
  if (at == entries_.end() || at->second.demanded_by.erase(id) == 0) return;
  Entry& entry = at->second;
  Subscriber& subscriber = *subscribers_.at(id);
  subscriber.profiles.erase(name);
  subscriber.sets.release(entry.sets);
  if (!entry.demanded_by.empty()) return;
  entry.body = nullptr;
  entry.sets.clear();
  drop_if_unused(name);
}

void ProfileTable::tell(const Subscriber& subscriber, ClusterUpdate& update) const {
  for (const std::string& name : subscriber.profiles) update.profiles[name] = entries_.at(name).body;
}

}  // namespace margay::policy
