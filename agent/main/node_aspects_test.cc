#include "agent/main/node_aspects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"

namespace margay::agent {
namespace {

using ::testing::HasSubstr;

class NodeAspectsTest : public testing::Test {
 protected:
  NodeAspectsTest() {
    for (std::size_t i = 0; i < kStageCount; ++i) timeline_.reach(static_cast<Stage>(i), TimePoint());
    report_.has_written = true;
    report_.backend = "nft";
  }
  // "Type True Reason: message" of each.
  std::vector<std::string> take() {
    std::vector<std::string> out;
    const AspectView view{.timeline = timeline_,
                          .registration_error = registration_error_,
                          .report = report_,
                          .endpoints_programmed = 1,
                          .endpoints_failed = endpoints_failed_,
                          .ipip = ipip_,
                          .lacks_ipip = lacks_ipip_,
                          .tunnel_problems = problems_};
    for (const auto& aspect : aspects_of(view)) {
      out.push_back(concat(aspect.type, aspect.is_well ? " True " : " False ", aspect.reason, ": ", aspect.message));
    }
    return out;
  }

  Timeline timeline_{TimePoint()};
  std::string registration_error_;
  DataplaneReport report_;
  std::size_t endpoints_failed_ = 0;
  ipip::IpipChoice ipip_{ipip::IpipImplementation::kKernel, "asked for"};
  bool lacks_ipip_ = false;
  std::map<std::string, std::string> problems_;
};

TEST_F(NodeAspectsTest, AllIsWell) {
  report_.tunnel_devices = {"tunl0", "vxlan.calico"};
  const auto aspects = take();
  ASSERT_EQ(aspects.size(), 3U);
  EXPECT_THAT(aspects[0], HasSubstr("Ready True Ready: margay-node "));
  EXPECT_EQ(aspects[1], "DataplaneReady True Programmed: iptables-nft, 1 endpoint");
  EXPECT_EQ(aspects[2], "TunnelsReady True Programmed: tunl0 (kernel), vxlan.calico");
}

TEST_F(NodeAspectsTest, WhatTunnelsDroppedIsSaid) {
  report_.tunnel_devices = {"tunl0"};
  TunnelCounters counters;
  counters.nodes[IpAddress::v4(1)] = counters.nodes[IpAddress::v4(2)] = {};
  counters.drops = {{"spoofed source", 5}, {"truncated", 0}, {"unknown sender", 2}};
  report_.tunnel_counters = std::make_shared<const TunnelCounters>(counters);
  EXPECT_EQ(take()[2],
            "TunnelsReady True Programmed: tunl0 (kernel); packets with 2 nodes; 7 packets dropped (spoofed source: 5, "
            "unknown sender: 2)");
  report_.tunnel_counters = std::make_shared<const TunnelCounters>();
  EXPECT_EQ(take()[2], "TunnelsReady True Programmed: tunl0 (kernel)");
}

TEST_F(NodeAspectsTest, WithoutTunnelsNoneAreNeeded) { EXPECT_EQ(take()[2], "TunnelsReady True NotNeeded: "); }

TEST_F(NodeAspectsTest, AStageThatIsMissingIsNamed) {
  timeline_ = Timeline(TimePoint());
  timeline_.reach(Stage::kKernelRead, TimePoint());
  report_.has_written = false;
  EXPECT_EQ(take()[0], "Ready False Starting: the stage DatastoreInSync has not been reached");
  EXPECT_THAT(take()[1], HasSubstr("DataplaneReady False Starting"));
  registration_error_ = "no address found";
  EXPECT_EQ(take()[0], "Ready False NotRegistered: no address found");
}

TEST_F(NodeAspectsTest, WhatFailedIsCountedAndTheFirstIsSaid) {
  report_.drivers["routes"].failed = 2;
  report_.drivers["routes"].failures = {{"10.0.0.0/26", Error{ErrorCode::kInvalid, "no such device"}}};
  endpoints_failed_ = 1;
  report_.are_routes_paused = true;
  report_.unresolved_routes = 3;
  EXPECT_EQ(take()[1],
            "DataplaneReady False Failing: iptables-nft, 1 endpoint; 2 objects failed (10.0.0.0/26: no such device); 1 "
            "endpoint failed; routes are not written (routeSyncDisabled); 3 routes without a next hop that can be "
            "reached");
}

TEST_F(NodeAspectsTest, TunnelsThatCannotBeAreSaid) {
  lacks_ipip_ = true;
  ipip_ = {ipip::IpipImplementation::kNone, "switched off"};
  problems_["ipip-tunnel-addr-a"] = "the pools are exhausted";
  EXPECT_EQ(take()[2],
            "TunnelsReady False Failing: IP-in-IP: switched off; ipip-tunnel-addr-a: the pools are exhausted");
}

}  // namespace
}  // namespace margay::agent
