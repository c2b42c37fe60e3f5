// NodePolicies: all policy heads a node half knows, with the rules of those it demanded, and which local endpoints each
// selects. Pure, one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/calc/counted.h"
#include "policy/calc/exchange.h"
#include "policy/calc/input.h"
#include "policy/desired/delta.h"
#include "policy/index/label_index.h"

namespace margay::policy {

class NodePolicies {
 public:
  struct Entry {
    const ObjectKey* key = nullptr;
    std::optional<PolicyHead> head;  // nullopt: gone from the cluster, but still needed here
    std::optional<SelectorId> selector;
    Shared<RuleSet> rules;     // those demanded
    Shared<Policy> published;  // what the outside has
  };
  // Something that the tiers of the endpoint depend on may have changed.
  using OnTouched = std::function<void(ItemId)>;

  NodePolicies(LabelIndex& index, OnTouched on_touched) : index_(index), on_touched_(std::move(on_touched)) {}

  void put_head(const ObjectKey& key, const std::optional<PolicyHead>& head, Delta& out);
  void put_rules(const ObjectKey& key, Shared<RuleSet> rules, Delta& out);

  [[nodiscard]] const Entry& entry_of(SelectorId id) const { return *by_selector_[id.value()]; }
  [[nodiscard]] bool is_here(const ObjectKey& key) const;

  void add_use(const ObjectKey& key) { uses_.add(key); }
  void release_use(const ObjectKey& key) { uses_.release(key); }
  // Those given up are gone from the outside with this delta.
  void take_demand(NodeDemand& demand, Delta& out);

 private:
  void publish(Entry& entry, Delta& out);
  void set_selector(Entry& entry, const std::string& text);
  void clear_selector(Entry& entry);
  void touch_endpoints_of(const Entry& entry);

  LabelIndex& index_;
  OnTouched on_touched_;
  std::map<ObjectKey, Entry> entries_;
  std::vector<Entry*> by_selector_;
  std::vector<SelectorId> free_selectors_;
  Counted<ObjectKey> uses_;
};

}  // namespace margay::policy
