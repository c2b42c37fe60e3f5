#include "datastore/watch/name_key.h"

#include <map>
#include <vector>

#include "base/core/random.h"
#include "gtest/gtest.h"

namespace margay::watch {
namespace {

int sign(int value) { return (value > 0) - (value < 0); }

int order(const kube::ObjectName& a, const kube::ObjectName& b) { return a < b ? -1 : a == b ? 0 : 1; }

// Every pair of short names of few letters: all prefixes of each other, and without a namespace.
std::vector<kube::ObjectName> short_names() {
  const std::vector<std::string> words = {"", "a", "aa", "ab", "b", "b-", "ba", "\xff"};
  std::vector<kube::ObjectName> names;
  for (const std::string& name_space : words) {
    for (const std::string& name : words) names.push_back({name_space, name});
  }
  return names;
}

TEST(NameKey, OrdersAsTheNamesDo) {
  for (const kube::ObjectName& a : short_names()) {
    for (const kube::ObjectName& b : short_names()) {
      EXPECT_EQ(sign(NameKey(a).compare(NameKey(b))), order(a, b)) << a.name_space << '/' << a.name;
      EXPECT_EQ(sign(NameKey(a).compare(b)), order(a, b)) << a.name_space << '/' << a.name;
    }
    EXPECT_EQ(NameKey(a).name(), a);
  }
}

// A zero byte, which no name has, must not confuse a map.
TEST(NameKey, BothComparisonsAgreeOnZeroBytes) {
  const std::string zero(1, '\0');
  const std::vector<kube::ObjectName> names = {
      {zero, ""}, {"", zero}, {"a", zero + "b"}, {"a" + zero, "b"}, {"a", "b"}};
  for (const kube::ObjectName& a : names) {
    for (const kube::ObjectName& b : names) {
      EXPECT_EQ(sign(NameKey(a).compare(NameKey(b))), sign(NameKey(a).compare(b)));
    }
  }
}

TEST(NameKey, EntriesAreMadeOnceInAnyOrder) {
  SeededRandom random(3);
  std::map<NameKey, int, NameKey::Less> map;
  std::map<kube::ObjectName, int> model;
  const std::vector<kube::ObjectName> names = short_names();
  for (int step = 0; step < 2000; ++step) {
    const kube::ObjectName& name = names[random.below(names.size())];
    if (random.below(4) == 0) {
      const auto found = map.find(name);
      EXPECT_EQ(found != map.end(), model.contains(name));
      if (found != map.end()) map.erase(found);
      model.erase(name);
    } else {
      entry_of(map, name).second = model[name] = step;
    }
    ASSERT_EQ(map.size(), model.size());
  }
  auto expected = model.begin();
  for (const auto& [key, value] : map) {
    EXPECT_EQ(key.name(), expected->first);
    EXPECT_EQ(value, (expected++)->second);
  }
}

}  // namespace
}  // namespace margay::watch
