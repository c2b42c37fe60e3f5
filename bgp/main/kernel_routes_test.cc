// The adapter between the speaker and the thread of kernel routes: the real kernel, in a namespace of the test's own.
#include "bgp/main/kernel_routes.h"

#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <string>

#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/route/route.h"

namespace margay::bgpd {
namespace {

using Lines = std::vector<std::string>;

constexpr std::uint8_t kOurs = 81;
constexpr RouteTableId kMain = route::kMainTable;
constexpr RouteTableId kOther{1000};
constexpr Duration kLimit = std::chrono::seconds(30);  // for failures alone

IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }

class KernelRoutesTest : public testing::Test {
 protected:
  void SetUp() override {
    auto entered = netlink::ScratchNamespace::enter();
    if (!entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    space_.emplace(std::move(entered).value());
    kernel_ = netlink::open_netlink(NETLINK_ROUTE).value();
    netlink::Batch batch;
    {
      netlink::Request request = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
      ifinfomsg head{};
      head.ifi_flags = IFF_UP;
      head.ifi_change = IFF_UP;
      head.ifi_index = 10;
      request.header(head);
      request.text(IFLA_IFNAME, "one");
      const std::size_t nest = request.begin_nest(IFLA_LINKINFO);
      request.text(IFLA_INFO_KIND, "bridge");
      request.end_nest(nest);
    }
    {
      netlink::Request request = batch.add(RTM_NEWADDR, NLM_F_CREATE);
      ifaddrmsg head{};
      head.ifa_family = AF_INET;
      head.ifa_prefixlen = 24;
      head.ifa_index = 10;
      request.header(head);
      request.address(IFA_LOCAL, IpAddress::parse("10.1.0.1").value());
    }
    ASSERT_TRUE(kernel_->apply(batch).failures.empty());
    routes_.emplace(KernelRoutes::Parts{.loop = loop_, .metrics = &metrics_, .tell_again = [this] {
                                          ++told_again_;
                                          routes_->apply(rib_);
                                        }});
  }

  static bgp::rib::RouteChange change(std::string_view prefix, std::string_view hop) {
    bgp::rib::BestRoute route;
    route.next_hops = {bgp::NextHop{IpAddress::parse(hop).value(), std::nullopt}};
    return {net(prefix), route};
  }
  // As the speaker does it: the RIB knows, the sink hears.
  void announce(std::string_view prefix, std::string_view hop) {
    rib_.push_back(change(prefix, hop));
    routes_->apply({rib_.back()});
  }
  void put_foreign(std::string_view prefix, RouteTableId table) {
    netlink::Batch batch;
    route::add_route_request(batch, {table, net(prefix), 1024},
                             {.hops = {route::RouteHop{IpAddress::parse("10.1.0.9").value(), IfIndex(10)}}}, kOurs,
                             route::Write::kNew);
    ASSERT_TRUE(kernel_->apply(batch).failures.empty());
  }
  Lines lines() {
    Lines out;
    netlink::Batch request;
    route::add_dump_request(request, IpFamily::kV4, kOurs, std::nullopt);
    const Status dumped = kernel_->dump(
        request, [&out] { out.clear(); },
        [&out](const netlink::MessageView& message) {
          const auto found = route::parse_route(message);
          if (!found || found->protocol != kOurs) return;
          out.push_back(
              concat(found->key.table.value(), " ", found->key.prefix.to_string(), " ", found->route.to_string()));
        });
    EXPECT_TRUE(dumped.ok());
    std::sort(out.begin(), out.end());
    return out;
  }
  bool becomes(const Lines& expected) {
    return loop_.run_until([&] { return lines() == expected; }, kLimit);
  }

  std::optional<netlink::ScratchNamespace> space_;
  std::unique_ptr<netlink::Netlink> kernel_;
  loop::AsioLoop loop_;
  telemetry::Registry metrics_;
  std::vector<bgp::rib::RouteChange> rib_;
  int told_again_ = 0;
  std::optional<KernelRoutes> routes_;
};

TEST_F(KernelRoutesTest, BestRoutesGoIntoTheKernelAndOut) {
  ASSERT_TRUE(routes_->install(kMain).ok());
  EXPECT_FALSE(routes_->has_routes());
  announce("10.9.0.0/26", "10.1.0.7");
  announce("10.9.1.0/26", "192.0.2.1");  // nobody knows where that is
  ASSERT_TRUE(loop_.run_until([this] { return routes_->report().wanted == 2; }, kLimit));
  EXPECT_EQ(lines(), (Lines{"254 10.9.0.0/26 via 10.1.0.7 dev 10"}));
  EXPECT_EQ(routes_->report().unresolved, 1U);
  routes_->apply({{net("10.9.0.0/26"), std::nullopt}});
  EXPECT_TRUE(loop_.run_until([this] { return routes_->report().wanted == 1; }, kLimit));
  EXPECT_EQ(lines().size(), 1U);  // before convergence nothing goes
  routes_->converged();
  EXPECT_TRUE(loop_.run_until([this] { return routes_->report().installed == 0; }, kLimit));
  EXPECT_EQ(lines(), Lines{});
}

TEST_F(KernelRoutesTest, AnotherTableWithoutARestart) {
  ASSERT_TRUE(routes_->install(kMain).ok());
  routes_->converged();
  announce("10.9.0.0/26", "10.1.0.7");
  ASSERT_TRUE(loop_.run_until([this] { return routes_->report().installed == 1; }, kLimit));
  ASSERT_TRUE(routes_->install(kOther).ok());
  announce("10.9.1.0/26", "10.1.0.7");
  ASSERT_TRUE(loop_.run_until([this] { return routes_->report().installed == 2; }, kLimit));
  EXPECT_EQ(lines(), (Lines{"1000 10.9.0.0/26 via 10.1.0.7 dev 10", "1000 10.9.1.0/26 via 10.1.0.7 dev 10"}));
  EXPECT_EQ(told_again_, 1);  // at the start; moving needs no telling
}

TEST_F(KernelRoutesTest, OutOfTheKernelAndInAgain) {
  ASSERT_TRUE(routes_->install(kMain).ok());
  routes_->converged();
  announce("10.9.0.0/26", "10.1.0.7");
  ASSERT_TRUE(loop_.run_until([this] { return routes_->report().installed == 1; }, kLimit));
  ASSERT_TRUE(routes_->install(std::nullopt).ok());
  announce("10.9.1.0/26", "10.1.0.7");
  ASSERT_TRUE(loop_.run_until([this] { return routes_->report().installed == 0; }, kLimit));
  EXPECT_EQ(lines(), Lines{});
  ASSERT_TRUE(routes_->install(kMain).ok());
  ASSERT_TRUE(loop_.run_until([this] { return routes_->report().installed == 2; }, kLimit));
  EXPECT_EQ(lines(), (Lines{"254 10.9.0.0/26 via 10.1.0.7 dev 10", "254 10.9.1.0/26 via 10.1.0.7 dev 10"}));
}

TEST_F(KernelRoutesTest, TurnedOnLateItKeepsWhatAnEarlierLifeLeftIfItIsWanted) {
  put_foreign("10.9.0.0/26", kMain);
  put_foreign("10.9.5.0/26", kMain);
  routes_->converged();
  announce("10.9.0.0/26", "10.1.0.9");
  announce("10.9.1.0/26", "10.1.0.9");
  ASSERT_TRUE(routes_->install(kMain).ok());
  EXPECT_TRUE(routes_->has_routes());
  EXPECT_TRUE(becomes({"254 10.9.0.0/26 via 10.1.0.9 dev 10", "254 10.9.1.0/26 via 10.1.0.9 dev 10"}));
}

TEST_F(KernelRoutesTest, TheEndWritesWhatWasSentAndLeavesItThere) {
  ASSERT_TRUE(routes_->install(kMain).ok());
  routes_->converged();
  announce("10.9.0.0/26", "10.1.0.7");
  routes_.reset();
  EXPECT_EQ(lines(), (Lines{"254 10.9.0.0/26 via 10.1.0.7 dev 10"}));
}

TEST_F(KernelRoutesTest, ARefusalIsSeenAndMadeGood) {
  netlink::Batch other;
  route::add_route_request(other, {kMain, net("10.9.0.0/26"), 1024}, {.type = route::RouteType::kBlackhole},
                           RTPROT_STATIC, route::Write::kNew);
  ASSERT_TRUE(kernel_->apply(other).failures.empty());
  ASSERT_TRUE(routes_->install(kMain).ok());
  announce("10.9.0.0/26", "10.1.0.7");
  ASSERT_TRUE(loop_.run_until([this] { return routes_->report().failed == 1; }, kLimit));
  EXPECT_EQ(routes_->report().failures.at(0).object, "route 10.9.0.0/26 metric 1024 table 254");
  netlink::Batch gone;
  route::add_delete_request(gone, {kMain, net("10.9.0.0/26"), 1024}, {.type = route::RouteType::kBlackhole},
                            RTPROT_STATIC);
  ASSERT_TRUE(kernel_->apply(gone).failures.empty());
  EXPECT_TRUE(loop_.run_until([this] { return routes_->report().installed == 1; }, kLimit));
  EXPECT_EQ(routes_->report().failed, 0U);
}

}  // namespace
}  // namespace margay::bgpd
