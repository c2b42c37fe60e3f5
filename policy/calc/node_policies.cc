#include "policy/calc/node_policies.h"

#include <utility>

#include "policy/calc/endpoint_selector.h"

namespace margay::policy {
namespace {

Policy policy_of(const NodePolicies::Entry& entry) {
  const PolicyHead& head = *entry.head;
  return Policy{.id = *entry.key,
                .tier = head.tier,
                .is_staged = head.is_staged,
                .do_not_track = head.do_not_track,
                .pre_dnat = head.pre_dnat,
                .apply_on_forward = head.apply_on_forward,
                .selector = head.selector,
                .rules = entry.rules};
}

}  // namespace

void NodePolicies::put_head(const ObjectKey& key, const std::optional<PolicyHead>& head, Delta& out) {
  const auto [at, is_new] = entries_.try_emplace(key);
  Entry& entry = at->second;
  entry.key = &at->first;
  if (entry.head == head) {
    if (is_new) entries_.erase(at);
    return;
  }
  const std::optional<PolicyHead> old = std::exchange(entry.head, head);
  const bool was_everywhere = old && old->is_for_every_node;
  const bool is_everywhere = head && head->is_for_every_node;
  if (is_everywhere && !was_everywhere) uses_.add(key);
  if (was_everywhere && !is_everywhere) uses_.release(key);
  if (!head) {
    clear_selector(entry);
    if (!uses_.is_demanded(key)) entries_.erase(at);
    return;
  }
  if (old && old->selector == head->selector) {
    touch_endpoints_of(entry);
  } else {
    clear_selector(entry);
    set_selector(entry, head->selector);
  }
  publish(entry, out);
}

void NodePolicies::put_rules(const ObjectKey& key, Shared<RuleSet> rules, Delta& out) {
  const auto at = entries_.find(key);
  if (at == entries_.end() || !uses_.is_demanded(key)) return;
  at->second.rules = std::move(rules);
  publish(at->second, out);
}

void NodePolicies::publish(Entry& entry, Delta& out) {
  if (entry.rules == nullptr || !entry.head) return;
  Policy policy = policy_of(entry);
  if (entry.published != nullptr && *entry.published == policy) return;
  entry.published = std::make_shared<const Policy>(std::move(policy));
  out.policies[*entry.key] = entry.published;
}

bool NodePolicies::is_here(const ObjectKey& key) const {
  const auto at = entries_.find(key);
  return at != entries_.end() && at->second.published != nullptr;
}

void NodePolicies::take_demand(NodeDemand& demand, Delta& out) {
  uses_.take(demand.policies_added, demand.policies_removed);
  for (const ObjectKey& key : demand.policies_removed) {
    const auto at = entries_.find(key);
    if (at == entries_.end()) continue;
    at->second.rules = nullptr;
    if (std::exchange(at->second.published, nullptr) != nullptr) out.policies[key] = nullptr;
    if (!at->second.head) entries_.erase(at);
  }
}

void NodePolicies::set_selector(Entry& entry, const std::string& text) {
  Result<selector::Selector> parsed = selector::Selector::parse(text, kJoinedLimits);
  if (!parsed.ok()) return;  // the cluster half has seen to it; from elsewhere: it selects nothing
  if (free_selectors_.empty()) {
    free_selectors_.emplace_back(static_cast<std::uint32_t>(by_selector_.size()));
    by_selector_.push_back(nullptr);
  }
  const SelectorId id = free_selectors_.back();
  free_selectors_.pop_back();
  by_selector_[id.value()] = &entry;
  entry.selector = id;
  index_.put_selector(id, *parsed);
}

void NodePolicies::clear_selector(Entry& entry) {
  if (!entry.selector) return;
  const SelectorId id = *std::exchange(entry.selector, std::nullopt);
  index_.remove_selector(id);
  by_selector_[id.value()] = nullptr;
  free_selectors_.push_back(id);
}

void NodePolicies::touch_endpoints_of(const Entry& entry) {
  if (!entry.selector) return;
  for (const ItemId item : index_.matches_of(*entry.selector)) on_touched_(item);
}

}  // namespace margay::policy
