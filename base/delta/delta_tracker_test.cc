#include "base/delta/delta_tracker.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "gtest/gtest.h"

namespace margay {
namespace {

using Tracker = DeltaTracker<std::string, int>;

// "+a=1" to add, "~a:2=1" to change from 2 to 1, "-a=1" to remove; in the order of the walks.
std::string pending(Tracker& tracker) {
  std::vector<std::string> out;
  tracker.apply_updates([&out](const std::string& key, int desired, const int* actual) {
    out.push_back(actual == nullptr ? concat('+', key, '=', desired) : concat('~', key, ':', *actual, '=', desired));
    return Outcome::kFailed;
  });
  tracker.apply_removes([&out](const std::string& key, int actual) {
    out.push_back(concat('-', key, '=', actual));
    return Outcome::kFailed;
  });
  return join(out, " ");
}

void apply_all(Tracker& tracker) {
  tracker.apply_updates([](const std::string&, int, const int*) { return Outcome::kApplied; });
  tracker.apply_removes([](const std::string&, int) { return Outcome::kApplied; });
}

TEST(DeltaTracker, MissingIsAddedDifferentIsChangedSurplusIsRemoved) {
  Tracker tracker;
  tracker.set_desired("b", 1);
  tracker.set_desired("a", 1);
  tracker.note_actual("b", 2);
  tracker.note_actual("c", 3);
  EXPECT_EQ(pending(tracker), "+a=1 ~b:2=1 -c=3");
  EXPECT_EQ(tracker.pending_updates(), 2U);
  EXPECT_EQ(tracker.pending_removes(), 1U);
  EXPECT_EQ(tracker.desired_count(), 2U);
  EXPECT_EQ(tracker.actual_count(), 2U);
  EXPECT_FALSE(tracker.is_in_sync());
}

TEST(DeltaTracker, AppliedIsActualFromThenOn) {
  Tracker tracker;
  tracker.set_desired("a", 1);
  tracker.note_actual("b", 2);
  apply_all(tracker);
  EXPECT_TRUE(tracker.is_in_sync());
  EXPECT_EQ(*tracker.actual("a"), 1);
  EXPECT_EQ(tracker.actual("b"), nullptr);
  tracker.set_desired("a", 5);
  EXPECT_EQ(pending(tracker), "~a:1=5");
  apply_all(tracker);
  EXPECT_EQ(*tracker.actual("a"), 5);
}

TEST(DeltaTracker, FailedStaysPendingAndTheRestGoesOn) {
  Tracker tracker;
  for (const char* key : {"a", "b", "c"}) tracker.set_desired(key, 1);
  for (const char* key : {"x", "y", "z"}) tracker.note_actual(key, 1);
  tracker.apply_updates(
      [](const std::string& key, int, const int*) { return key == "b" ? Outcome::kFailed : Outcome::kApplied; });
  tracker.apply_removes([](const std::string& key, int) { return key == "y" ? Outcome::kFailed : Outcome::kApplied; });
  EXPECT_EQ(pending(tracker), "+b=1 -y=1");
}

TEST(DeltaTracker, StopLeavesTheRestPending) {
  Tracker tracker;
  for (const char* key : {"a", "b", "c"}) tracker.set_desired(key, 1);
  for (const char* key : {"x", "y"}) tracker.note_actual(key, 1);
  int budget = 1;
  const auto spend = [&budget] { return budget-- > 0 ? Outcome::kApplied : Outcome::kStop; };
  tracker.apply_updates([&](const std::string&, int, const int*) { return spend(); });
  budget = 0;
  tracker.apply_removes([&](const std::string&, int) { return spend(); });
  EXPECT_EQ(pending(tracker), "+b=1 +c=1 -x=1 -y=1");
}

TEST(DeltaTracker, ChangingOnesMindBeforeItIsAppliedLeavesNothingToDo) {
  Tracker tracker;
  tracker.set_desired("a", 1);
  tracker.remove_desired("a");
  tracker.note_actual("b", 2);
  tracker.set_desired("b", 2);
  tracker.set_desired("b", 3);
  tracker.set_desired("b", 2);
  EXPECT_TRUE(tracker.is_in_sync());
  tracker.remove_desired("b");
  EXPECT_EQ(pending(tracker), "-b=2");
  tracker.set_desired("b", 2);
  EXPECT_TRUE(tracker.is_in_sync());
}

TEST(DeltaTracker, RemovalOfAChangeRemovesWhatIsReallyThere) {
  Tracker tracker;
  tracker.note_actual("a", 1);
  tracker.set_desired("a", 2);
  tracker.remove_desired("a");
  EXPECT_EQ(pending(tracker), "-a=1");
}

TEST(DeltaTracker, DriftIsRepaired) {
  Tracker tracker;
  tracker.set_desired("a", 1);
  tracker.set_desired("b", 1);
  apply_all(tracker);
  tracker.actual_lost("a");
  tracker.note_actual("b", 7);
  tracker.actual_lost("never there");
  EXPECT_EQ(pending(tracker), "+a=1 ~b:7=1");
}

TEST(DeltaTracker, ResyncReplacesAllThatWasBelieved) {
  Tracker tracker;
  for (const char* key : {"a", "b", "c"}) tracker.set_desired(key, 1);
  apply_all(tracker);
  tracker.note_actual("gone", 1);
  tracker.replace_all_actual({{"b", 1}, {"c", 2}, {"new", 3}});
  EXPECT_EQ(pending(tracker), "+a=1 ~c:2=1 -new=3");
  tracker.replace_all_actual({});
  EXPECT_EQ(pending(tracker), "+a=1 +b=1 +c=1");
  EXPECT_EQ(tracker.actual_count(), 0U);
}

struct NoDefault {
  explicit NoDefault(int n) : number(n) {}
  friend bool operator==(const NoDefault&, const NoDefault&) = default;
  int number;
};

TEST(DeltaTracker, ValuesNeedOnlyEqualityAndMove) {
  DeltaTracker<int, NoDefault> tracker;
  tracker.set_desired(1, NoDefault(1));
  tracker.note_actual(1, NoDefault(2));
  EXPECT_EQ(tracker.desired(1)->number, 1);
  EXPECT_EQ(tracker.actual(1)->number, 2);
}

// Two maps, and the difference worked out from scratch.
struct Naive {
  std::map<std::string, int> desired;
  std::map<std::string, int> actual;

