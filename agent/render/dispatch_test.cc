#include "agent/render/dispatch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/core/random.h"
#include "base/core/text.h"

namespace margay::render {
namespace {

Dispatch dispatch_of(const std::vector<std::string>& interfaces) {
  Dispatch out{.root = "margay-from-wl", .by_output = false, .targets = {}, .end = {{.spec = "-j DROP"}}};
  for (const std::string& interface : interfaces) out.targets[interface] = "to-" + interface;
  return out;
}

// Where a packet from this interface goes, and after how many rules.
std::pair<std::string, std::size_t> walk(const std::vector<iptables::Chain>& chains, const std::string& interface) {
  std::string at = chains.front().name;
  std::size_t seen = 0;
  while (true) {
    const auto chain = std::find_if(chains.begin(), chains.end(), [&at](const auto& each) { return each.name == at; });
    if (chain == chains.end()) return {at, seen};
    at = "nowhere";
    for (const iptables::Rule& rule : chain->rules) {
      ++seen;
      const std::vector<std::string_view> words = split(rule.spec, ' ');
      if (words.size() == 2) return {std::string(words[1]), seen};
      const std::string_view name = words[1];
      const bool is_it =
          name.ends_with('+') ? interface.starts_with(name.substr(0, name.size() - 1)) : interface == name;
      if (!is_it) continue;
      at = words[3];
      break;
    }
  }
}

TEST(Dispatch, AFewAreAList) {
  const auto chains = dispatch_chains(dispatch_of({"cali2", "cali1"}));
  ASSERT_EQ(chains.size(), 1U);
  EXPECT_EQ(chains[0].name, "margay-from-wl");
  ASSERT_EQ(chains[0].rules.size(), 3U);
  EXPECT_EQ(chains[0].rules[0].spec, "-i cali1 -g to-cali1");
  EXPECT_EQ(chains[0].rules[2].spec, "-j DROP");
}

TEST(Dispatch, NoneIsTheEndAlone) {
  const auto chains = dispatch_chains(dispatch_of({}));
  ASSERT_EQ(chains.size(), 1U);
  EXPECT_EQ(walk(chains, "cali1").first, "DROP");
}

TEST(Dispatch, ByOutputAsksForTheOtherInterface) {
  Dispatch dispatch = dispatch_of({"cali1"});
  dispatch.by_output = true;
  EXPECT_EQ(dispatch_chains(dispatch)[0].rules[0].spec, "-o cali1 -g to-cali1");
}

TEST(Dispatch, WithoutATargetThePacketGoesBack) {
  Dispatch dispatch = dispatch_of({"eth0"});
  dispatch.targets["eth0"] = "";
  EXPECT_EQ(dispatch_chains(dispatch)[0].rules[0].spec, "-i eth0 -j RETURN");
}

TEST(Dispatch, ManyAreATreeInWhichEveryoneIsFoundSoon) {
  SeededRandom random(7);
  for (const std::size_t count : {17U, 40U, 250U, 1000U}) {
    std::vector<std::string> interfaces = {"cali"};  // the beginning of all others
    while (interfaces.size() < count) {
      std::string name = "cali";
      for (int n = 0; n < 11; ++n) name.push_back("0123456789abcdef"[random.below(16)]);
      interfaces.push_back(name);
    }
    const auto chains = dispatch_chains(dispatch_of(interfaces));
    EXPECT_GT(chains.size(), 1U);
    for (const auto& chain : chains) {
      EXPECT_LT(chain.name.size(), iptables::kChainNameMax);
      EXPECT_LE(chain.rules.size(), 18U);
    }
    for (const std::string& interface : interfaces) {
      const auto [target, seen] = walk(chains, interface);
      EXPECT_EQ(target, "to-" + interface);
      EXPECT_LE(seen, 52U);
    }
    for (const char* unknown : {"cali0", "calif", "calizzz", "eth0", "cal", "cali00000000000x"}) {
      EXPECT_EQ(walk(chains, unknown).first, "DROP") << unknown;
    }
  }
}

TEST(Dispatch, OneMoreChangesOneChain) {
  std::vector<std::string> interfaces;
  for (char a : std::string("0123456789abcdef")) {
    for (char b : std::string("0123456789")) interfaces.push_back(concat("cali", a, b));
  }
  const auto before = dispatch_chains(dispatch_of(interfaces));
  interfaces.emplace_back("cali7x");
  const auto after = dispatch_chains(dispatch_of(interfaces));
  ASSERT_EQ(before.size(), after.size());
  std::size_t changed = 0;
  for (std::size_t n = 0; n < before.size(); ++n) changed += before[n] == after[n] ? 0U : 1U;
  EXPECT_EQ(changed, 1U);
}

}  // namespace
}  // namespace margay::render
