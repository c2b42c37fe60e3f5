// The programmer against a kernel that refuses, fails and is changed behind its back.
#include "dataplane/route/route_programmer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "dataplane/route/fake_kernel.h"
#include "dataplane/route/test_routes.h"

namespace margay::route {
namespace {

using namespace std::chrono_literals;
using test::by;
using test::key;
using test::Lines;
using test::net;
using test::via;

constexpr std::uint8_t kOurMark = 81;
constexpr IfIndex kOne{10};
constexpr IfIndex kTwo{11};

class RouteProgrammerTest : public testing::Test {
 protected:
  RouteProgrammerTest() {
    kernel_.connect(net("10.1.0.0/24"), kOne);
    kernel_.connect(net("10.2.0.0/24"), kTwo);
  }

  void start(bool is_converged = true) {
    programmer_.emplace(loop_, kernel_, RouteProgrammerConfig{.protocol = kOurMark, .table = kMainTable},
                        [this](RouteReport report) { report_.merge(std::move(report)); });
    ASSERT_TRUE(programmer_->read().ok());
    RouteBatch batch;
    batch.move_to(kMainTable);
    if (is_converged) batch.converge();
    programmer_->apply(batch);
  }
  void set(std::string_view prefix, std::string_view hop, std::uint32_t metric = 1024) {
    RouteBatch batch;
    batch.set(net(prefix), by(hop), metric);
    programmer_->apply(batch);
  }
  void remove(std::string_view prefix) {
    RouteBatch batch;
    batch.remove(net(prefix));
    programmer_->apply(batch);
  }
  auto to_route() {
    return [this](const netlink::MessageView& message) { programmer_->note_route(message); };
  }
  auto to_link() {
    return [this](const netlink::MessageView& message) { programmer_->note_link(message); };
  }
  void run_for(Duration duration) {
    loop_.run_until([] { return false; }, duration);
  }
  [[nodiscard]] Lines lines() const { return kernel_.lines(kOurMark); }

