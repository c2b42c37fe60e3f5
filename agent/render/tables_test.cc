#include "agent/render/tables.h"

#include <gtest/gtest.h>

namespace margay::render {
namespace {

using iptables::Chain;
using iptables::TableId;

const TableId kFilter{IpFamily::kV4, iptables::Table::kFilter};
const TableId kRaw{IpFamily::kV6, iptables::Table::kRaw};

Chain chain(std::string name, std::string spec = "-j DROP") {
  return {.name = std::move(name), .rules = {{.spec = std::move(spec)}}};
}

TEST(Tables, TellWhatChangedOnce) {
  Tables tables;
  tables.put(kFilter, chain("a"));
  tables.set_hook(kRaw, "OUTPUT", {.first = {{.spec = "-j a"}}, .last = {}});
  const auto first = tables.take();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(*first.at(kFilter).chains.at("a"), chain("a"));
  EXPECT_EQ(first.at(kRaw).hooks.at("OUTPUT").first.size(), 1U);
  EXPECT_TRUE(tables.take().empty());
}

TEST(Tables, WhatIsEqualIsNoChange) {
  Tables tables;
  tables.put(kFilter, chain("a"));
  tables.set_hook(kFilter, "INPUT", {.first = {{.spec = "-j a"}}, .last = {}});
  tables.take();
  tables.put(kFilter, chain("a"));
  tables.set_hook(kFilter, "INPUT", {.first = {{.spec = "-j a"}}, .last = {}});
  tables.remove(kFilter, "was never there");
  EXPECT_TRUE(tables.take().empty());
  tables.put(kFilter, chain("a", "-j ACCEPT"));
  EXPECT_EQ(tables.take().at(kFilter).chains.at("a")->rules.front().spec, "-j ACCEPT");
}

TEST(Tables, RemovingIsANullChain) {
  Tables tables;
  tables.put(kFilter, chain("a"));
  tables.take();
  tables.remove(kFilter, "a");
  EXPECT_EQ(tables.take().at(kFilter).chains.at("a"), nullptr);
}

TEST(Tables, ARebuildTellsTheDifferenceOnly) {
  Tables tables;
  tables.put(kFilter, chain("same"));
  tables.put(kFilter, chain("other"));
  tables.put(kFilter, chain("gone"));
  tables.set_hook(kFilter, "INPUT", {.first = {{.spec = "-j same"}}, .last = {}});
  tables.set_hook(kRaw, "OUTPUT", {.first = {{.spec = "-j x"}}, .last = {}});
  tables.put(kRaw, chain("x"));
  tables.take();
  tables.begin_rebuild();
  tables.put(kFilter, chain("same"));
  tables.put(kFilter, chain("other", "-j ACCEPT"));
  tables.put(kFilter, chain("new"));
  tables.set_hook(kFilter, "INPUT", {.first = {{.spec = "-j same"}}, .last = {}});
  tables.end_rebuild();
  const auto change = tables.take();
  EXPECT_EQ(change.at(kFilter).chains.size(), 3U);
  EXPECT_FALSE(change.at(kFilter).chains.contains("same"));
  EXPECT_EQ(change.at(kFilter).chains.at("gone"), nullptr);
  EXPECT_TRUE(change.at(kFilter).hooks.empty());
  EXPECT_EQ(change.at(kRaw).chains.at("x"), nullptr);
  EXPECT_EQ(change.at(kRaw).hooks.at("OUTPUT"), iptables::Hook{});
}

}  // namespace
}  // namespace margay::render
