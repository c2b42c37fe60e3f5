#include "base/ip/prefix_trie.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/ip/test_values.h"
#include "gtest/gtest.h"

namespace margay {
namespace {

using test::prefix;
using Entries = std::vector<std::pair<IpPrefix, int>>;

PrefixTrie<int> trie_of(std::initializer_list<const char*> prefixes) {
  PrefixTrie<int> trie;
  int number = 0;
  for (const char* text : prefixes) trie.insert(prefix(text), ++number);
  return trie;
}

struct Collect {
  Entries& into;
  void operator()(const IpPrefix& at, int value) const { into.emplace_back(at, value); }
};

std::string printed(const Entries& entries) {
  std::string out;
  for (const auto& [at, value] : entries) out.append(at.to_string()).append(" ");
  return out;
}

std::string all_of(const PrefixTrie<int>& trie) {
  Entries entries;
  trie.for_each(Collect{entries});
  return printed(entries);
}

TEST(PrefixTrie, EmptyHasNothing) {
  const PrefixTrie<int> trie;
  EXPECT_TRUE(trie.empty());
  EXPECT_EQ(trie.find(prefix("0.0.0.0/0")), nullptr);
  EXPECT_FALSE(trie.longest_match(IpAddress()).has_value());
  EXPECT_EQ(all_of(trie), "");
}

TEST(PrefixTrie, LongestMatchWins) {
  const auto trie = trie_of({"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.64/26"});
  const auto match = [&trie](const char* text) { return trie.longest_match(IpAddress::parse(text).value())->prefix; };
  EXPECT_EQ(match("10.0.0.65"), prefix("10.0.0.64/26"));
  EXPECT_EQ(match("10.0.0.1"), prefix("10.0.0.0/24"));
  EXPECT_EQ(match("10.1.0.1"), prefix("10.0.0.0/8"));
  EXPECT_EQ(match("11.0.0.1"), prefix("0.0.0.0/0"));
  EXPECT_EQ(trie.longest_match(prefix("10.0.0.0/23"))->prefix, prefix("10.0.0.0/8"));
  EXPECT_EQ(*trie.longest_match(prefix("10.0.0.64/26"))->value, 4);
}

TEST(PrefixTrie, FamiliesAreApart) {
  const auto trie = trie_of({"0.0.0.0/0", "::/96"});
  EXPECT_EQ(trie.longest_match(IpAddress::v6(0, 1))->prefix, prefix("::/96"));
  EXPECT_FALSE(trie.longest_match(IpAddress::v6(1, 1)).has_value());
  EXPECT_EQ(trie.longest_match(IpAddress::v4(1))->prefix, prefix("0.0.0.0/0"));
}

TEST(PrefixTrie, GlueIsNoEntry) {
  const auto trie = trie_of({"10.0.0.0/26", "10.0.0.64/26"});
  EXPECT_EQ(trie.size(), 2U);
  EXPECT_EQ(trie.find(prefix("10.0.0.0/25")), nullptr);
  EXPECT_FALSE(trie.longest_match(IpAddress::parse("10.0.0.200").value()).has_value());
}

TEST(PrefixTrie, GlueTakesAValueAndGivesItBack) {
  auto trie = trie_of({"10.0.0.0/26", "10.0.0.64/26"});
  EXPECT_FALSE(trie.erase(prefix("10.0.0.0/25")));
  EXPECT_TRUE(trie.insert(prefix("10.0.0.0/25"), 9));
  EXPECT_EQ(*trie.find(prefix("10.0.0.0/25")), 9);
  EXPECT_TRUE(trie.erase(prefix("10.0.0.0/25")));
  EXPECT_EQ(all_of(trie), "10.0.0.0/26 10.0.0.64/26 ");
}

TEST(PrefixTrie, InsertReplacesAndSaysSo) {
  auto trie = trie_of({"10.0.0.0/8"});
  EXPECT_FALSE(trie.insert(prefix("10.0.0.0/8"), 5));
  EXPECT_EQ(*trie.find(prefix("10.0.0.0/8")), 5);
  *trie.find(prefix("10.0.0.0/8")) = 6;
  EXPECT_EQ(*std::as_const(trie).find(prefix("10.0.0.0/8")), 6);
  EXPECT_EQ(trie.size(), 1U);
}

TEST(PrefixTrie, EraseOfTheAbsentChangesNothing) {
  auto trie = trie_of({"10.0.0.0/8", "10.0.0.0/24"});
  for (const char* absent : {"10.0.0.0/16", "10.0.0.0/25", "11.0.0.0/8", "0.0.0.0/0", "::/0"}) {
    EXPECT_FALSE(trie.erase(prefix(absent))) << absent;
  }
  EXPECT_EQ(trie.size(), 2U);
  trie.clear();
  EXPECT_EQ(all_of(trie), "");
}

TEST(PrefixTrie, WalksUpAndDown) {
  const auto trie = trie_of({"::/0", "fd00::/8", "fd00::/64", "fd00::1/128", "fd00:0:0:1::/64", "fe00::/8"});
  Entries containing;
  trie.for_each_containing(prefix("fd00::/64"), Collect{containing});
  EXPECT_EQ(printed(containing), "::/0 fd00::/8 fd00::/64 ");
  Entries inside;
  trie.for_each_inside(prefix("fd00::/16"), Collect{inside});
  EXPECT_EQ(printed(inside), "fd00::/64 fd00::1/128 fd00:0:0:1::/64 ");
  Entries none;
  trie.for_each_inside(prefix("fd80::/16"), Collect{none});
  EXPECT_EQ(printed(none), "");
}

TEST(PrefixTrie, HoldsAChainOfEveryLength) {
  PrefixTrie<int> trie;
  const IpAddress ones = IpAddress::v6(UINT64_MAX, UINT64_MAX);
  for (int length = 128; length >= 0; --length) trie.insert(IpPrefix::containing(ones, length), length);
  EXPECT_EQ(trie.size(), 129U);
  EXPECT_EQ(*trie.longest_match(ones)->value, 128);
  EXPECT_EQ(*trie.longest_match(IpAddress::v6(UINT64_MAX, 0))->value, 64);
}

TEST(PrefixTrie, OwnsMoveOnlyValues) {
  PrefixTrie<std::unique_ptr<int>> trie;
  trie.insert(prefix("10.0.0.0/8"), std::make_unique<int>(3));
  const PrefixTrie<std::unique_ptr<int>> moved = std::move(trie);
  EXPECT_EQ(**moved.find(prefix("10.0.0.0/8")), 3);
}

// The same operations on a sorted map, where every question is answered by looking at everything.
class Naive {
 public:
  bool insert(const IpPrefix& at, int value) { return entries_.insert_or_assign(at, value).second; }
  bool erase(const IpPrefix& at) { return entries_.erase(at) == 1; }

