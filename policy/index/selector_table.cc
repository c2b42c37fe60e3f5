#include "policy/index/selector_table.h"

#include <algorithm>
#include <utility>

namespace margay::policy {
namespace {

// What a selector on a list costs, in items to be tried: each item that has the label comes by it, again and again.
constexpr std::size_t kItemsPerSelector = 16;

// The place of the demand with the lowest cost(demand).
template <class Cost>
std::size_t cheapest(const std::vector<Demand>& demands, const Cost& cost) {
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

}  // namespace

// Those that have a label twice count twice.
std::size_t SelectorTable::count_items(const Demand& demand) const {
  std::size_t count = 0;
  for_each_label(demand, [&](LabelId label) { count += carriers_.count_having(label); });
  return count;
}

std::size_t SelectorTable::count_selectors(const Demand& demand) const {
  std::size_t count = store_.key(demand.key).selectors.size();
  for (const LabelId label : demand.any_of) count += store_.label(label).selectors.size();
  return count;
}

const Demand& SelectorTable::rarest(const std::vector<Demand>& demands) const {
  if (demands.size() == 1) return demands.front();
  return demands[cheapest(demands, [this](const Demand& demand) { return count_items(demand); })];
}

void SelectorTable::add(SelectorId id, const selector::Selector& selector) {
  if (id.value() >= entries_.size()) entries_.resize(std::size_t{id.value()} + 1);
  Entry& made = entry(id);
  made.is_here = true;
  made.program = CompiledSelector(selector, store_);
  made.demands = Demands(selector, store_);
  if (made.demands.are_impossible()) return;
  const std::vector<Demand>& demands = made.demands.all();
  if (demands.empty()) {
    always_.insert(std::lower_bound(always_.begin(), always_.end(), id), id);
    return;
  }
  // Where little is known of items yet, a label that many selectors demand is as good as none.
  made.home = cheapest(demands, [this](const Demand& demand) {
    return count_items(demand) + count_selectors(demand) * kItemsPerSelector;
  });
  for_each_list(demands[made.home], [id](FewOf<SelectorId>& list) { list.push_back(id); });
}

void SelectorTable::remove(SelectorId id) {
  Entry gone = std::exchange(entry(id), Entry());
  if (gone.home != kNoHome) {
    for_each_list(gone.demands.all()[gone.home],
                  [id](FewOf<SelectorId>& list) { list.erase(std::find(list.begin(), list.end(), id)); });
  } else if (!gone.demands.are_impossible()) {
    always_.erase(std::lower_bound(always_.begin(), always_.end(), id));
  }
  gone.program.release(store_);
  gone.demands.release(store_);
}

void SelectorTable::find_candidates(const Item& item, std::vector<SelectorId>& out) const {
  out.assign(always_.begin(), always_.end());
  carriers_.for_each_label(item, [&](const CarriedLabel& carried) {
    for (const auto* list : {&store_.label(carried.label).selectors, &store_.key(carried.key).selectors}) {
      out.insert(out.end(), list->begin(), list->end());
    }
  });
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

}  // namespace margay::policy
