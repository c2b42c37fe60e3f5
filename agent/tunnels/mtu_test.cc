#include "agent/tunnels/mtu.h"

#include "gtest/gtest.h"

namespace margay::agent {
namespace {

IpAddress at(const char* text) { return IpAddress::parse(text).value(); }
bool is_ethernet(std::string_view name) { return name.starts_with("eth"); }

TEST(HostMtu, TheSmallestLinkThatMatchesCounts) {
  const std::vector<HostLink> links = {{"eth0", 9000, {at("192.0.2.1")}},
                                       {"eth1", 1450, {at("198.51.100.1")}},
                                       {"eth2", 1300, {}},
                                       {"docker0", 1200, {at("172.17.0.1")}},
                                       {"eth3", 60, {at("203.0.113.1")}}};
  EXPECT_EQ(host_mtu(links, is_ethernet, {}), 1450U);
  EXPECT_EQ(host_mtu({}, is_ethernet, {}), 1500U);
}

TEST(HostMtu, WhereNoNameMatchesTheNodesOwnLinkCounts) {
  const std::vector<HostLink> links = {{"uplink7", 1400, {at("192.0.2.1")}}, {"docker0", 1200, {at("172.17.0.1")}}};
  EXPECT_EQ(host_mtu(links, is_ethernet, {at("192.0.2.1")}), 1400U);
  EXPECT_EQ(host_mtu(links, is_ethernet, {at("192.0.2.9")}), 1500U);
}

TEST(NameMatcher, AnExpressionMatchesAnywhereAndABadOneSaysSo) {
  const auto matcher = name_matcher("^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)").value();
  EXPECT_TRUE(matcher("eth0") && matcher("enp3s0"));
  EXPECT_FALSE(matcher("docker0") || matcher("veth1"));
  EXPECT_TRUE(name_matcher("o").value()("bond0"));
  EXPECT_FALSE(name_matcher("(").ok());
}

TEST(Mtus, WorkloadsFitTheLargestOverheadInUse) {
  struct Row {
    const char* why;
    bool ipip, vxlan_v4, vxlan_v6;
    std::uint32_t workload;
  };
  const Row rows[] = {{"plain", false, false, false, 1500},
                      {"IP-in-IP", true, false, false, 1480},
                      {"VXLAN", false, true, false, 1450},
                      {"both", true, true, false, 1450},
                      {"VXLAN of IPv6", true, true, true, 1430}};
  for (const Row& row : rows) {
    ipip::LocalTunnels local;
    local.ipip.is_wanted = row.ipip;
    local.vxlan_v4.is_wanted = row.vxlan_v4;
    local.vxlan_v6.is_wanted = row.vxlan_v6;
    EXPECT_EQ(mtus_of(1500, {}, local).workload, row.workload) << row.why;
  }
}

TEST(Mtus, SettingsCountAsTheyAre) {
  model::FelixTunnels settings;
  settings.ipip_mtu = 1400;
  settings.vxlan_mtu = 0;
  settings.vxlan_mtu_v6 = 1280;
  settings.ipip_enabled = true;
  const Mtus mtus = mtus_of(9000, settings, {});
  EXPECT_EQ(mtus, (Mtus{1400, 8950, 1280, 1400}));
  settings.ipip_enabled = false;
  EXPECT_EQ(mtus_of(9000, settings, {}).workload, 9000U);
}

TEST(Mtus, ALinkTooSmallForATunnelDoesNotMakeItNegative) {
  const Mtus mtus = mtus_of(576, {}, {});
  EXPECT_EQ(mtus.ipip, 576U);
  EXPECT_EQ(mtus.vxlan_v6, 576U);
}

TEST(TunnelSettings, NumbersOutOfRangeAreTheDefaults) {
  model::FelixTunnels settings;
  settings.vxlan_vni = 1 << 24;
  EXPECT_EQ(tunnel_settings(settings, {}).vni, 4096U);
  settings.vxlan_vni = -1;
  EXPECT_EQ(tunnel_settings(settings, {}).vni, 4096U);
  settings.vxlan_vni = 77;
  settings.vxlan_enabled = true;
  const ipip::TunnelSettings all = tunnel_settings(settings, {1480, 1450, 1430, 1430});
  EXPECT_EQ(all.vni, 77U);
  EXPECT_EQ(all.port, 4789);
  EXPECT_EQ(all.vxlan_mtu_v6, 1430U);
  EXPECT_EQ(all.vxlan, true);
  EXPECT_EQ(all.ipip, std::nullopt);
}

}  // namespace
}  // namespace margay::agent