  loop::SimLoop loop_;
  FakeKernel kernel_;
  RouteReport report_;
  std::optional<RouteProgrammer> programmer_;
};

TEST_F(RouteProgrammerTest, WhatIsWantedIsProgrammedAndReported) {
  start();
  set("10.9.0.0/26", "10.1.0.7");
  set("10.9.1.0/26", "192.0.2.1");  // leads nowhere
  EXPECT_EQ(lines(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10"}));
  EXPECT_EQ(report_.wanted, 2U);
  EXPECT_EQ(report_.installed, 1U);
  EXPECT_EQ(report_.unresolved, 1U);
  EXPECT_EQ(report_.failed, 0U);
  EXPECT_EQ(report_.next_hops, (std::map<IpAddress, bool>{{IpAddress::parse("192.0.2.1").value(), false}}));
  remove("10.9.0.0/26");
  remove("10.9.7.0/26");  // never was
  EXPECT_EQ(lines(), Lines{});
}

TEST_F(RouteProgrammerTest, AnotherMetricIsAnotherRouteAndTheOldOneGoes) {
  start();
  set("10.9.0.0/26", "10.1.0.7", 1024);
  set("10.9.0.0/26", "10.1.0.7", 512);
  ASSERT_EQ(kernel_.routes().size(), 1U);
  EXPECT_EQ(kernel_.routes().begin()->first, key("10.9.0.0/26", 512));
  EXPECT_EQ(kernel_.most_routes(), 2U);  // first the new one
}

// As ipip/plan says it: pools through a tunnel, or not from BGP at all.
TEST_F(RouteProgrammerTest, ARuleSendsRoutesThroughATunnelAndBackWithoutAGap) {
  constexpr IfIndex kTunnel{20};
  start();
  set("10.9.0.0/26", "10.1.0.7");
  set("10.8.0.0/26", "10.1.0.7");
  set("10.9.1.0/26", "192.0.2.1");  // leads nowhere
  set("10.7.0.0/26", "10.2.0.7");
  set("10.6.0.0/26", "10.2.0.7");
  const auto rule = [&](const IpPrefix& prefix, const IpAddress&) -> Carriage {
    if (net("10.9.0.0/16").contains(prefix)) return {Carriage::Kind::kOnlink, kTunnel};
    if (net("10.7.0.0/16").contains(prefix)) return {Carriage::Kind::kNone, {}};
    if (net("10.6.0.0/16").contains(prefix)) return {Carriage::Kind::kElsewhere, {}};
    return {};
  };
  programmer_->set_carriage(rule);
  EXPECT_EQ(lines(), (Lines{"10.8.0.0/26 via 10.1.0.7 dev 10", "10.9.0.0/26 via 10.1.0.7 dev 20 onlink",
                            "10.9.1.0/26 via 192.0.2.1 dev 20 onlink"}));
  EXPECT_EQ(kernel_.most_routes(), 5U) << "what goes goes last";
  set("10.9.2.0/26", "10.1.0.7");
  EXPECT_EQ(lines().back(), "10.9.2.0/26 via 10.1.0.7 dev 20 onlink") << "also what comes later";
  EXPECT_EQ(report_.unresolved, 1U) << "what nothing carries leads nowhere; what others tell is theirs";
  remove("10.9.2.0/26");
  remove("10.9.0.0/26");
  programmer_->set_carriage({});
  EXPECT_EQ(lines(), (Lines{"10.6.0.0/26 via 10.2.0.7 dev 11", "10.7.0.0/26 via 10.2.0.7 dev 11",
                            "10.8.0.0/26 via 10.1.0.7 dev 10"}));
  EXPECT_EQ(report_.failed, 0U);
}

TEST_F(RouteProgrammerTest, WhatAnEarlierLifeLeftStaysUntilConvergence) {
  kernel_.put(key("10.9.0.0/26"), via("10.1.0.7", kOne), kOurMark);
  kernel_.put(key("10.9.1.0/26"), via("10.1.0.7", kOne), kOurMark);
  start(false);
  EXPECT_EQ(programmer_->found(), 2U);
  set("10.9.0.0/26", "10.1.0.7");
  EXPECT_EQ(kernel_.writes(), 0);
  EXPECT_EQ(lines().size(), 2U);
  RouteBatch batch;
  batch.converge();
  programmer_->apply(batch);
  EXPECT_EQ(lines(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10"}));
}

TEST_F(RouteProgrammerTest, ThousandsOfRefusalsAreReportedAndTriedAgain) {
  start();
  constexpr int kCount = 5000;
  RouteBatch batch;
  for (int i = 0; i < kCount; ++i) {
    const IpPrefix prefix = net(concat("10.", 100 + i / 250, ".", i % 250, ".0/24"));
    kernel_.refuse(prefix, ENETUNREACH);
    batch.set(prefix, by("10.1.0.7"), 1024);
  }
  batch.set(net("10.9.0.0/26"), by("10.1.0.7"), 1024);
  programmer_->apply(batch);
  EXPECT_EQ(report_.failed, 5000U);
  EXPECT_EQ(report_.failures.size(), dataplane::kFailuresReportedMax);
  EXPECT_EQ(programmer_->driver().failures().size(), 5000U);
  EXPECT_EQ(lines(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10"}));
  const int writes = kernel_.writes();
  run_for(1s);  // again, but not all the time: after 0.1, 0.3, 0.7 s
  EXPECT_EQ(kernel_.writes() - writes, 3 * kCount);
  EXPECT_EQ(report_.failed, 5000U);
  kernel_.refuse_nothing();
  run_for(1s);
  EXPECT_EQ(lines().size(), 5001U);
  EXPECT_EQ(report_.failed, 0U);
  EXPECT_EQ(report_.installed, 5001U);
}

TEST_F(RouteProgrammerTest, ANextHopThatComesBackBringsItsRoutes) {
  start();
  set("10.9.0.0/26", "10.1.0.7");
  set("10.9.1.0/26", "10.3.0.7");
  EXPECT_EQ(lines().size(), 1U);
  kernel_.connect(net("10.3.0.0/24"), kTwo);
  tell_link(kTwo, true, to_link());
  run_for(100ms);
  EXPECT_EQ(lines(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10", "10.9.1.0/26 via 10.3.0.7 dev 11"}));
  EXPECT_EQ(report_.next_hops.at(IpAddress::parse("10.3.0.7").value()), true);
  // The way there is another one now: the route follows.
  kernel_.disconnect(net("10.3.0.0/24"));
  kernel_.connect(net("10.3.0.0/16"), kOne);
  tell_route(RTM_NEWROUTE, key("10.3.0.0/16", 0), Route{.hops = {RouteHop{std::nullopt, kOne}}}, RTPROT_STATIC,
             to_route());
  run_for(100ms);
  EXPECT_EQ(lines()[1], "10.9.1.0/26 via 10.3.0.7 dev 10");
}

TEST_F(RouteProgrammerTest, ALinkThatBlinksGetsItsRoutesBack) {
  start();
  set("10.9.0.0/26", "10.1.0.7");
  set("10.9.1.0/26", "10.2.0.7");
  kernel_.link_down(kOne);  // says nothing of routes
  tell_link(kOne, false, to_link());
  kernel_.connect(net("10.1.0.0/24"), kOne);
  tell_link(kOne, true, to_link());
  EXPECT_EQ(lines().size(), 1U);
  run_for(20ms);
  EXPECT_EQ(lines(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10", "10.9.1.0/26 via 10.2.0.7 dev 11"}));
}

TEST_F(RouteProgrammerTest, LinksThatNoRouteLeavesByAreNoReasonToReadAll) {
  start();
  set("10.9.0.0/26", "10.1.0.7");
  const int dumps = kernel_.dumps();
  tell_link(IfIndex(77), false, to_link());
  run_for(1s);
  EXPECT_EQ(kernel_.dumps(), dumps);
}

TEST_F(RouteProgrammerTest, DriftIsRepairedWhenTold) {
  start();
  set("10.9.0.0/26", "10.1.0.7");
  kernel_.erase(key("10.9.0.0/26"));
  tell_route(RTM_DELROUTE, key("10.9.0.0/26"), via("10.1.0.7", kOne), kOurMark, to_route());
  kernel_.put(key("10.9.1.0/26"), via("10.1.0.7", kOne), kOurMark);  // with our mark, but not ours
  tell_route(RTM_NEWROUTE, key("10.9.1.0/26"), via("10.1.0.7", kOne), kOurMark, to_route());
  run_for(20ms);
  EXPECT_EQ(lines(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10"}));
}

TEST_F(RouteProgrammerTest, LostNotificationsLeadToAResync) {
  start();
  set("10.9.0.0/26", "10.1.0.7");
  const int dumps = kernel_.dumps();
  kernel_.erase(key("10.9.0.0/26"));
  for (int i = 0; i < 10; ++i) programmer_->note_lost();
  run_for(20ms);
  EXPECT_EQ(kernel_.dumps(), dumps + 2);  // one of each family
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(RouteProgrammerTest, AnotherTableIsFilledBeforeTheOldOneIsEmptied) {
  start();
  for (int i = 0; i < 5000; ++i) set(concat("10.", 100 + i / 250, ".", i % 250, ".0/24"), "10.1.0.7");
  RouteBatch batch;
  batch.move_to(RouteTableId(100));
  programmer_->apply(batch);
  EXPECT_EQ(kernel_.most_routes(), 10'000U);
  ASSERT_EQ(kernel_.routes().size(), 5000U);
  EXPECT_EQ(lines()[0], "10.100.0.0/24 via 10.1.0.7 dev 10 table 100");
  // And what somebody removes there is put back as well.
  const RouteKey moved{RouteTableId(100), net("10.100.0.0/24"), 1024};
  kernel_.erase(moved);
  programmer_->note_lost();
  run_for(20ms);
  EXPECT_TRUE(kernel_.routes().contains(moved));
}

TEST_F(RouteProgrammerTest, HandsOffTheKernelAndOnAgain) {
  kernel_.put(key("10.9.5.0/26"), via("10.1.0.7", kOne), kOurMark);  // of an earlier life
  kernel_.put(key("10.9.6.0/26"), via("10.1.0.7", kOne), RTPROT_STATIC);
  start(false);
  set("10.9.0.0/26", "10.1.0.7");
  RouteBatch off;
  off.begin_anew();
  off.move_to(std::nullopt);
  programmer_->apply(off);
  EXPECT_EQ(lines(), Lines{});
  EXPECT_EQ(kernel_.routes().size(), 1U);  // the other's
  EXPECT_EQ(report_.wanted, 0U);
  RouteBatch on;
  on.begin_anew();
  on.move_to(kMainTable);
  on.set(net("10.9.1.0/26"), by("10.1.0.7"), 1024);
  programmer_->apply(on);
  EXPECT_EQ(lines(), (Lines{"10.9.1.0/26 via 10.1.0.7 dev 10"}));
}

TEST_F(RouteProgrammerTest, ANewBeginningTouchesOnlyWhatDiffers) {
  start();
  set("10.9.0.0/26", "10.1.0.7");
  set("10.9.1.0/26", "10.1.0.7");
  const int writes = kernel_.writes();
  RouteBatch again;
  again.begin_anew();
  again.set(net("10.9.0.0/26"), by("10.1.0.7"), 1024);
  again.set(net("10.9.2.0/26"), by("10.1.0.7"), 1024);
  programmer_->apply(again);
  EXPECT_EQ(kernel_.writes() - writes, 2);
  EXPECT_EQ(lines(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10", "10.9.2.0/26 via 10.1.0.7 dev 10"}));
}

// Whichever call fails, in the end the kernel is as it should be.
TEST_F(RouteProgrammerTest, AnyFailedCallIsMadeGood) {
  for (int n = 1; n <= 6; ++n) {
    SCOPED_TRACE(n);
    kernel_ = FakeKernel();
    kernel_.connect(net("10.1.0.0/24"), kOne);
    kernel_.put(key("10.9.9.0/26"), via("10.1.0.7", kOne), kOurMark);
    start();
    kernel_.fail_call(n);
    RouteBatch batch;
    for (int i = 0; i < 5000; ++i)
      batch.set(net(concat("10.", 100 + i / 250, ".", i % 250, ".0/24")), by("10.1.0.7"), 1024);
    programmer_->apply(batch);
    remove("10.100.0.0/24");
    programmer_->note_lost();
    run_for(60s);
    EXPECT_EQ(lines().size(), 4999U);
    EXPECT_EQ(report_.failed, 0U);
  }
}

TEST_F(RouteProgrammerTest, AnyHistoryEndsAsWanted) {
  SeededRandom random(11);
  start();
  std::map<std::string, std::string> model;
  for (int round = 0; round < 400; ++round) {
    const std::string prefix = concat("10.9.", random.below(30), ".0/24");
    switch (random.below(6)) {
      case 0:
        remove(prefix);
        model.erase(prefix);
        break;
      case 1:
        kernel_.erase(key(prefix));
        programmer_->note_lost();
        break;
      case 2:
        kernel_.fail_call(1 + static_cast<int>(random.below(3)));
        programmer_->note_lost();
        break;
      case 3:
        kernel_.link_down(kTwo);
        tell_link(kTwo, false, to_link());
        kernel_.connect(net("10.2.0.0/24"), kTwo);
        tell_link(kTwo, true, to_link());
        break;
      default: {
        const std::string hop = concat(random.below(2) == 0 ? "10.1.0." : "10.2.0.", 2 + random.below(3));
        set(prefix, hop);
        model[prefix] = concat(prefix, " via ", hop, hop[3] == '1' ? " dev 10" : " dev 11");
      }
    }
    run_for(Duration(std::chrono::milliseconds(random.below(80))));
  }
  run_for(60s);
  Lines expected;
  for (const auto& [prefix, line] : model) expected.push_back(line);
  Lines actual = lines();
  std::sort(actual.begin(), actual.end());
  EXPECT_EQ(actual, expected);
}

}  // namespace
}  // namespace margay::route
