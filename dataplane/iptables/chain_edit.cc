#include "dataplane/iptables/chain_edit.h"

#include <algorithm>
#include <map>
#include <utility>

namespace margay::iptables {
namespace {

struct Pair {
  std::size_t actual;
  std::size_t wanted;
};

// Rules that are in both, the first of equal ones with the first, in the order of `actual`.
std::vector<Pair> pairs_of(const std::vector<Mark>& actual, const std::vector<Mark>& wanted, const Pair& begin,
                           const Pair& end) {
  std::multimap<Mark, std::size_t> places;
  for (std::size_t i = begin.wanted; i < end.wanted; ++i) places.emplace(wanted[i], i);
  std::vector<Pair> pairs;
  for (std::size_t i = begin.actual; i < end.actual; ++i) {
    const auto place = places.lower_bound(actual[i]);
    if (place == places.end() || place->first != actual[i]) continue;
    pairs.push_back({i, place->second});
    places.erase(place);
  }
  return pairs;
}

// The longest run of pairs that ascends in both: what can stay where it is. (Patience sorting; Fredman 1975.)
std::vector<Pair> ascending(const std::vector<Pair>& pairs) {
  constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> tails;  // of the best run of each length, its last pair
  std::vector<std::size_t> before(pairs.size(), kNone);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto at = std::lower_bound(tails.begin(), tails.end(), pairs[i].wanted,
                                     [&](std::size_t tail, std::size_t value) { return pairs[tail].wanted < value; });
    if (at != tails.begin()) before[i] = *std::prev(at);
    if (at == tails.end()) {
      tails.push_back(i);
    } else {
      *at = i;
    }
  }
  std::vector<Pair> out;
  for (std::size_t i = tails.empty() ? kNone : tails.back(); i != kNone; i = before[i]) out.push_back(pairs[i]);
  std::reverse(out.begin(), out.end());
  return out;
}

// What lies between two rules that stay: as many as there are on both sides are replaced, the rest goes or comes.
class Script {
 public:
  explicit Script(std::size_t position, bool has_rest) : position_(position), has_rest_(has_rest) {}

  void gap(std::size_t removed, std::size_t first_added, std::size_t added, bool is_last) {
    const std::size_t replaced = std::min(removed, added);
    for (std::size_t i = 0; i < replaced; ++i) put(Edit::What::kReplace, first_added + i);
    for (std::size_t i = replaced; i < removed; ++i) edits_.push_back({Edit::What::kDelete, position_, 0});
    const bool is_at_end = is_last && !has_rest_;
    for (std::size_t i = replaced; i < added; ++i) {
      put(is_at_end ? Edit::What::kAppend : Edit::What::kInsert, first_added + i);
    }
  }
  void stay() { ++position_; }
  std::vector<Edit> take() { return std::move(edits_); }

 private:
  void put(Edit::What what, std::size_t wanted) {
    edits_.push_back({what, what == Edit::What::kAppend ? 0 : position_, wanted});
    ++position_;
  }
  std::size_t position_;
  bool has_rest_;  // rules that stay follow the last gap
  std::vector<Edit> edits_;
};

}  // namespace

std::vector<Edit> edits_between(const std::vector<Mark>& actual, const std::vector<Mark>& wanted) {
  const std::size_t shorter = std::min(actual.size(), wanted.size());
  std::size_t head = 0;
  while (head < shorter && actual[head] == wanted[head]) ++head;
  std::size_t tail = 0;
  while (tail < shorter - head && actual[actual.size() - 1 - tail] == wanted[wanted.size() - 1 - tail]) ++tail;
  const Pair end{actual.size() - tail, wanted.size() - tail};
  Pair at{head, head};
  Script script(head + 1, tail > 0);
  for (const Pair& kept : ascending(pairs_of(actual, wanted, at, end))) {
    script.gap(kept.actual - at.actual, at.wanted, kept.wanted - at.wanted, false);
    script.stay();
    at = {kept.actual + 1, kept.wanted + 1};
  }
  script.gap(end.actual - at.actual, at.wanted, end.wanted - at.wanted, true);
  return script.take();
}

}  // namespace margay::iptables
