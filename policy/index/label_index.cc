#include "policy/index/label_index.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "policy/index/carriers.h"
#include "policy/index/label_store.h"
#include "policy/index/selector_table.h"
#include "policy/index/sorted.h"

namespace margay::policy {
namespace {}  // namespace

class LabelIndex::Impl {
 public:
  explicit Impl(OnMatch on_match) : on_match_(std::move(on_match)) {}

  void put_item(ItemId id, const StringMap& labels, std::span<const std::string_view> parents) {
    if (carriers_.put_item(id, labels, parents)) evaluate(id);
  }

  void remove_item(ItemId id) {
    if (carriers_.find(id) == nullptr) return;
    const FewOf<SelectorId> matched = carriers_.item(id).matched;
    carriers_.item(id).matched.clear();
    for (const SelectorId selector : matched) on_match_(selector, id, false);
    carriers_.remove_item(id);
  }

  void put_selector(SelectorId id, const selector::Selector& selector) {
    const std::vector<ItemId> before = matches_of(id);
    if (selectors_.has(id)) selectors_.remove(id);
    selectors_.add(id, selector);
    tell(id, before, evaluate(id));
  }

  void remove_selector(SelectorId id) {
    if (!selectors_.has(id)) return;
    const std::vector<ItemId> before = matches_of(id);
    selectors_.remove(id);
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
    if (!selectors_.has(id)) return out;
    selectors_.for_each_candidate(id, [&](ItemId item) {
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
  bool try_match(const CompiledSelector& program, const Item& item) {
    ++evaluations_;
    return program.matches(store_, [&](KeyId key) { return carriers_.find_label(item, key); });
  }

  // The items that match, sorted.
  std::vector<ItemId> evaluate(SelectorId id) {
    std::vector<ItemId> candidates;
    selectors_.for_each_candidate(id, [&](ItemId item) { candidates.push_back(item); });
    sort_and_unite(candidates);
    const CompiledSelector& program = selectors_.program(id);
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
    selectors_.find_candidates(item, candidates_);
    std::erase_if(candidates_, [&](SelectorId selector) { return !try_match(selectors_.program(selector), item); });
    if (std::equal(item.matched.begin(), item.matched.end(), candidates_.begin(), candidates_.end())) return;
    const FewOf<SelectorId> before = item.matched;
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

  OnMatch on_match_;
  LabelStore store_;
  Carriers carriers_{store_};
  SelectorTable selectors_{store_, carriers_};
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
