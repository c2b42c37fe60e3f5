#include "bgp/rib/prefix_walk.h"

#include <algorithm>

namespace margay::bgp::rib {
namespace {

constexpr std::size_t kRunSize = 4096;
// To gather a number is so much less work than to show a prefix.
constexpr std::size_t kGatheredPerPrefix = 16;

}  // namespace

bool PrefixWalk::step(std::size_t prefixes, const std::function<void(PrefixId)>& visit) {
  if (!is_gathered_) {
    gather(prefixes * kGatheredPerPrefix);
    return true;
  }
  for (std::size_t count = 0; count < prefixes; ++count) {
    const auto head = pop_head();
    if (!head) return false;
    const bool is_there = head->id < table_.limit() && table_[head->id].is_used;
    if (!is_there || table_.prefix(head->id) != head->prefix || (last_ && head->prefix <= *last_)) continue;
    last_ = head->prefix;
    visit(head->id);
  }
  return true;
}

void PrefixWalk::gather(std::size_t count) {
  for (; count > 0 && next_ < table_.limit(); --count, ++next_) {
    if (!table_[next_].is_used) continue;
    if (runs_.empty() || runs_.back().size() == kRunSize) {
      end_run();
      runs_.emplace_back().reserve(kRunSize);
    }
    runs_.back().push_back(item_of(next_));
  }
  if (next_ < table_.limit()) return;
  end_run();
  is_gathered_ = true;
}

void PrefixWalk::end_run() {
  if (runs_.empty()) return;
  std::vector<Item>& run = runs_.back();
  std::erase_if(run, [this](const Item& item) { return !is_same(item); });
  std::sort(run.begin(), run.end(),
            [this](const Item& a, const Item& b) { return table_.prefix(b.id) < table_.prefix(a.id); });
  push_head(runs_.size() - 1);
}

PrefixWalk::Item PrefixWalk::item_of(PrefixId id) const {
  const IpPrefix prefix = table_.prefix(id);
  return {id, static_cast<std::uint32_t>(prefix.bits().hash(static_cast<std::uint64_t>(prefix.length())))};
}

bool PrefixWalk::is_same(const Item& item) const {
  return item.id < table_.limit() && table_[item.id].is_used && item_of(item.id).fingerprint == item.fingerprint;
}

void PrefixWalk::push_head(std::size_t run) {
  std::vector<Item>& items = runs_[run];
  while (!items.empty() && !is_same(items.back())) items.pop_back();
  if (items.empty()) return;
  const PrefixId id = items.back().id;
  items.pop_back();
  heads_.push_back({table_.prefix(id), id, run});
  std::push_heap(heads_.begin(), heads_.end(), is_later);
}

std::optional<PrefixWalk::Head> PrefixWalk::pop_head() {
  if (heads_.empty()) return std::nullopt;
  std::pop_heap(heads_.begin(), heads_.end(), is_later);
  const Head head = heads_.back();
  heads_.pop_back();
  push_head(head.run);
  return head;
}

}  // namespace margay::bgp::rib
