// LabelIndex: which selectors match which items, kept while both change.
//
//   put_parent(name, labels)          ┐
//   put_item(id, labels, parents)     ├──▶ on_match(selector, item, is_matching)   each change once, in no fixed order
//   put_selector(id, Selector)        ┘
//
// Items are endpoints and network sets; parents are profiles (namespaces, service accounts) whose labels an item
// inherits: its own win, then those of earlier parents. Labels are interned; a selector is compiled against the
// interned numbers. By what a selector demands of labels (datastore/selector/restrictions.h) both directions are
// indexed: a new selector looks at the items that have the rarest label it demands, a changed item at the selectors
// that demand a label it has and at those that demand none. Neither scans everything, except selectors that
// demand nothing.
//
// Pure, one thread. Ids are the caller's, dense small numbers. Callbacks run inside put and remove and must not
// change anything; what they look up about other pairs is so already. on_match(…, true) comes once for each pair, and
// (…, false) only after it, also when either is removed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/core/string_map.h"
#include "base/ip/ids.h"
#include "datastore/selector/selector.h"

namespace margay::policy {

using ItemId = Id<struct ItemIdTag, std::uint32_t>;
using SelectorId = Id<struct SelectorIdTag, std::uint32_t>;

class LabelIndex {
 public:
  using OnMatch = std::function<void(SelectorId, ItemId, bool is_matching)>;

  explicit LabelIndex(OnMatch on_match);
  ~LabelIndex();
  LabelIndex(const LabelIndex&) = delete;
  LabelIndex& operator=(const LabelIndex&) = delete;

  // Replaces what was there. Parents may be unknown: they have no labels until put.
  void put_item(ItemId id, const StringMap& labels, std::span<const std::string_view> parents);
  void remove_item(ItemId id);
  void put_selector(SelectorId id, const selector::Selector& selector);
  void remove_selector(SelectorId id);
  void put_parent(std::string_view name, const StringMap& labels);
  void remove_parent(std::string_view name);

  // The items that match now, sorted. Costs a look at each candidate.
  [[nodiscard]] std::vector<ItemId> matches_of(SelectorId id) const;
  // The selectors that match now, sorted; until the next change.
  [[nodiscard]] std::span<const SelectorId> selectors_of(ItemId id) const;
  [[nodiscard]] bool is_match(SelectorId selector, ItemId item) const;

  // Selector evaluations so far: what tests bound.
  [[nodiscard]] std::uint64_t evaluations() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::policy
