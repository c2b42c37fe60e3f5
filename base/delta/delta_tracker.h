// DeltaTracker<Key, Value>: what should be there (desired), what is there (actual), and the difference that has to be
// applied, kept up to date with each change. Used for everything that is programmed somewhere: routes, sets, maps,
// peers.
//
//        desired only        both, different        both, equal        actual only
//       ─────────────────   ──────────────────   ─────────────────   ────────────────
//        pending update      pending update       nothing to do       pending remove
//
// An equal value is stored once. Counts cost nothing; changes a look-up in a map, less for keys in order. Walks go in
// key order. Values are compared with ==. A pure value: no thread, no clock, no I/O; backoff is the driver's.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <utility>

#include "base/delta/near_map.h"
#include "base/delta/pending_list.h"

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
    const At at = entries_.put(key, value);
    Entry& entry = at->second;
    if (entry.state == State::kNew) return move_to(at, State::kAdd);
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
    const At at = entries_.find(key);
    if (at == entries_.end() || at->second.state == State::kRemove) return;
    if (at->second.state == State::kAdd) return erase(at);
    if (at->second.state == State::kChange) at->second.value = std::move(*at->second.actual);
    at->second.actual.reset();
    move_to(at, State::kRemove);
  }

  // --- actual: from reading back, or from notifications ---
  void note_actual(const Key& key, Value value) {
    const At at = entries_.put(key, value);
    if (at->second.state == State::kNew) return move_to(at, State::kRemove);
    if (at->second.state == State::kRemove) {
      at->second.value = std::move(value);
    } else {
      settle(at, std::make_unique<Value>(std::move(value)));
    }
  }

  // It is not there (any more).
  void actual_lost(const Key& key) {
    const At at = entries_.find(key);
    if (at != entries_.end()) lose_actual(at);
  }

  // Resync: exactly this is there, and nothing else.
  void replace_all_actual(std::map<Key, Value> actual) {
    auto found = actual.begin();
    for (At at = entries_.begin(); at != entries_.end();) {
      const At here = at++;
      while (found != actual.end() && found->first < here->first) ++found;
      if (found == actual.end() || here->first < found->first) lose_actual(here);
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
    updates_.walk([&](At at) {
      const Value* actual = at->second.actual.get();
      const Outcome outcome = apply(at->first, std::as_const(at->second.value), actual);
      if (outcome == Outcome::kApplied) {
        at->second.actual.reset();
        move_to(at, State::kInSync);
      }
      return outcome != Outcome::kStop;
    });
  }

  // apply(key, actual) -> Outcome, for all that is there and should not be. It must not change the tracker.
  template <class Apply>
  void apply_removes(Apply&& apply) {
    removes_.walk([&](At at) {
      const Outcome outcome = apply(at->first, std::as_const(at->second.value));
      if (outcome == Outcome::kApplied) erase(at);
      return outcome != Outcome::kStop;
    });
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
    std::size_t place = 0;          // in the list of its state
  };
  using Entries = NearMap<Key, Entry>;
  using At = typename Entries::At;

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
    if (is_update(state)) updates_.add(at);
    if (state == State::kRemove) removes_.add(at);
  }

  void leave_lists(At at) {
    const State state = at->second.state;
    adds_ -= state == State::kAdd ? 1 : 0;
    if (is_update(state)) updates_.remove(at);
    if (state == State::kRemove) removes_.remove(at);
  }

  void erase(At at) {
    leave_lists(at);
    entries_.erase(at);
  }

  Entries entries_;
  PendingList<At> updates_{entries_.end()};
  PendingList<At> removes_{entries_.end()};
  std::size_t adds_ = 0;
};

}  // namespace margay