  [[nodiscard]] std::string pending() const {
    std::vector<std::string> out;
    for (const auto& [key, value] : desired) {
      const auto at = actual.find(key);
      if (at == actual.end()) out.push_back(concat('+', key, '=', value));
      if (at != actual.end() && at->second != value) out.push_back(concat('~', key, ':', at->second, '=', value));
    }
    for (const auto& [key, value] : actual) {
      if (!desired.contains(key)) out.push_back(concat('-', key, '=', value));
    }
    return join(out, " ");
  }
};

std::optional<int> copied(const int* value) { return value == nullptr ? std::nullopt : std::optional<int>(*value); }

void expect_same(Tracker& tracker, const Naive& naive) {
  ASSERT_EQ(pending(tracker), naive.pending());
  ASSERT_EQ(tracker.desired_count(), naive.desired.size());
  ASSERT_EQ(tracker.actual_count(), naive.actual.size());
  ASSERT_EQ(tracker.is_in_sync(), naive.desired == naive.actual);
  Naive seen;
  tracker.for_each([&](const std::string& key, const int* desired, const int* actual) {
    ASSERT_TRUE(desired != nullptr || actual != nullptr) << key;
    if (desired != nullptr) seen.desired.emplace(key, *desired);
    if (actual != nullptr) seen.actual.emplace(key, *actual);
    ASSERT_EQ(copied(tracker.desired(key)), copied(desired));
    ASSERT_EQ(copied(tracker.actual(key)), copied(actual));
  });
  ASSERT_EQ(seen.desired, naive.desired);
  ASSERT_EQ(seen.actual, naive.actual);
}

// Applies each change or not, as chance will have it; the naive side follows what was said to be applied.
void apply_some(Tracker& tracker, Naive& naive, Random& random) {
  const auto outcome = [&random] {
    const std::uint64_t chance = random.below(10);
    return chance < 6 ? Outcome::kApplied : chance < 9 ? Outcome::kFailed : Outcome::kStop;
  };
  tracker.apply_updates([&](const std::string& key, int desired, const int*) {
    const Outcome is = outcome();
    if (is == Outcome::kApplied) naive.actual[key] = desired;
    return is;
  });
  tracker.apply_removes([&](const std::string& key, int) {
    const Outcome is = outcome();
    if (is == Outcome::kApplied) naive.actual.erase(key);
    return is;
  });
}

void change_something(Tracker& tracker, Naive& naive, Random& random) {
  const std::string key(1, static_cast<char>('a' + random.below(8)));
  const int value = static_cast<int>(random.below(3));
  switch (random.below(8)) {
    case 0:
    case 1:
      tracker.set_desired(key, value);
      naive.desired[key] = value;
      break;
    case 2:
      tracker.remove_desired(key);
      naive.desired.erase(key);
      break;
    case 3:
    case 4:
      tracker.note_actual(key, value);
      naive.actual[key] = value;
      break;
    case 5:
      tracker.actual_lost(key);
      naive.actual.erase(key);
      break;
    case 6:
      naive.actual.erase(naive.actual.begin(), naive.actual.lower_bound(key));
      naive.actual["e"] = value;
      tracker.replace_all_actual(naive.actual);
      break;
    default: apply_some(tracker, naive, random);
  }
}

TEST(DeltaTracker, AgreesWithTwoMaps) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRandom random(seed);
    Tracker tracker;
    Naive naive;
    for (int step = 0; step < 400; ++step) {
      change_something(tracker, naive, random);
      ASSERT_NO_FATAL_FAILURE(expect_same(tracker, naive)) << "seed " << seed << " step " << step;
    }
  }
}

