#include "policy/index/label_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/core/random.h"
#include "base/core/text.h"
#include "policy/index/test_selectors.h"

namespace margay::policy {
namespace {

using test::parsed;

// An index, and the pairs that its callbacks tell.
class Told {
 public:
  LabelIndex index{[this](SelectorId selector, ItemId item, bool is_matching) {
    const std::pair<std::uint32_t, std::uint32_t> pair{selector.value(), item.value()};
    const bool was_new = is_matching ? pairs.insert(pair).second : pairs.erase(pair) == 1;
    EXPECT_TRUE(was_new) << "selector " << pair.first << ", item " << pair.second << " told twice";
  }};
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;

  void put_item(std::uint32_t id, const StringMap& labels, std::vector<std::string_view> parents = {}) {
    index.put_item(ItemId(id), labels, parents);
  }
  void put_selector(std::uint32_t id, std::string_view text) { index.put_selector(SelectorId(id), parsed(text)); }
  [[nodiscard]] bool has(std::uint32_t selector, std::uint32_t item) const {
    EXPECT_EQ(index.is_match(SelectorId(selector), ItemId(item)), pairs.contains({selector, item}));
    return pairs.contains({selector, item});
  }
};

TEST(LabelIndex, EveryOperatorMatchesAsTheSelectorDoes) {
  const StringMap labels{{"a", "x"}, {"b", "longer text"}, {"projectcalico.org/namespace", "ns"}};
  std::uint32_t next = 0;
  for (const char* text : {"all()",
                           "a == 'x'",
                           "a == 'y'",
                           "a != 'x'",
                           "a != 'y'",
                           "c != 'x'",
                           "has(a)",
                           "!has(a)",
                           "has(c)",
                           "!has(c)",
                           "a in {'x', 'y'}",
                           "a in {'z'}",
                           "a in {}",
                           "a not in {'x'}",
                           "c not in {'x'}",
                           "a not in {}",
                           "b contains 'er t'",
                           "b contains 'q'",
                           "c contains 'x'",
                           "b starts with 'long'",
                           "b starts with 'text'",
                           "b ends with 'text'",
                           "b ends with 'long'",
                           "a == 'x' && has(b)",
                           "a == 'x' && has(c)",
                           "has(c) || has(a)",
                           "!(has(c) || has(a))",
                           "!(a == 'x' && has(c))",
                           "!!has(a)",
                           "a == 'x' && a == 'y'",
                           "!all()",
                           "(a == 'x' || c == 'x') && (b == 'q' || !(has(c) || a == 'y'))"}) {
    Told before;
    before.put_selector(next, text);
    before.put_item(7, labels);
    EXPECT_EQ(before.has(next, 7), parsed(text).matches(labels)) << text;
    Told after;
    after.put_item(7, labels);
    after.put_selector(next, text);
    EXPECT_EQ(after.has(next, 7), parsed(text).matches(labels)) << text;
    ++next;
  }
}

TEST(LabelIndex, OwnLabelsWinOverParentsAndEarlierParentsOverLater) {
  Told told;
  told.put_selector(0, "a == 'own'");
  told.put_selector(1, "a == 'first'");
  told.put_selector(2, "a == 'second'");
  told.put_item(1, {{"a", "own"}}, {"first", "second"});
  told.put_item(2, {}, {"first", "second"});
  told.put_item(3, {}, {"second", "first"});
  EXPECT_TRUE(told.has(0, 1));
  EXPECT_FALSE(told.has(1, 2)) << "parents may come later";
  told.index.put_parent("second", {{"a", "second"}});
  told.index.put_parent("first", {{"a", "first"}});
  EXPECT_TRUE(told.has(0, 1));
  EXPECT_TRUE(told.has(1, 2));
  EXPECT_TRUE(told.has(2, 3));
  told.index.remove_parent("first");
  EXPECT_TRUE(told.has(2, 2));
  EXPECT_EQ(told.pairs.size(), 3U);
}

TEST(LabelIndex, WhatIsRemovedNoLongerMatchesAndMayComeBack) {
  Told told;
  told.put_selector(0, "has(a)");
  told.put_item(1, {{"a", "x"}});
  told.index.remove_selector(SelectorId(0));
  EXPECT_TRUE(told.pairs.empty());
  told.put_selector(0, "a == 'x'");
  EXPECT_TRUE(told.has(0, 1));
  told.index.remove_item(ItemId(1));
  EXPECT_TRUE(told.pairs.empty());
  told.index.remove_item(ItemId(1));
  told.index.remove_item(ItemId(99));
  told.index.remove_selector(SelectorId(99));
  told.index.remove_parent("nobody");
  told.put_item(1, {{"a", "x"}});
  EXPECT_EQ(told.index.matches_of(SelectorId(0)), std::vector<ItemId>{ItemId(1)});
  EXPECT_TRUE(told.index.selectors_of(ItemId(99)).empty());
}

// 1,000 items in 100 namespaces, 100 selectors of one namespace each: nobody looks at what cannot match.
TEST(LabelIndex, EvaluationsAreBoundedByWhatCanMatch) {
  Told told;
  for (std::uint32_t n = 0; n < 100; ++n) {
    told.index.put_parent(concat("ns", n), {{"ns", concat("n", n)}});
    told.put_selector(n, concat("k8s == 'yes' && ns == 'n", n, "' && app == 'web'"));
  }
  for (std::uint32_t i = 0; i < 1000; ++i) {
    told.put_item(i, {{"k8s", "yes"}, {"app", i % 2 == 0 ? "web" : "db"}}, {concat("ns", i / 10)});
  }
  EXPECT_EQ(told.pairs.size(), 500U);
  EXPECT_LE(told.index.evaluations(), 2500U);

  std::uint64_t before = told.index.evaluations();
  told.put_selector(100, "k8s == 'yes' && ns in {'n1', 'n2'}");
  EXPECT_EQ(told.index.evaluations() - before, 20U) << "a new selector looks at the items of two namespaces";
  before = told.index.evaluations();
  told.put_item(5, {{"k8s", "yes"}, {"app", "new"}}, {"ns0"});
  EXPECT_LE(told.index.evaluations() - before, 3U);
  before = told.index.evaluations();
  told.index.put_parent("ns3", {{"ns", "n3"}, {"new", "label"}});
  EXPECT_LE(told.index.evaluations() - before, 30U) << "a namespace costs its own items";
  before = told.index.evaluations();
  told.put_item(6, {{"k8s", "yes"}, {"app", "web"}}, {"ns0"});
  told.index.put_parent("ns3", {{"new", "label"}, {"ns", "n3"}});
  told.put_selector(101, "ns == 'nobody'");
  told.put_selector(102, "has(nobody)");
  told.put_selector(103, "app == 'web' && app == 'db'");
  EXPECT_EQ(told.index.evaluations(), before) << "nothing that could matter changed";
}

// Everything tried on everything.
class Naive {
 public:
  struct NaiveItem {
    StringMap labels;
    std::vector<std::string> parents;
  };
  std::map<std::uint32_t, NaiveItem> items;
  std::map<std::uint32_t, selector::Selector> selectors;
  std::map<std::string, StringMap> parents;

