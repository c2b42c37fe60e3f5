#include "policy/index/label_index.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "policy/index/carriers.h"
#include "policy/index/compiled_selector.h"
#include "policy/index/demand.h"
#include "policy/index/label_store.h"

namespace margay::policy {
namespace {

template <class List, class T>
bool contains_sorted(const List& list, const T& value) {
  return std::binary_search(list.begin(), list.end(), value);
}

template <class List, class T>
void insert_sorted(List& list, const T& value) {
  list.insert(std::lower_bound(list.begin(), list.end(), value), value);
}

template <class List, class T>
void erase_sorted(List& list, const T& value) {
  list.erase(std::lower_bound(list.begin(), list.end(), value));
}

template <class List>
void sort_and_unite(List& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

class LabelIndex::Impl {
 public:
  explicit Impl(OnMatch on_match) : on_match_(std::move(on_match)) {}

  void put_item(ItemId id, const StringMap& labels, std::span<const std::string_view> parents) {
    if (carriers_.put_item(id, labels, parents)) evaluate(id);
  }

  void remove_item(ItemId id) {
    if (carriers_.find(id) == nullptr) return;
    const FewOf<SelectorId> matched = std::exchange(carriers_.item(id).matched, {});
    for (const SelectorId selector : matched) on_match_(selector, id, false);
    carriers_.remove_item(id);
  }

  void put_selector(SelectorId id, const selector::Selector& selector) {
    if (id.value() >= entries_.size()) entries_.resize(std::size_t{id.value()} + 1);
    std::vector<ItemId> before;
    if (entry(id).is_here) {
      before = matches_of(id);
      forget(id);
    }
    Entry& made = entry(id);
    made.is_here = true;
    made.program = CompiledSelector(selector, store_);
    made.demands = Demands(selector, store_);
    enlist(id);
    tell(id, before, evaluate(id));
  }

  void remove_selector(SelectorId id) {
    if (!is_here(id)) return;
    const std::vector<ItemId> before = matches_of(id);
    forget(id);
    tell(id, before, {});
  }

  void put_parent(std::string_view name, const StringMap& labels) {
    if (const auto parent = carriers_.put_parent(name, labels)) evaluate_children(*parent);
  }

  void remove_parent(std::string_view name) {
    if (const auto parent = carriers_.remove_parent(name)) evaluate_children(*parent);
  }

  [[nodiscard]] std::vector<ItemId> matches_of(SelectorId id) const {
    std::vector<ItemId> out;
    if (!is_here(id)) return out;
    for_each_candidate(id, [&](ItemId item) {
      if (is_match(id, item)) out.push_back(item);
    });
    sort_and_unite(out);
    return out;
  }

  [[nodiscard]] std::span<const SelectorId> selectors_of(ItemId id) const {
    const Item* item = carriers_.find(id);
    return item == nullptr ? std::span<const SelectorId>() : std::span<const SelectorId>(item->matched);
  }

  [[nodiscard]] bool is_match(SelectorId selector, ItemId item) const {
    return contains_sorted(selectors_of(item), selector);
  }

  [[nodiscard]] std::uint64_t evaluations() const { return evaluations_; }

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
  [[nodiscard]] bool is_here(SelectorId id) const { return id.value() < entries_.size() && entry(id).is_here; }

  bool try_match(const CompiledSelector& program, const Item& item) {
    ++evaluations_;
    return program.matches(store_, [&](KeyId key) { return carriers_.find_label(item, key); });
  }

  // visit(LabelId) for every label that fulfils it.
  template <class Visit>
  void for_each_label(const Demand& demand, Visit&& visit) const {
    if (!demand.any_of.empty()) {
      for (const LabelId label : demand.any_of) visit(label);
    } else {
      for (const LabelId label : store_.key(demand.key).labels) visit(label);
    }
  }

  // How many items have to be looked at; those that have the label twice count twice.
  [[nodiscard]] std::size_t count_items(const Demand& demand) const {
    std::size_t count = 0;
    for_each_label(demand, [&](LabelId id) {
      const LabelStore::Label& label = store_.label(id);
      count += label.items.size();
      for (const ParentId parent : label.parents) count += carriers_.children(parent).size();
    });
    return count;
  }

  // How many selectors its items would come by.
  [[nodiscard]] std::size_t count_selectors(const Demand& demand) const {
    std::size_t count = store_.key(demand.key).selectors.size();
    for (const LabelId label : demand.any_of) count += store_.label(label).selectors.size();
    return count;
  }

  // The place of the demand with the lowest cost(demand).
  template <class Cost>
  static std::size_t cheapest(const std::vector<Demand>& demands, const Cost& cost) {
    std::size_t best = 0;
    std::size_t best_cost = cost(demands.front());
    for (std::size_t i = 1; i < demands.size(); ++i) {
      const std::size_t other = cost(demands[i]);
      if (other < best_cost) {
        best = i;
        best_cost = other;
      }
    }
    return best;
  }

  // visit(ItemId) for each item that may match, some more than once.
  template <class Visit>
  void for_each_candidate(SelectorId id, Visit&& visit) const {
    const Demands& demands = entry(id).demands;
    if (demands.are_impossible()) return;
    if (demands.all().empty()) {
      for (std::uint32_t i = 0; i < carriers_.items_end(); ++i) {
        if (carriers_.item(ItemId(i)).is_here) visit(ItemId(i));
      }
      return;
    }
    const std::size_t rarest = cheapest(demands.all(), [this](const Demand& demand) { return count_items(demand); });
    for_each_label(demands.all()[rarest], [&](LabelId label) {
      for (const ItemId item : store_.label(label).items) visit(item);
      for (const ParentId parent : store_.label(label).parents) {
        for (const ItemId item : carriers_.children(parent)) visit(item);
      }
    });
  }

  // visit(list) for the lists that `demand` puts a selector on.
  template <class Visit>
  void for_each_list(const Demand& demand, Visit&& visit) {
    if (demand.any_of.empty()) visit(store_.key(demand.key).selectors);
    for (const LabelId label : demand.any_of) visit(store_.label(label).selectors);
  }

  void enlist(SelectorId id) {
    Entry& made = entry(id);
    if (made.demands.are_impossible()) return;
    const std::vector<Demand>& demands = made.demands.all();
    if (demands.empty()) {
      insert_sorted(always_, id);
      return;
    }
    // Where nothing is known of items yet, a label that many selectors demand is as good as none.
    made.home = cheapest(demands, [this](const Demand& demand) {
      return count_items(demand) + count_selectors(demand) * kItemsPerSelector;
    });
    for_each_list(demands[made.home], [id](FewOf<SelectorId>& list) { list.push_back(id); });
  }

  void forget(SelectorId id) {
    Entry gone = std::exchange(entry(id), Entry());
    if (gone.home != kNoHome) {
      for_each_list(gone.demands.all()[gone.home],
                    [id](FewOf<SelectorId>& list) { list.erase(std::find(list.begin(), list.end(), id)); });
    } else if (!gone.demands.are_impossible()) {
      erase_sorted(always_, id);
    }
    gone.program.release(store_);
    gone.demands.release(store_);
  }

  // The items that match, sorted.
  std::vector<ItemId> evaluate(SelectorId id) {
    std::vector<ItemId> candidates;
    for_each_candidate(id, [&](ItemId item) { candidates.push_back(item); });
    sort_and_unite(candidates);
    const CompiledSelector& program = entry(id).program;
    std::erase_if(candidates, [&](ItemId item) { return !try_match(program, carriers_.item(item)); });
    return candidates;
  }

  void tell(SelectorId id, const std::vector<ItemId>& before, const std::vector<ItemId>& after) {
    std::vector<ItemId> changed;
    std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(changed));
    for (const ItemId item : changed) {
      erase_sorted(carriers_.item(item).matched, id);
      on_match_(id, item, false);
    }
    changed.clear();
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::back_inserter(changed));
    for (const ItemId item : changed) {
      insert_sorted(carriers_.item(item).matched, id);
      on_match_(id, item, true);
    }
  }

