#include "dataplane/route/route_batch.h"

#include <algorithm>
#include <utility>

namespace margay::route {

namespace {

constexpr std::size_t kOvertakenMax = 4096;  // that are carried along at least

}  // namespace

const HopSet* RouteBatch::keep(const HopSet& hops) {
  if (recent_ == nullptr || *recent_ != hops) recent_ = &*sets_.insert(hops).first;
  return recent_;
}

void RouteBatch::add(const Change& change) {
  changes_.push_back(change);
  // After that: what the change refers to is among what is kept.
  if (changes_.size() > 2 * kept_ + kOvertakenMax) drop_overtaken();
}

void RouteBatch::set(const IpPrefix& prefix, const HopSet& hops, std::uint32_t metric) {
  add({prefix, keep(hops), metric});
}

void RouteBatch::remove(const IpPrefix& prefix) { add({prefix, nullptr, 0}); }

void RouteBatch::merge(RouteBatch&& later) {
  if (later.starts_anew_) {
    const bool was_converged = is_converged_;
    const auto table = table_;
    *this = std::move(later);
    is_converged_ = is_converged_ || was_converged;
    if (!table_) table_ = table;
    return;
  }
  for (const Change& change : later.changes_) {
    add({change.prefix, change.hops == nullptr ? nullptr : keep(*change.hops), change.metric});
  }
  is_converged_ = is_converged_ || later.is_converged_;
  if (later.table_) table_ = later.table_;
}

// Of several changes of one prefix the last; sets that no change needs any more go with the others.
void RouteBatch::drop_overtaken() {
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Change& a, const Change& b) { return a.prefix < b.prefix; });
  const auto first_kept = std::unique(changes_.rbegin(), changes_.rend(), [](const Change& a, const Change& b) {
                            return a.prefix == b.prefix;
                          }).base();
  changes_.erase(changes_.begin(), first_kept);
  std::set<const HopSet*> used;
  for (const Change& change : changes_) used.insert(change.hops);
  std::erase_if(sets_, [&used](const HopSet& set) { return !used.contains(&set); });
  recent_ = nullptr;
  kept_ = changes_.size();
}

}  // namespace margay::route
