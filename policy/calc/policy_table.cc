#include "policy/calc/policy_table.h"

#include <utility>

#include "base/core/text.h"

namespace margay::policy {

void PolicyTable::put(const ObjectKey& key, PolicySource source) {
  const auto at = entries_.find(key);
  if (at == entries_.end() && source.spec == nullptr) return;
  Entry& entry = at == entries_.end() ? entries_[key] : at->second;
  if (at != entries_.end() && entry.source == source) {
    entry.source = std::move(source);  // equal; lets go of the older object
    return;
  }
  entry.source = std::move(source);
  if (entry.source.spec == nullptr) {
    entry.problems.clear();
    set_head(key, entry, std::nullopt);
    report(key, entry);
    drop_if_unused(key);
    return;
  }
  CompiledPolicy compiled = compile_policy(entry.source);
  entry.problems = std::move(compiled.rules.errors);
  entry.problems.insert(entry.problems.end(), compiled.rules.left_out.begin(), compiled.rules.left_out.end());
  set_head(key, entry, std::move(compiled.head));
  if (!entry.demanded_by.empty()) set_rules(key, entry, std::move(compiled.rules));
  report(key, entry);
}

void PolicyTable::set_head(const ObjectKey& key, Entry& entry, std::optional<PolicyHead> head) {
  if (entry.head == head) return;
  entry.head = std::move(head);
  for (const auto& [id, subscriber] : subscribers_) subscriber->heads.insert(key);
}

void PolicyTable::set_rules(const ObjectKey& key, Entry& entry, CompiledRules rules) {
  if (entry.rules != nullptr && *entry.rules == rules.rules) return;
  entry.rules = std::make_shared<const RuleSet>(std::move(rules.rules));
  const std::vector<IpSetId> old = std::exchange(entry.sets, ids_of(rules.sets));
  for (const SubscriberId id : entry.demanded_by) {
    Subscriber& subscriber = *subscribers_.at(id);
    subscriber.policies.insert(key);
    subscriber.sets.add(rules.sets);
    subscriber.sets.release(old);
  }
}

void PolicyTable::report(const ObjectKey& key, const Entry& entry) {
  FieldErrors problems = entry.problems;
  if (entry.head && !find_tier(tiers_, entry.head->tier)) {
    problems.push_back({.kind = FieldError::Kind::kInvalid,
                        .path = "spec.tier",
                        .message = concat("there is no tier ", quoted(entry.head->tier),
                                          ": it comes after all others and denies what no rule decides")});
  }
  if (problems.empty()) {
    problems_.erase(key);
  } else {
    problems_[key] = std::move(problems);
  }
}

void PolicyTable::drop_if_unused(const ObjectKey& key) {
  const auto at = entries_.find(key);
  if (at->second.source.spec == nullptr && at->second.demanded_by.empty()) entries_.erase(at);
}

void PolicyTable::put_tier(const std::string& name, const std::optional<model::TierSpec>& spec) {
  const auto at = tiers_.find(name);
  if (at == tiers_.end() ? !spec : (spec && at->second == *spec)) return;
  const bool was_there = find_tier(tiers_, name).has_value();
  if (spec) {
    tiers_[name] = *spec;
  } else {
    tiers_.erase(at);
  }
  for (const auto& [id, subscriber] : subscribers_) subscriber->tiers.insert(name);
  if (was_there == find_tier(tiers_, name).has_value()) return;
  for (const auto& [key, entry] : entries_) {
    if (entry.head && entry.head->tier == name) report(key, entry);
  }
}

void PolicyTable::demand(SubscriberId id, const ObjectKey& key) {
  Entry& entry = entries_[key];
  if (!entry.demanded_by.insert(id).second) return;
  if (entry.rules != nullptr) {
    Subscriber& subscriber = *subscribers_.at(id);
    subscriber.policies.insert(key);
    subscriber.sets.share(entry.sets);
  } else if (entry.head) {
    set_rules(key, entry, compile_policy(entry.source).rules);
  }
}

void PolicyTable::give_up(SubscriberId id, const ObjectKey& key) {
  const auto at = entries_.find(key);
  if (at == entries_.end() || at->second.demanded_by.erase(id) == 0) return;
  Entry& entry = at->second;
  Subscriber& subscriber = *subscribers_.at(id);
  subscriber.policies.erase(key);
  subscriber.sets.release(entry.sets);
  if (!entry.demanded_by.empty()) return;
  entry.rules = nullptr;
  entry.sets.clear();
  drop_if_unused(key);
}

void PolicyTable::mark_all(Subscriber& subscriber) const {
  for (const auto& [name, spec] : tiers_) subscriber.tiers.insert(name);
  for (const auto& [key, entry] : entries_) {
    if (entry.head) subscriber.heads.insert(key);
  }
}

void PolicyTable::tell(const Subscriber& subscriber, ClusterUpdate& update) const {
  for (const std::string& name : subscriber.tiers) {
    const auto at = tiers_.find(name);
    update.tiers[name] = at == tiers_.end() ? std::nullopt : std::optional(at->second);
  }
  for (const ObjectKey& key : subscriber.heads) {
    const auto at = entries_.find(key);
    update.heads.emplace_hint(update.heads.end(), key, at == entries_.end() ? std::nullopt : at->second.head);
  }
  for (const ObjectKey& key : subscriber.policies) update.policies[key] = entries_.at(key).rules;
}

}  // namespace margay::policy
