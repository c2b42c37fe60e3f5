#include "ipip/devices/vtep_table.h"

#include <gtest/gtest.h>

#include "ipip/plan/plan_world.h"

namespace margay::ipip {
namespace {

Mac mac(int last) { return Mac({0x66, 0, 0, 0, 0, static_cast<std::uint8_t>(last)}); }
Vtep vtep(std::string_view tunnel, int last, std::string_view node) { return {ip(tunnel), mac(last), ip(node)}; }

TEST(VtepTable, ANodeIsANeighbourAndAForwardingEntry) {
  VtepTable table;
  VtepTable::Touched touched;
  table.set("b", vtep("10.0.0.2", 2, "192.0.2.2"), touched);
  EXPECT_EQ(touched.addresses, std::set<IpAddress>{ip("10.0.0.2")});
  EXPECT_EQ(touched.macs, std::set<Mac>{mac(2)});
  EXPECT_EQ(table.neighbour(ip("10.0.0.2")), mac(2));
  EXPECT_EQ(table.forwarding(mac(2)), ip("192.0.2.2"));
  EXPECT_EQ(table.all().addresses.size(), 1U);
}

TEST(VtepTable, SayingItAgainTouchesNothing) {
  VtepTable table;
  VtepTable::Touched touched;
  table.set("b", vtep("10.0.0.2", 2, "192.0.2.2"), touched);
  touched = {};
  table.set("b", vtep("10.0.0.2", 2, "192.0.2.2"), touched);
  table.set("nobody", std::nullopt, touched);
  EXPECT_TRUE(touched.addresses.empty() && touched.macs.empty());
}

TEST(VtepTable, AChangedNodeTouchesOldAndNew) {
  VtepTable table;
  VtepTable::Touched touched;
  table.set("b", vtep("10.0.0.2", 2, "192.0.2.2"), touched);
  touched = {};
  table.set("b", vtep("10.0.0.3", 3, "192.0.2.2"), touched);
  EXPECT_EQ(touched.addresses.size(), 2U);
  EXPECT_EQ(table.neighbour(ip("10.0.0.2")), std::nullopt);
  EXPECT_EQ(table.forwarding(mac(2)), std::nullopt);
  EXPECT_EQ(table.neighbour(ip("10.0.0.3")), mac(3));
}

TEST(VtepTable, AnAddressThatTwoHaveStaysWhenOneGoes) {
  for (const bool is_old_first : {true, false}) {
    VtepTable table;
    VtepTable::Touched touched;
    table.set("b", vtep("10.0.0.2", 2, "192.0.2.2"), touched);
    table.set("c", vtep("10.0.0.2", 2, "192.0.2.3"), touched);
    EXPECT_EQ(table.forwarding(mac(2)), ip("192.0.2.3")) << "the last by name";
    table.set(is_old_first ? "b" : "c", std::nullopt, touched);
    EXPECT_EQ(table.neighbour(ip("10.0.0.2")), mac(2));
    EXPECT_EQ(table.forwarding(mac(2)), ip(is_old_first ? "192.0.2.3" : "192.0.2.2"));
  }
}

}  // namespace
}  // namespace margay::ipip
