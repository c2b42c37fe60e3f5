// SelectorTable: selectors in compiled form, and who is a candidate for whom: the items a selector has to be tried on,
// and the selectors an item has to be tried with. One thread.
#pragma once

#include <cstddef>
#include <vector>

#include "policy/index/carriers.h"
#include "policy/index/compiled_selector.h"
#include "policy/index/demand.h"
#include "policy/index/label_store.h"

namespace margay::policy {

class SelectorTable {
 public:
  SelectorTable(LabelStore& store, const Carriers& carriers) : store_(store), carriers_(carriers) {}

  // It must not be there.
  void add(SelectorId id, const selector::Selector& selector);
  void remove(SelectorId id);
  [[nodiscard]] bool has(SelectorId id) const { return id.value() < entries_.size() && entry(id).is_here; }
  [[nodiscard]] const CompiledSelector& program(SelectorId id) const { return entry(id).program; }

  // visit(ItemId) for each item that may match, some more than once: those that have the rarest label it demands.
  template <class Visit>
  void for_each_candidate(SelectorId id, const Visit& visit) const {
    const Demands& demands = entry(id).demands;
    if (demands.are_impossible()) return;
    if (demands.all().empty()) {
      carriers_.for_each_item(visit);
    } else {
      for_each_label(rarest(demands.all()), [&](LabelId label) { carriers_.for_each_having(label, visit); });
    }
  }
  // The selectors that may match, sorted, each once.
  void find_candidates(const Item& item, std::vector<SelectorId>& out) const;

 private:
  struct Entry {
    bool is_here = false;
    CompiledSelector program;
    Demands demands;
    // The demand by which items find it; none: they try it always, or never when demands are impossible.
    std::size_t home = kNoHome;
  };
  static constexpr std::size_t kNoHome = static_cast<std::size_t>(-1);

  Entry& entry(SelectorId id) { return entries_[id.value()]; }
  [[nodiscard]] const Entry& entry(SelectorId id) const { return entries_[id.value()]; }
  // visit(LabelId) for every label that fulfils it.
  template <class Visit>
  void for_each_label(const Demand& demand, const Visit& visit) const {
    if (demand.any_of.empty()) {
      for (const LabelId label : store_.key(demand.key).labels) visit(label);
    }
    for (const LabelId label : demand.any_of) visit(label);
  }
  // visit(list) for the lists that `demand` puts a selector on.
  template <class Visit>
  void for_each_list(const Demand& demand, const Visit& visit) {
    if (demand.any_of.empty()) visit(store_.key(demand.key).selectors);
    for (const LabelId label : demand.any_of) visit(store_.label(label).selectors);
  }
  [[nodiscard]] std::size_t count_items(const Demand& demand) const;
  [[nodiscard]] std::size_t count_selectors(const Demand& demand) const;
  [[nodiscard]] const Demand& rarest(const std::vector<Demand>& demands) const;

  LabelStore& store_;
  const Carriers& carriers_;
  std::vector<Entry> entries_;
  std::vector<SelectorId> always_;  // demand nothing; sorted
};

}  // namespace margay::policy
