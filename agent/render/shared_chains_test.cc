#include "agent/render/shared_chains.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/core/text.h"

namespace margay::render {
namespace {

model::ObjectKey shared_key(std::string name) { return {model::Kind::kNetworkPolicy, "ns", std::move(name)}; }
const iptables::TableId kSharedFilter{IpFamily::kV4, Table::kFilter};
const iptables::TableId kSharedRaw{IpFamily::kV4, Table::kRaw};

ChainSource policy(const std::string& name) { return {Direction::kIngress, PolicySource{shared_key(name)}}; }
ChainSource group(const std::vector<model::ObjectKey>& keys) { return {Direction::kIngress, GroupSource{keys}}; }

// "+name" for each that is to be there, "-name" for each that goes; of one table.
std::set<std::string> taken(SharedChains& chains) {
  std::set<std::string> out;
  for (const auto& dirty : chains.take_dirty())
    out.insert(concat(dirty.source == nullptr ? '-' : '+', dirty.id.second));
  return out;
}

TEST(SharedChains, OneIsThereWhileSomebodyUsesIt) {
  SharedChains chains;
  const std::string name = policy("a").chain();
  auto one = std::optional(chains.use(kSharedFilter, policy("a")));
  EXPECT_EQ(one->chain(), name);
  EXPECT_EQ(taken(chains), std::set<std::string>{"+" + name});
  auto two = std::optional(chains.use(kSharedFilter, policy("a")));
  one.reset();
  EXPECT_TRUE(taken(chains).empty()) << "another still uses it";
  two.reset();
  EXPECT_EQ(taken(chains), std::set<std::string>{"-" + name});
  EXPECT_TRUE(taken(chains).empty());
}

TEST(SharedChains, OneThatGoesAndComesBackIsWritten) {
  SharedChains chains;
  auto use = std::optional(chains.use(kSharedFilter, policy("a")));
  taken(chains);
  use.reset();
  use.emplace(chains.use(kSharedFilter, policy("a")));
  EXPECT_EQ(taken(chains), std::set<std::string>{"+" + policy("a").chain()});
}

TEST(SharedChains, AGroupUsesItsPolicies) {
  SharedChains chains;
  const ChainSource ab = group({shared_key("a"), shared_key("b")});
  auto use = std::optional(chains.use(kSharedFilter, ab));
  auto alone = std::optional(chains.use(kSharedFilter, policy("b")));
  EXPECT_EQ(taken(chains).size(), 3U);
  use.reset();
  EXPECT_EQ(taken(chains), (std::set<std::string>{"-" + ab.chain(), "-" + policy("a").chain()}));
  alone.reset();
  EXPECT_EQ(taken(chains), std::set<std::string>{"-" + policy("b").chain()});
}

TEST(SharedChains, EachFamilyHasItsOwn) {
  SharedChains chains;
  const iptables::TableId filter6{IpFamily::kV6, Table::kFilter};
  auto use4 = std::optional(chains.use(kSharedFilter, policy("a")));
  const auto use6 = chains.use(filter6, policy("a"));
  EXPECT_EQ(chains.take_dirty().size(), 2U);
  use4.reset();
  const auto gone = chains.take_dirty();
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].id.first, kSharedFilter);
  chains.touch(policy("a"));
  const auto touched = chains.take_dirty();
  ASSERT_EQ(touched.size(), 1U);
  EXPECT_EQ(touched[0].id.first, filter6);
}

TEST(SharedChains, TouchingConcernsWhatIsThereInEveryTable) {
  SharedChains chains;
  const auto in_filter = chains.use(kSharedFilter, policy("a"));
  const auto in_raw = chains.use(kSharedRaw, policy("a"));
  chains.take_dirty();
  chains.touch(policy("a"));
  chains.touch(policy("nobody's"));
  const auto dirty = chains.take_dirty();
  ASSERT_EQ(dirty.size(), 2U);
  EXPECT_EQ(dirty[0].id.first, kSharedRaw);
  EXPECT_EQ(dirty[1].id.first, kSharedFilter);
}

}  // namespace
}  // namespace margay::render
