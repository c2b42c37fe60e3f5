// DeltaTracker<Key, Value>: what should be there (desired), what is there (actual), and the difference that has to be
// applied, kept up to date with each change. Used for everything that is programmed somewhere: routes, sets, maps,
// peers.
//
//        desired only        both, different        both, equal        actual only
//       ─────────────────   ──────────────────   ─────────────────   ────────────────
//        pending update      pending update       nothing to do       pending remove
//
// An equal value is stored once. Counts cost nothing; changes cost a look-up in a map. Walks go in key order.
// Values are compared with ==. A pure value: no thread of its own, no clock, no I/O; backoff is the driver's.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace margay {

// What became of a change that a driver tried to apply.
enum class Outcome {
  kApplied,  // actual is now as desired
  kFailed,   // stays pending; the walk goes on
  kStop,     // stays pending, as does everything after it
};

template <class Key, class Value>
class DeltaTracker {
 public:
  DeltaTracker() = default;
  DeltaTracker(const DeltaTracker&) = delete;  // the lists below point into the map
  DeltaTracker& operator=(const DeltaTracker&) = delete;

  // --- desired: from the calculation ---
  void set_desired(const Key& key, Value value) {
    const auto [at, is_new] = entries_.try_emplace(key, std::move(value));
    if (is_new) return move_to(at, State::kAdd);
    Entry& entry = at->second;
    if (entry.state == State::kInSync && entry.value == value) return;
    if (entry.state == State::kAdd) {
      entry.value = std::move(value);
      return;
    }
    std::unique_ptr<Value> actual = take_actual(entry);
    entry.value = std::move(value);
    settle(at, std::move(actual));
  }

  void remove_desired(const Key& key) {
    const auto at = entries_.find(key);
    if (at == entries_.end() || at->second.state == State::kRemove) return;
    if (at->second.state == State::kAdd) return erase(at);
    if (at->second.state == State::kChange) at->second.value = std::move(*at->second.actual);
    at->second.actual.reset();
    move_to(at, State::kRemove);
  }

  // --- actual: from reading back, or from notifications ---
  void note_actual(const Key& key, Value value) {
    const auto [at, is_new] = entries_.try_emplace(key, std::move(value));
    if (is_new) return move_to(at, State::kRemove);
    if (at->second.state == State::kRemove) {
      at->second.value = std::move(value);
    } else {
      settle(at, std::make_unique<Value>(std::move(value)));
    }
  }

  // It is not there (any more).
  void actual_lost(const Key& key) {
    const auto at = entries_.find(key);
    if (at != entries_.end()) lose_actual(at);
  }

  // Resync: exactly this is there, and nothing else.
  void replace_all_actual(std::map<Key, Value> actual) {
    for (auto at = entries_.begin(); at != entries_.end();) {
      const auto here = at++;
      if (!actual.contains(here->first)) lose_actual(here);
    }
    for (auto& [key, value] : actual) note_actual(key, std::move(value));
  }

  // --- the difference ---
  [[nodiscard]] std::size_t pending_updates() const { return updates_.size(); }
  [[nodiscard]] std::size_t pending_removes() const { return removes_.size(); }
  [[nodiscard]] bool is_in_sync() const { return updates_.empty() && removes_.empty(); }
  [[nodiscard]] std::size_t desired_count() const { return entries_.size() - removes_.size(); }
  [[nodiscard]] std::size_t actual_count() const { return entries_.size() - adds_; }

  // apply(key, desired, const Value* actual) -> Outcome, for all that is missing (actual is nullptr) or different.
  // It must not change the tracker.
  template <class Apply>
  void apply_updates(Apply&& apply) {
    for (auto next = updates_.begin(); next != updates_.end();) {
      const At at = *next++;
      const Value* actual = at->second.actual.get();
      const Outcome outcome = apply(at->first, std::as_const(at->second.value), actual);
      if (outcome == Outcome::kStop) return;
      if (outcome == Outcome::kFailed) continue;
      at->second.actual.reset();
      move_to(at, State::kInSync);
    }
  }

  // apply(key, actual) -> Outcome, for all that is there and should not be. It must not change the tracker.
  template <class Apply>
  void apply_removes(Apply&& apply) {
    for (auto next = removes_.begin(); next != removes_.end();) {
      const At at = *next++;
      const Outcome outcome = apply(at->first, std::as_const(at->second.value));
      if (outcome == Outcome::kStop) return;
      if (outcome == Outcome::kApplied) erase(at);
    }
  }

  // --- looking ---
  [[nodiscard]] const Value* desired(const Key& key) const {
    const auto at = entries_.find(key);
    return at == entries_.end() || at->second.state == State::kRemove ? nullptr : &at->second.value;
  }
  [[nodiscard]] const Value* actual(const Key& key) const {
    const auto at = entries_.find(key);
    return at == entries_.end() ? nullptr : actual_of(at->second);
  }
  // visit(key, const Value* desired, const Value* actual) for every key that has either.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [key, entry] : entries_) {
      visit(key, entry.state == State::kRemove ? nullptr : &entry.value, actual_of(entry));
    }
  }

 private:
  enum class State { kNew, kAdd, kChange, kInSync, kRemove };
  struct Entry {
    explicit Entry(Value first) : value(std::move(first)) {}
    Value value;                    // desired; in kRemove, actual
    std::unique_ptr<Value> actual;  // only in kChange
    State state = State::kNew;      // kNew: being put in
  };
  using Entries = std::map<Key, Entry>;
  using At = typename Entries::iterator;
  struct ByKey {
    bool operator()(const At& a, const At& b) const { return a->first < b->first; }
  };

  static bool is_update(State state) { return state == State::kAdd || state == State::kChange; }

  static const Value* actual_of(const Entry& entry) {
    if (entry.state == State::kChange) return entry.actual.get();
    return entry.state == State::kAdd ? nullptr : &entry.value;
  }

  static std::unique_ptr<Value> take_actual(Entry& entry) {
    return entry.actual ? std::move(entry.actual) : std::make_unique<Value>(std::move(entry.value));
  }

  // Both are there: equal or not decides.
  void settle(At at, std::unique_ptr<Value> actual) {
    const bool is_equal = at->second.value == *actual;
    at->second.actual = is_equal ? nullptr : std::move(actual);
    move_to(at, is_equal ? State::kInSync : State::kChange);
  }

  void lose_actual(At at) {
    if (at->second.state == State::kRemove) return erase(at);
    at->second.actual.reset();
    move_to(at, State::kAdd);
  }

  void move_to(At at, State state) {
    leave_lists(at);
    at->second.state = state;
    adds_ += state == State::kAdd ? 1 : 0;
    if (is_update(state)) updates_.insert(at);
    if (state == State::kRemove) removes_.insert(at);
  }

  void leave_lists(At at) {
    const State state = at->second.state;
    adds_ -= state == State::kAdd ? 1 : 0;
    if (is_update(state)) updates_.erase(at);
    if (state == State::kRemove) removes_.erase(at);
  }

  void erase(At at) {
    leave_lists(at);
    entries_.erase(at);
  }

  Entries entries_;
  std::set<At, ByKey> updates_;
  std::set<At, ByKey> removes_;
  std::size_t adds_ = 0;
};

}  // namespace margay