  [[nodiscard]] std::set<std::pair<std::uint32_t, std::uint32_t>> pairs() const {
    std::set<std::pair<std::uint32_t, std::uint32_t>> out;
    for (const auto& [item_id, item] : items) {
      StringMap labels;
      for (auto name = item.parents.rbegin(); name != item.parents.rend(); ++name) {
        const auto parent = parents.find(*name);
        if (parent == parents.end()) continue;
        for (const auto& [key, value] : parent->second) labels.set(key, value);
      }
      for (const auto& [key, value] : item.labels) labels.set(key, value);
      for (const auto& [id, selector] : selectors) {
        if (selector.matches(labels)) out.insert({id, item_id});
      }
    }
    return out;
  }
};

StringMap random_labels(Random& random) {
  StringMap out;
  for (std::uint64_t n = random.below(4); n > 0; --n) {
    out.set(concat("k", random.below(5)), concat("v", random.below(3)));
  }
  return out;
}

std::string random_selector(Random& random, int depth) {
  const std::string key = concat("k", random.below(5));
  const std::string value = concat("'v", random.below(3), "'");
  switch (random.below(depth > 0 ? 13 : 9)) {
    case 0: return concat(key, " == ", value);
    case 1: return concat(key, " != ", value);
    case 2: return concat("has(", key, ")");
    case 3: return concat(key, " in {", value, ", 'v1'}");
    case 4: return concat(key, " not in {", value, "}");
    case 5: return concat(key, " starts with 'v'");
    case 6: return concat("!has(", key, ")");
    case 7: return concat(key, " ends with '2'");
    case 8: return random.below(4) == 0 ? "all()" : concat(key, " contains ", value);
    case 9: return concat("!(", random_selector(random, depth - 1), ")");
    case 10: return concat("(", random_selector(random, depth - 1), " || ", random_selector(random, depth - 1), ")");
    default: return concat("(", random_selector(random, depth - 1), " && ", random_selector(random, depth - 1), ")");
  }
}

class Pair {
 public:
  Told told;
  Naive naive;

  void change(Random& random) {
    const auto id = static_cast<std::uint32_t>(random.below(20));
    const std::string parent = concat("p", random.below(4));
    switch (random.below(9)) {
      case 0: remove_item(id); break;
      case 1:
        told.index.remove_selector(SelectorId(id));
        naive.selectors.erase(id);
        break;
      case 2:
        told.index.remove_parent(parent);
        naive.parents.erase(parent);
        break;
      case 3:
      case 4: {
        naive.parents[parent] = random_labels(random);
        told.index.put_parent(parent, naive.parents[parent]);
        break;
      }
      case 5:
      case 6: {
        const std::string text = random_selector(random, 3);
        naive.selectors.insert_or_assign(id, parsed(text));
        told.put_selector(id, text);
        break;
      }
      default: put_item(id, random); break;
    }
  }

 private:
  void remove_item(std::uint32_t id) {
    told.index.remove_item(ItemId(id));
    naive.items.erase(id);
  }
  void put_item(std::uint32_t id, Random& random) {
    Naive::NaiveItem item{.labels = random_labels(random), .parents = {}};
    for (std::uint64_t n = random.below(4); n > 0; --n) item.parents.push_back(concat("p", random.below(4)));
    // Of a parent named twice the first place counts; later ones change nothing.
    told.put_item(id, item.labels, {item.parents.begin(), item.parents.end()});
    naive.items[id] = std::move(item);
  }
};

TEST(LabelIndex, EqualsTryingEverythingAfterEveryChange) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    Pair pair;
    for (int step = 0; step < 400; ++step) {
      pair.change(random);
      ASSERT_EQ(pair.told.pairs, pair.naive.pairs()) << "seed " << seed << " step " << step;
    }
    for (const auto& [id, selector] : pair.naive.selectors) {
      for (const ItemId item : pair.told.index.matches_of(SelectorId(id))) {
        EXPECT_TRUE(pair.told.has(id, item.value())) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace margay::policy