  template <class Predicate>
  [[nodiscard]] Entries where(Predicate predicate) const {
    Entries out;
    for (const auto& entry : entries_) {
      if (predicate(entry.first)) out.emplace_back(entry);
    }
    return out;
  }

 private:
  std::map<IpPrefix, int> entries_;
};

IpPrefix random_prefix(Random& random) {
  // Few different bits, so that prefixes meet, nest and share long paths.
  if (random.below(2) == 0) {
    const auto value = static_cast<std::uint32_t>(random.next() & 0x81030007U);
    return IpPrefix::containing(IpAddress::v4(value), static_cast<int>(random.below(33)));
  }
  const IpAddress address = IpAddress::v6(random.next() & 0x8000000000000001U, random.next() & 0xc000000000000003U);
  return IpPrefix::containing(address, static_cast<int>(random.below(129)));
}

void expect_same(const PrefixTrie<int>& trie, const Naive& naive, const IpPrefix& about) {
  Entries found;
  trie.for_each(Collect{found});
  ASSERT_EQ(found, naive.where([](const IpPrefix&) { return true; }));
  ASSERT_EQ(trie.size(), found.size());
  ASSERT_LE(trie.count_nodes(), 2 * found.size());
  Entries containing;
  trie.for_each_containing(about, Collect{containing});
  ASSERT_EQ(containing, naive.where([&](const IpPrefix& at) { return at.contains(about); })) << about.to_string();
  Entries inside;
  trie.for_each_inside(about, Collect{inside});
  ASSERT_EQ(inside, naive.where([&](const IpPrefix& at) { return about.contains(at); })) << about.to_string();
  const auto match = trie.longest_match(about);
  ASSERT_EQ(match.has_value(), !containing.empty());
  if (match) {
    ASSERT_EQ(std::pair(match->prefix, *match->value), containing.back());
  }
  const int* exact = trie.find(about);
  const bool is_there = !containing.empty() && containing.back().first == about;
  ASSERT_EQ(exact != nullptr, is_there);
}

TEST(PrefixTrie, AgreesWithASortedMap) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    PrefixTrie<int> trie;
    Naive naive;
    for (int step = 0; step < 600; ++step) {
      const IpPrefix at = random_prefix(random);
      // Grows first, shrinks later.
      if (random.below(10) < (step < 300 ? 7U : 3U)) {
        ASSERT_EQ(trie.insert(at, step), naive.insert(at, step)) << "seed " << seed;
      } else {
        ASSERT_EQ(trie.erase(at), naive.erase(at)) << "seed " << seed;
      }
      ASSERT_NO_FATAL_FAILURE(expect_same(trie, naive, random_prefix(random))) << "seed " << seed << " step " << step;
    }
    for (const auto& [at, value] : naive.where([](const IpPrefix&) { return true; })) EXPECT_TRUE(trie.erase(at));
    EXPECT_EQ(trie.count_nodes(), 0U);
  }
}

}  // namespace
}  // namespace margay