  void evaluate_children(ParentId parent) {
    for (const ItemId child : carriers_.children(parent)) evaluate(child);
  }

  void evaluate(ItemId id) {
    Item& item = carriers_.item(id);
    candidates_.assign(always_.begin(), always_.end());
    carriers_.for_each_label(item, [&](const CarriedLabel& carried) {
      for (const auto* list : {&store_.label(carried.label).selectors, &store_.key(carried.key).selectors}) {
        candidates_.insert(candidates_.end(), list->begin(), list->end());
      }
    });
    sort_and_unite(candidates_);
    std::erase_if(candidates_, [&](SelectorId selector) { return !try_match(entry(selector).program, item); });
    if (std::equal(item.matched.begin(), item.matched.end(), candidates_.begin(), candidates_.end())) return;
    const FewOf<SelectorId> before = std::exchange(item.matched, {});
    item.matched.reserve(candidates_.size());
    item.matched.assign(candidates_.begin(), candidates_.end());
    changed_.clear();
    std::set_difference(before.begin(), before.end(), candidates_.begin(), candidates_.end(),
                        std::back_inserter(changed_));
    for (const SelectorId selector : changed_) on_match_(selector, id, false);
    changed_.clear();
    std::set_difference(candidates_.begin(), candidates_.end(), before.begin(), before.end(),
                        std::back_inserter(changed_));
    for (const SelectorId selector : changed_) on_match_(selector, id, true);
  }

  static constexpr std::size_t kItemsPerSelector = 16;

  OnMatch on_match_;
  LabelStore store_;
  Carriers carriers_{store_};
  std::vector<Entry> entries_;
  std::vector<SelectorId> always_;  // demand nothing
  std::uint64_t evaluations_ = 0;
  // Of evaluate(ItemId): kept for their room.
  std::vector<SelectorId> candidates_;
  std::vector<SelectorId> changed_;
};

LabelIndex::LabelIndex(OnMatch on_match) : impl_(std::make_unique<Impl>(std::move(on_match))) {}
LabelIndex::~LabelIndex() = default;

void LabelIndex::put_item(ItemId id, const StringMap& labels, std::span<const std::string_view> parents) {
  impl_->put_item(id, labels, parents);
}
void LabelIndex::remove_item(ItemId id) { impl_->remove_item(id); }
void LabelIndex::put_selector(SelectorId id, const selector::Selector& selector) { impl_->put_selector(id, selector); }
void LabelIndex::remove_selector(SelectorId id) { impl_->remove_selector(id); }
void LabelIndex::put_parent(std::string_view name, const StringMap& labels) { impl_->put_parent(name, labels); }
void LabelIndex::remove_parent(std::string_view name) { impl_->remove_parent(name); }
std::vector<ItemId> LabelIndex::matches_of(SelectorId id) const { return impl_->matches_of(id); }
std::span<const SelectorId> LabelIndex::selectors_of(ItemId id) const { return impl_->selectors_of(id); }
bool LabelIndex::is_match(SelectorId selector, ItemId item) const { return impl_->is_match(selector, item); }
std::uint64_t LabelIndex::evaluations() const { return impl_->evaluations(); }

}  // namespace margay::policy
