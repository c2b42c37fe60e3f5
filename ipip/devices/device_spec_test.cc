#include "ipip/devices/device_spec.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include "ipip/devices/device_message.h"
#include "ipip/plan/node_ends.h"
#include "ipip/plan/plan_world.h"

namespace margay::ipip {
namespace {

LocalTunnels all_wanted() {
  LocalTunnels out;
  out.ipip = {.is_wanted = true, .address = ip("10.1.0.1"), .mac = {}, .node_address = ip("192.0.2.1")};
  out.vxlan_v4 = {.is_wanted = true,
                  .address = ip("10.2.0.1"),
                  .mac = mac_of_name("a", IpFamily::kV4),
                  .node_address = ip("192.0.2.1")};
  out.vxlan_v6 = {.is_wanted = true,
                  .address = ip("fd00::1"),
                  .mac = mac_of_name("a", IpFamily::kV6),
                  .node_address = ip("2001:db8::1")};
  return out;
}

TEST(DeviceSpec, WhatPoolsWantIsThereWithItsMtu) {
  const DeviceSpecs specs = devices_of(all_wanted(), {.ipip_mtu = 1400, .vxlan_mtu_v4 = 1300, .vxlan_mtu_v6 = 1280});
  ASSERT_EQ(specs.size(), 3U);
  EXPECT_EQ(specs.at(DeviceKind::kIpip).mtu, 1400U);
  EXPECT_EQ(specs.at(DeviceKind::kIpip).address, ip("10.1.0.1"));
  const DeviceSpec& v4 = specs.at(DeviceKind::kVxlanV4);
  EXPECT_EQ(v4.mtu, 1300U);
  EXPECT_EQ(v4.vni, 4096U);
  EXPECT_EQ(v4.port, 4789);
  EXPECT_EQ(v4.local, ip("192.0.2.1"));
  EXPECT_EQ(specs.at(DeviceKind::kVxlanV6).mtu, 1280U);
  EXPECT_EQ(specs.at(DeviceKind::kVxlanV6).local, ip("2001:db8::1"));
}

TEST(DeviceSpec, SettingsAreStrongerThanPools) {
  EXPECT_EQ(devices_of(all_wanted(), {.ipip = false, .vxlan = false}).size(), 0U);
  LocalTunnels none = all_wanted();
  none.ipip.is_wanted = none.vxlan_v4.is_wanted = none.vxlan_v6.is_wanted = false;
  EXPECT_EQ(devices_of(none, {}).size(), 0U);
  EXPECT_EQ(devices_of(none, {.ipip = true, .vxlan = true}).size(), 3U);
}

TEST(DeviceSpec, WithoutAnAddressOfTheNodeThereIsNoVxlan) {
  LocalTunnels local = all_wanted();
  local.vxlan_v6.node_address.reset();
  local.vxlan_v4.mac.reset();
  local.ipip.address.reset();
  const DeviceSpecs specs = devices_of(local, {});
  EXPECT_EQ(specs.size(), 1U);
  EXPECT_TRUE(specs.contains(DeviceKind::kIpip)) << "packets of pods need no address of the device";
}

TEST(DeviceMessage, ADeviceIsChangedInPlaceUnlessItsIdentityDiffers) {
  const DeviceSpec wanted = devices_of(all_wanted(), {}).at(DeviceKind::kVxlanV4);
  const FoundDevice same{.index = IfIndex(7),
                         .name = "vxlan.calico",
                         .type = "vxlan",
                         .is_ours = true,
                         .mac = wanted.mac,
                         .vni = 4096,
                         .port = 4789,
                         .learns = false,
                         .local = wanted.local};
  EXPECT_EQ(compare(DeviceKind::kVxlanV4, wanted, same), Fit::kFits);
  struct Row {
    const char* why;
    void (*change)(FoundDevice&);
    Fit fit;
  };
  const Row rows[] = {
      {"made by Calico", [](FoundDevice& d) { d.is_ours = false; }, Fit::kChange},
      {"it learns", [](FoundDevice& d) { d.learns = true; }, Fit::kChange},
      {"the node has moved", [](FoundDevice& d) { d.local = ip("192.0.2.9"); }, Fit::kChange},
      {"no local address", [](FoundDevice& d) { d.local.reset(); }, Fit::kChange},
      {"another MAC", [](FoundDevice& d) { d.mac = Mac(); }, Fit::kChange},
      {"another VNI", [](FoundDevice& d) { d.vni = 1; }, Fit::kRebuild},
      {"another port", [](FoundDevice& d) { d.port = 8472; }, Fit::kRebuild},
      {"another type", [](FoundDevice& d) { d.type = "bridge"; }, Fit::kRebuild},
  };
  for (const Row& row : rows) {
    FoundDevice found = same;
    row.change(found);
    EXPECT_EQ(compare(DeviceKind::kVxlanV4, wanted, found), row.fit) << row.why;
  }
}

TEST(DeviceMessage, WhatIsNoInterfaceIsNothing) {
  netlink::Batch batch;
  add_delete_request(batch, IfIndex(3));
  const std::string_view bytes = batch.request(0);
  netlink::MessageView view;
  view.type = RTM_DELLINK;
  view.payload = bytes::View(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()).subspan(NLMSG_HDRLEN);
  EXPECT_EQ(parse_device(view), std::nullopt);
  view.type = RTM_NEWLINK;
  EXPECT_EQ(parse_device(view), std::nullopt) << "no name";
  view.payload = view.payload.subspan(0, 4);
  EXPECT_EQ(parse_device(view), std::nullopt) << "cut off";
}

}  // namespace
}  // namespace margay::ipip