std::string key_of(std::uint64_t number) { return concat(1000 + number); }

// What is done with many keys at once: in order, in reverse, or with gaps, from a random place.
void change_a_run(Tracker& tracker, Naive& naive, Random& random) {
  const std::uint64_t kind = random.below(4);
  const bool is_reverse = random.below(3) == 0;
  const std::uint64_t first = random.below(200);
  const std::uint64_t step = 1 + random.below(3);
  const int value = static_cast<int>(random.below(2));
  for (std::uint64_t i = 0; i < 60; ++i) {
    const std::string key = key_of(first + (is_reverse ? 60 - i : i) * step);
    if (kind <= 1) {
      tracker.set_desired(key, value);
      naive.desired[key] = value;
    } else if (kind == 2) {
      tracker.remove_desired(key);
      naive.desired.erase(key);
    } else if (i % 2 == 0) {
      tracker.note_actual(key, value);
      naive.actual[key] = value;
    } else {
      tracker.actual_lost(key);
      naive.actual.erase(key);
    }
  }
}

TEST(DeltaTracker, WalksAreInKeyOrderInWhateverOrderKeysCame) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SeededRandom random(seed);
    Tracker tracker;
    Naive naive;
    for (int step = 0; step < 60; ++step) {
      change_a_run(tracker, naive, random);
      if (random.below(2) == 0) apply_some(tracker, naive, random);
      if (random.below(10) == 0) tracker.replace_all_actual(naive.actual);
      ASSERT_NO_FATAL_FAILURE(expect_same(tracker, naive)) << "seed " << seed << " step " << step;
    }
  }
}

struct Item {
  std::size_t place = 0;
};

TEST(PendingList, HolesStayFewWhenOneIsStuckAndOthersComeAndGo) {
  std::map<int, Item> items;
  PendingList<std::map<int, Item>::iterator> list(items.end());
  list.add(items.try_emplace(0).first);
  list.add(items.try_emplace(1).first);
  for (int key = 2; key < 10'000; ++key) {
    list.add(items.try_emplace(key).first);
    list.remove(items.find(key - 1));
    items.erase(key - 1);
    ASSERT_LT(list.memory(), 100U);
  }
  std::vector<int> seen;
  list.walk([&seen](const auto& at) {
    seen.push_back(at->first);
    return true;
  });
  EXPECT_EQ(seen, (std::vector<int>{0, 9'999}));
  EXPECT_EQ(list.size(), 2U);
}

}  // namespace
}  // namespace margay
