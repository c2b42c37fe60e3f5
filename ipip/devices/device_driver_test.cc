// Against the real kernel, in a network namespace of the test's own, compared with ip(8) and bridge(8).
#include "ipip/devices/device_driver.h"

#include <gtest/gtest.h>

#include "dataplane/link/link_bed.h"
#include "dataplane/netlink/failing_netlink.h"
#include "ipip/devices/checksum_offload.h"
#include "ipip/plan/plan_world.h"

namespace margay::ipip {
namespace {

using link::Lines;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr DeviceKind kV4 = DeviceKind::kVxlanV4;
constexpr DeviceKind kV6 = DeviceKind::kVxlanV6;
const Mac kMac({0x66, 1, 2, 3, 4, 5});
const Mac kOther({0x66, 9, 9, 9, 9, 9});

DeviceSpec vxlan_v4() {
  return {.mtu = 1400, .address = ip("10.0.0.1"), .vni = 4096, .port = 4789, .mac = kMac, .local = ip("192.0.2.1")};
}
DeviceSpec vxlan_v6() {
  return {.mtu = 1380, .address = ip("fd00::1"), .vni = 4096, .port = 4789, .mac = kMac, .local = ip("2001:db8::1")};
}

class DeviceDriverTest : public testing::Test, protected link::LinkBed {
 protected:
  void SetUp() override {
    if (const Status entered = enter(); !entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    if (!run("ip link add probe type vxlan id 1 dstport 1").empty()) GTEST_SKIP() << "no VXLAN in this kernel";
    EXPECT_EQ(run("ip link del probe"), "");
  }
  static std::string shown(const std::string& name) {
    std::string out;
    for (const std::string& line : lines("ip -d addr show dev " + name)) out += line + "\n";
    return out;
  }
  static bool exists(const std::string& name) { return has(shown(name), name + ":"); }
  static bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
  static Lines entries(const std::string& command, const std::string& part) {
    Lines out;
    for (const std::string& line : lines(command)) {
      if (has(line, part)) out.push_back(line);
    }
    return out;
  }
};

TEST_F(DeviceDriverTest, AVxlanDeviceIsMadeWithAllItNeeds) {
  DeviceDriver driver(kernel());
  driver.set_vtep({"b", IpFamily::kV4}, Vtep{ip("10.0.0.2"), kOther, ip("192.0.2.2")});
  driver.set_vtep({"b", IpFamily::kV6}, Vtep{ip("fd00::2"), kOther, ip("2001:db8::2")});
  driver.set_devices({{kV4, vxlan_v4()}, {kV6, vxlan_v6()}}, minutes(5));
  EXPECT_EQ(apply(driver), Lines{});
  const std::string v4 = shown("vxlan.calico");
  for (const char* part : {"mtu 1400", ",UP", "vxlan id 4096", "local 192.0.2.1", "dstport 4789", "nolearning",
                           "66:01:02:03:04:05", "inet 10.0.0.1/32"}) {
    EXPECT_TRUE(has(v4, part)) << part << " in\n" << v4;
  }
  const std::string v6 = shown("vxlan-v6.calico");
  for (const char* part : {"mtu 1380", "local 2001:db8::1", "udp6zerocsumrx", "inet6 fd00::1/128"}) {
    EXPECT_TRUE(has(v6, part)) << part << " in\n" << v6;
  }
  EXPECT_EQ(entries("bridge fdb show dev vxlan.calico", "66:09"),
            (Lines{"66:09:09:09:09:09 dst 192.0.2.2 self permanent"}));
  EXPECT_EQ(entries("ip neigh show dev vxlan.calico", "10.0.0.2"),
            (Lines{"10.0.0.2 lladdr 66:09:09:09:09:09 PERMANENT"}));
  EXPECT_EQ(entries("bridge fdb show dev vxlan-v6.calico", "66:09"),
            (Lines{"66:09:09:09:09:09 dst 2001:db8::2 self permanent"}));
  EXPECT_EQ(entries("ip -6 neigh show dev vxlan-v6.calico", "fd00::2"),
            (Lines{"fd00::2 lladdr 66:09:09:09:09:09 PERMANENT"}));
  EXPECT_EQ(changes(driver), 0U);
  DeviceDriver next(kernel());
  next.set_vtep({"b", IpFamily::kV4}, Vtep{ip("10.0.0.2"), kOther, ip("192.0.2.2")});
  next.set_vtep({"b", IpFamily::kV6}, Vtep{ip("fd00::2"), kOther, ip("2001:db8::2")});
  next.set_devices({{kV4, vxlan_v4()}, {kV6, vxlan_v6()}}, minutes(5));
  EXPECT_EQ(changes(next), 0U) << "after a restart";
}

TEST_F(DeviceDriverTest, NodesComeAndGoAndAreOthersAfterARestart) {
  DeviceDriver driver(kernel());
  driver.set_devices({{kV4, vxlan_v4()}}, minutes(5));
  driver.set_vtep({"b", IpFamily::kV4}, Vtep{ip("10.0.0.2"), kOther, ip("192.0.2.2")});
  EXPECT_EQ(apply(driver), Lines{});
  driver.set_vtep({"b", IpFamily::kV4}, Vtep{ip("10.0.0.2"), kOther, ip("192.0.2.3")});
  EXPECT_EQ(changes(driver), 1U);
  EXPECT_EQ(entries("bridge fdb show dev vxlan.calico", "dst"),
            (Lines{"66:09:09:09:09:09 dst 192.0.2.3 self permanent"}));
  DeviceDriver next(kernel());
  next.set_devices({{kV4, vxlan_v4()}}, minutes(5));
  EXPECT_EQ(apply(next), Lines{});
  EXPECT_EQ(entries("bridge fdb show dev vxlan.calico", "dst"), Lines{}) << "left by an earlier life";
  EXPECT_EQ(entries("ip neigh show dev vxlan.calico", "PERMANENT"), Lines{});
}

TEST_F(DeviceDriverTest, ADeviceOfCalicoIsTakenOverInPlace) {
  EXPECT_EQ(run("ip link add vxlan.calico type vxlan id 4096 dstport 4789 local 192.0.2.9 learning"), "");
  const IfIndex before = index_of("vxlan.calico");
  DeviceDriver driver(kernel());
  driver.set_devices({{kV4, vxlan_v4()}}, minutes(5));
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(index_of("vxlan.calico"), before);
  EXPECT_TRUE(has(shown("vxlan.calico"), "nolearning"));
  EXPECT_TRUE(has(shown("vxlan.calico"), "local 192.0.2.1 "));
}

TEST_F(DeviceDriverTest, OneWithAnotherIdentityIsRebuilt) {
  for (const char* other : {"vxlan id 7 dstport 4789", "vxlan id 4096 dstport 8472", "bridge"}) {
    EXPECT_EQ(run(concat("ip link add vxlan.calico type ", other).c_str()), "");
    DeviceDriver driver(kernel());
    driver.set_vtep({"b", IpFamily::kV4}, Vtep{ip("10.0.0.2"), kOther, ip("192.0.2.2")});
    driver.set_devices({{kV4, vxlan_v4()}}, minutes(5));
    EXPECT_EQ(apply(driver), Lines{}) << other;
    EXPECT_TRUE(has(shown("vxlan.calico"), "vxlan id 4096 local 192.0.2.1")) << shown("vxlan.calico");
    EXPECT_EQ(entries("bridge fdb show dev vxlan.calico", "dst").size(), 1U);
    DeviceSpec moved = vxlan_v4();
    moved.vni = 5000;
    driver.set_devices({{kV4, moved}}, minutes(5));
    EXPECT_EQ(apply(driver), Lines{}) << other;
    EXPECT_TRUE(has(shown("vxlan.calico"), "vxlan id 5000"));
    EXPECT_EQ(entries("bridge fdb show dev vxlan.calico", "dst").size(), 1U) << "entries follow";
    EXPECT_EQ(run("ip link del vxlan.calico"), "");
  }
}

TEST_F(DeviceDriverTest, ForeignVxlanIsNotTouched) {
  EXPECT_EQ(run("ip link add theirs type vxlan id 7 dstport 4789 local 192.0.2.9\nip link set theirs up"), "");
  const std::string before = shown("theirs");
  DeviceDriver driver(kernel());
  driver.set_devices({{kV4, vxlan_v4()}}, seconds(1));
  EXPECT_EQ(apply(driver), Lines{});
  driver.set_devices({}, seconds(0));
  driver.apply(link::kStart);
  EXPECT_EQ(shown("theirs"), before);
  EXPECT_FALSE(exists("vxlan.calico"));
}

TEST_F(DeviceDriverTest, OneThatNobodyWantsStaysForAWhile) {
  DeviceDriver driver(kernel());
  driver.set_devices({{kV4, vxlan_v4()}}, minutes(5));
  EXPECT_EQ(apply(driver), Lines{});
  driver.set_devices({}, minutes(5));
  const auto report = driver.apply(link::kStart);
  EXPECT_EQ(report.try_again_at, link::kStart + minutes(5));
  EXPECT_TRUE(exists("vxlan.calico"));
  EXPECT_EQ(driver.devices().size(), 1U) << "rules for it stay";
  driver.set_vtep({"b", IpFamily::kV4}, Vtep{ip("10.0.0.2"), kOther, ip("192.0.2.2")});
  driver.apply(link::kStart + minutes(4));
  EXPECT_EQ(entries("bridge fdb show dev vxlan.calico", "dst").size(), 1U) << "and it works";
  driver.apply(link::kStart + minutes(5));
  EXPECT_FALSE(exists("vxlan.calico"));
  EXPECT_TRUE(driver.devices().empty());
  driver.set_devices({{kV4, vxlan_v4()}}, minutes(5));
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_TRUE(exists("vxlan.calico"));
}

TEST_F(DeviceDriverTest, WantedAgainInTimeNothingHappens) {
  DeviceDriver driver(kernel());
  driver.set_devices({{kV4, vxlan_v4()}}, minutes(5));
  EXPECT_EQ(apply(driver), Lines{});
  const IfIndex before = index_of("vxlan.calico");
  driver.set_devices({}, minutes(5));
  driver.apply(link::kStart);
  driver.set_devices({{kV4, vxlan_v4()}}, minutes(5));
  EXPECT_FALSE(driver.apply(link::kStart + minutes(9)).try_again_at);
  EXPECT_EQ(index_of("vxlan.calico"), before);
}

TEST_F(DeviceDriverTest, WhatAnEarlierLifeLeftGoesAndWhatOthersMadeStays) {
  {
    DeviceDriver earlier(kernel());
    earlier.set_devices({{kV4, vxlan_v4()}}, minutes(5));
    EXPECT_EQ(apply(earlier), Lines{});
  }
  EXPECT_EQ(run("ip link add vxlan-v6.calico type vxlan id 4096 dstport 4790"), "");
  DeviceDriver driver(kernel());
  driver.set_devices({}, minutes(5));
  EXPECT_TRUE(driver.apply(link::kStart).try_again_at.has_value());
  EXPECT_EQ(driver.devices().size(), 1U);
  driver.apply(link::kStart + minutes(5));
  EXPECT_FALSE(exists("vxlan.calico"));
  EXPECT_TRUE(exists("vxlan-v6.calico")) << "without our mark";
}

TEST_F(DeviceDriverTest, ADeviceThatSomebodyRemovedOrSetDownComesBack) {
  DeviceDriver driver(kernel());
  driver.set_vtep({"b", IpFamily::kV4}, Vtep{ip("10.0.0.2"), kOther, ip("192.0.2.2")});
  driver.set_devices({{kV4, vxlan_v4()}}, minutes(5));
  for (const char* harm : {"ip link del vxlan.calico", "ip link set vxlan.calico down",
                           "ip addr flush dev vxlan.calico", "bridge fdb flush dev vxlan.calico"}) {
    EXPECT_EQ(apply(driver), Lines{}) << harm;
    run(harm);
    driver.queue_resync();
    EXPECT_EQ(apply(driver), Lines{}) << harm;
    const std::string now = shown("vxlan.calico");
    EXPECT_TRUE(has(now, ",UP") && has(now, "10.0.0.1/32")) << harm << now;
    EXPECT_EQ(entries("bridge fdb show dev vxlan.calico", "dst").size(), 1U) << harm;
    EXPECT_EQ(entries("ip neigh show dev vxlan.calico", "PERMANENT").size(), 1U) << harm;
  }
}

TEST_F(DeviceDriverTest, ChecksumOffloadIsSwitchedOffWhereItIsBrokenAndOnAgain) {
  const auto has_offload = [] { return has_checksum_offload("vxlan.calico").value(); };
  DeviceDriver driver(kernel());
  DeviceSpec spec = vxlan_v4();
  spec.is_checksum_offload_broken = false;
  driver.set_devices({{kV4, spec}}, minutes(5));
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_TRUE(has_offload());
  spec.is_checksum_offload_broken = true;
  driver.set_devices({{kV4, spec}}, minutes(5));
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_FALSE(has_offload());
  ASSERT_TRUE(set_checksum_offload("vxlan.calico", true).ok());
  driver.queue_resync();
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_FALSE(has_offload()) << "somebody switched it on";
  spec.is_checksum_offload_broken = false;
  driver.set_devices({{kV4, spec}}, minutes(5));
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_TRUE(has_offload());
  ASSERT_TRUE(set_checksum_offload("vxlan.calico", false).ok());
  driver.queue_resync();
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_FALSE(has_offload()) << "what others switch off stays off";
}

TEST_F(DeviceDriverTest, WhatDevicesCarriedIsCounted) {
  DeviceDriver driver(kernel());
  EXPECT_TRUE(driver.counters().value().empty());
  driver.set_vtep({"b", IpFamily::kV4}, Vtep{ip("10.0.0.2"), kOther, ip("127.0.0.1")});
  driver.set_devices({{kV4, vxlan_v4()}}, minutes(5));
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(driver.counters().value().at(kV4).packets_out, 0U);
  run("ip link set lo up\nip route add 10.0.0.2 dev vxlan.calico");
  run("ping -n -c 2 -i 0.01 -W 0.01 10.0.0.2");
  EXPECT_GE(driver.counters().value().at(kV4).packets_out + driver.counters().value().at(kV4).drops_out +
                driver.counters().value().at(kV4).errors_out,
            2U);
}

TEST_F(DeviceDriverTest, IpInIpIsThereOrSaysWhyNot) {
  const bool has_kernel_ipip = run("ip link add probe type ipip local 192.0.2.1").empty();
  if (has_kernel_ipip) {
    EXPECT_EQ(run("ip link del probe"), "");
  }
  DeviceDriver driver(kernel());
  driver.set_devices({{DeviceKind::kIpip, {.mtu = 1480, .address = ip("10.9.0.1")}}, {kV4, vxlan_v4()}}, seconds(1));
  const auto report = driver.apply(link::kStart);
  EXPECT_TRUE(has(shown("vxlan.calico"), "10.0.0.1/32")) << "others go on";
  if (has_kernel_ipip) {
    EXPECT_EQ(report.failed, 0U);
    EXPECT_TRUE(has(shown("tunl0"), "10.9.0.1/32") && has(shown("tunl0"), "mtu 1480"));
    driver.set_devices({{kV4, vxlan_v4()}}, seconds(1));
    driver.apply(link::kStart);
    driver.apply(link::kStart + seconds(1));
    EXPECT_FALSE(exists("tunl0") && has(shown("tunl0"), "10.9.0.1"));
    EXPECT_EQ(driver.devices().size(), 1U);
    return;
  }
  EXPECT_EQ(report.failed, 1U);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].object, "tunnel device tunl0");
  EXPECT_TRUE(report.try_again_at.has_value());
  EXPECT_EQ(driver.devices().size(), 1U);
}

TEST_F(DeviceDriverTest, AFailedCallAnywhereIsMadeGoodByTheNextApply) {
  netlink::FailingNetlink failing(kernel());
  for (int n = 1; n <= 14; ++n) {
    EXPECT_EQ(run("ip link add vxlan.calico type vxlan id 7 dstport 4789"), "") << n;
    DeviceDriver driver(failing);
    driver.set_vtep({"b", IpFamily::kV4}, Vtep{ip("10.0.0.2"), kOther, ip("192.0.2.2")});
    driver.set_devices({{kV4, vxlan_v4()}}, minutes(5));
    failing.fail_call(n);
    static_cast<void>(driver.apply(link::kStart));
    failing.fail_call(0);
    EXPECT_EQ(apply(driver), Lines{}) << n;
    EXPECT_TRUE(has(shown("vxlan.calico"), "vxlan id 4096 local 192.0.2.1")) << n;
    EXPECT_EQ(entries("bridge fdb show dev vxlan.calico", "dst").size(), 1U) << n;
    EXPECT_EQ(run("ip link del vxlan.calico"), "");
  }
}

}  // namespace
}  // namespace margay::ipip
