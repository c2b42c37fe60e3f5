// Against the real kernel, in a network namespace of the test's own with two bridges: one (10.1.0.1/24,
// 2001:db8:1::1/64) and two (10.2.0.1/24).
#include "dataplane/route/route_driver.h"

#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <string>

#include "base/core/random.h"
#include "base/core/text.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/route/next_hop_resolver.h"
#include "dataplane/route/test_routes.h"

namespace margay::route {
namespace {

using namespace std::chrono_literals;
using test::key;
using test::Lines;
using test::via;

constexpr std::uint8_t kDefaultMark = 80;
constexpr TimePoint kStart{};

IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }
Route blackhole() { return Route{.type = RouteType::kBlackhole}; }

class RouteDriverTest : public testing::Test {
 protected:
  void SetUp() override {
    auto entered = netlink::ScratchNamespace::enter();
    if (!entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    space_.emplace(std::move(entered).value());
    kernel_ = netlink::open_netlink(NETLINK_ROUTE).value();
    one_ = add_bridge("one");
    two_ = add_bridge("two");
    add_address(one_, "10.1.0.1", 24);
    add_address(one_, "2001:db8:1::1", 64);
    add_address(two_, "10.2.0.1", 24);
  }

  void must(const netlink::Batch& batch) {
    const netlink::BatchReport report = kernel_->apply(batch);
    ASSERT_TRUE(report.transport.ok());
    for (const auto& failure : report.failures) ADD_FAILURE() << failure.text;
  }

  IfIndex add_bridge(std::string_view name) {
    netlink::Batch batch;
    {
      netlink::Request request = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
      ifinfomsg head{};
      head.ifi_flags = IFF_UP;
      head.ifi_change = IFF_UP;
      head.ifi_index = next_index_;
      request.header(head);
      request.text(IFLA_IFNAME, name);
      const std::size_t nest = request.begin_nest(IFLA_LINKINFO);
      request.text(IFLA_INFO_KIND, "bridge");
      request.end_nest(nest);
    }
    must(batch);
    return IfIndex(static_cast<std::uint32_t>(next_index_++));
  }

  void add_address(IfIndex interface, std::string_view text, int length) {
    const IpAddress value = address(text);
    netlink::Batch batch;
    {
      netlink::Request request = batch.add(RTM_NEWADDR, NLM_F_CREATE);
      ifaddrmsg head{};
      head.ifa_family = value.is_v4() ? AF_INET : AF_INET6;
      head.ifa_prefixlen = static_cast<unsigned char>(length);
      head.ifa_flags = IFA_F_NODAD;
      head.ifa_index = interface.value();
      request.header(head);
      request.address(IFA_LOCAL, value);
      request.address(IFA_ADDRESS, value);
    }
    must(batch);
  }

  void set_down(IfIndex interface) {
    netlink::Batch batch;
    {
      netlink::Request request = batch.add(RTM_NEWLINK, 0);
      ifinfomsg head{};
      head.ifi_index = static_cast<int>(interface.value());
      head.ifi_change = IFF_UP;
      request.header(head);
    }
    must(batch);
  }

  // By another program: with another protocol number unless said otherwise.
  void add_foreign(const RouteKey& at, const Route& route, std::uint8_t protocol = RTPROT_STATIC) {
    netlink::Batch batch;
    add_route_request(batch, at, route, protocol, Write::kNew);
    must(batch);
  }
  void delete_foreign(const RouteKey& at, std::uint8_t protocol) {
    netlink::Batch batch;
    add_delete_request(batch, at, Route{}, protocol);
    must(batch);
  }

  // All routes of a protocol, "prefix route", in order.
  std::vector<std::string> in_kernel(std::uint8_t protocol = kDefaultMark) {
    std::vector<std::string> out;
    for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
      netlink::Batch request;
      add_dump_request(request, family, protocol, std::nullopt);
      const Status dumped = kernel_->dump(
          request, [] {},
          [&](const netlink::MessageView& message) {
            const auto route = parse_route(message);
            if (!route || route->protocol != protocol) return;
            out.push_back(concat(route->key.prefix.to_string(), " ", route->route.to_string()));
          });
      EXPECT_TRUE(dumped.ok());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  std::optional<netlink::ScratchNamespace> space_;
  std::unique_ptr<netlink::Netlink> kernel_;
  int next_index_ = 10;
  IfIndex one_, two_;
};

TEST_F(RouteDriverTest, WhatIsDesiredIsInTheKernel) {
  RouteDriver driver(*kernel_, {});
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.1.0.7", one_));
  driver.set_route(
      Source::kBgp, key("10.9.1.0/26"),
      Route{.hops = {RouteHop{address("10.1.0.7"), one_, false, 1}, RouteHop{address("10.2.0.7"), two_, false, 3}}});
  driver.set_route(Source::kBlackhole, key("10.9.2.0/26"), blackhole());
  driver.set_route(Source::kLocalWorkload, key("10.9.3.5/32"), Route{.hops = {RouteHop{std::nullopt, one_}}});
  driver.set_route(Source::kIpip, key("10.9.4.0/26"), Route{.hops = {RouteHop{address("192.0.2.9"), two_, true}}});
  driver.set_route(Source::kBgp, key("2001:db8:9::/122"), via("2001:db8:1::7", one_));
  driver.set_route(Source::kBgp, key("2001:db8:9:1::/122", 0), via("2001:db8:1::7", one_));
  driver.set_route(Source::kBlackhole, key("2001:db8:9:2::/122"), blackhole());
  driver.set_route(Source::kBgp, key("10.9.5.0/26"), via("2001:db8:1::7", one_));  // RFC 8950
  driver.set_route(Source::kStatic, key("0.0.0.0/0"), via("10.1.0.254", one_));
  const auto report = driver.apply(kStart);
  for (const auto& failure : report.failures) ADD_FAILURE() << failure.object << ": " << failure.error.message;
  EXPECT_TRUE(report.is_in_sync());
  EXPECT_EQ(report.updated, 10U);
  EXPECT_EQ(in_kernel(),
            (Lines{"0.0.0.0/0 via 10.1.0.254 dev 10", "10.9.0.0/26 via 10.1.0.7 dev 10",
                   "10.9.1.0/26 via 10.1.0.7 dev 10 weight 1, via 10.2.0.7 dev 11 weight 3", "10.9.2.0/26 blackhole",
                   "10.9.3.5/32 dev 10", "10.9.4.0/26 via 192.0.2.9 dev 11 onlink",
                   "10.9.5.0/26 via 2001:db8:1::7 dev 10", "2001:db8:9:1::/122 via 2001:db8:1::7 dev 10",
                   "2001:db8:9:2::/122 blackhole", "2001:db8:9::/122 via 2001:db8:1::7 dev 10"}));
  // It reads back as it was put in: nothing to do after a resync.
  driver.allow_removal();
  driver.queue_resync();
  const auto again = driver.apply(kStart);
  EXPECT_EQ(again.updated + again.removed + again.failed, 0U);
}

TEST_F(RouteDriverTest, ChangesReplaceAndRemovalsRemove) {
  RouteDriver driver(*kernel_, {});
  driver.allow_removal();
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.1.0.7", one_));
  driver.set_route(Source::kBgp, key("10.9.1.0/26"), via("10.1.0.7", one_));
  EXPECT_EQ(driver.apply(kStart).updated, 2U);
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.2.0.7", two_));
  driver.remove_route(Source::kBgp, key("10.9.1.0/26"));
  const auto report = driver.apply(kStart);
  EXPECT_EQ(report.updated, 1U);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_EQ(in_kernel(), (Lines{"10.9.0.0/26 via 10.2.0.7 dev 11"}));
}

TEST_F(RouteDriverTest, SomeMayGoBeforeTheOthers) {
  {
    RouteDriver earlier(*kernel_, {});
    earlier.set_route(Source::kBlackhole, key("10.9.0.0/26"), blackhole());
    earlier.set_route(Source::kBgp, key("10.9.1.0/26"), via("10.1.0.7", one_));
    static_cast<void>(earlier.apply(kStart));
  }
  RouteDriver driver(*kernel_, {});
  driver.allow_removal_of([](const RouteKey&, const Route& route) { return route.hops.empty(); });
  EXPECT_EQ(driver.apply(kStart).removed, 1U);
  EXPECT_EQ(in_kernel(), (Lines{"10.9.1.0/26 via 10.1.0.7 dev 10"}));
  driver.allow_removal();
  EXPECT_EQ(driver.apply(kStart).removed, 1U);
  EXPECT_EQ(in_kernel(), Lines{});
}

TEST_F(RouteDriverTest, TheBestSourceWinsAndTheNextTakesOver) {
  RouteDriver driver(*kernel_, {});
  driver.allow_removal();
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.1.0.7", one_));
  driver.set_route(Source::kBlackhole, key("10.9.0.0/26"), blackhole());
  driver.set_route(Source::kLocalWorkload, key("10.9.0.0/26"), Route{.hops = {RouteHop{std::nullopt, two_}}});
  static_cast<void>(driver.apply(kStart));
  EXPECT_EQ(in_kernel(), (Lines{"10.9.0.0/26 dev 11"}));
  driver.remove_route(Source::kLocalWorkload, key("10.9.0.0/26"));
  static_cast<void>(driver.apply(kStart));
  EXPECT_EQ(in_kernel(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10"}));
  driver.remove_route(Source::kBlackhole, key("10.9.0.0/26"));  // one that is not in force
  driver.remove_route(Source::kBgp, key("10.9.0.0/26"));
  static_cast<void>(driver.apply(kStart));
  EXPECT_EQ(in_kernel(), Lines{});
}

TEST_F(RouteDriverTest, RoutesOfOthersAreLeftAlone) {
  add_foreign(key("10.9.0.0/26"), via("10.1.0.9", one_));
  add_foreign(key("10.9.1.0/26"), via("10.1.0.9", one_));
  RouteDriver driver(*kernel_, {});
  driver.allow_removal();
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.1.0.7", one_));
  driver.set_route(Source::kBgp, key("10.9.2.0/26"), via("10.1.0.7", one_));
  const auto report = driver.apply(kStart);
  EXPECT_EQ(report.updated, 1U);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].object, "route 10.9.0.0/26 metric 1024 table 254");
  EXPECT_EQ(report.failures[0].error.code, ErrorCode::kAlreadyExists);
  EXPECT_TRUE(report.try_again_at.has_value());
  EXPECT_EQ(in_kernel(RTPROT_STATIC), (Lines{"10.9.0.0/26 via 10.1.0.9 dev 10", "10.9.1.0/26 via 10.1.0.9 dev 10"}));
  // Once the other is gone it is done.
  delete_foreign(key("10.9.0.0/26"), RTPROT_STATIC);
  EXPECT_TRUE(driver.apply(kStart).is_in_sync());
  EXPECT_EQ(in_kernel(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10", "10.9.2.0/26 via 10.1.0.7 dev 10"}));
}

TEST_F(RouteDriverTest, ARestartAdoptsWhatItFinds) {
  add_foreign(key("10.9.0.0/26"), via("10.1.0.7", one_), kDefaultMark);
  add_foreign(key("10.9.1.0/26"), via("10.1.0.7", one_), kDefaultMark);
  RouteDriver driver(*kernel_, {});
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.1.0.7", one_));
  auto report = driver.apply(kStart);
  EXPECT_EQ(report.updated + report.removed, 0U);  // one is as it should be, the other must wait
  EXPECT_EQ(in_kernel().size(), 2U);
  driver.allow_removal();
  report = driver.apply(kStart);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_EQ(in_kernel(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10"}));
}

TEST_F(RouteDriverTest, ATableNothingWasEverPutInIsEmpty) {
  const RouteTableId table(4711);
  RouteDriver driver(*kernel_, {.tables = {table}});
  const Status read = driver.resync(kStart);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(driver.actual_count(), 0U);
  add_foreign(RouteKey{table, IpPrefix::parse("10.9.0.0/26").value(), 5}, via("10.1.0.7", one_), kDefaultMark);
  ASSERT_TRUE(driver.resync(kStart).ok());
  EXPECT_EQ(driver.actual_count(), 1U);
}

TEST_F(RouteDriverTest, WhatIsFoundHasAGrace) {
  RouteDriver driver(*kernel_, {.grace = 10s});
  driver.allow_removal();
  add_foreign(key("10.9.0.5/32"), Route{.hops = {RouteHop{std::nullopt, one_}}}, kDefaultMark);
  auto report = driver.apply(kStart);
  EXPECT_EQ(report.try_again_at, kStart + 10s);
  EXPECT_EQ(in_kernel().size(), 1U);
  EXPECT_EQ(driver.apply(kStart + 9s).removed, 0U);
  report = driver.apply(kStart + 10s);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_EQ(report.try_again_at, std::nullopt);
  EXPECT_EQ(in_kernel(), Lines{});
}

// An agent that waits long for the API server has not told yet what it wants of what it found.
TEST_F(RouteDriverTest, TheGraceBeginsWhenRemovalIsAllowed) {
  RouteDriver driver(*kernel_, {.grace = 10s});
  add_foreign(key("10.9.0.5/32"), Route{.hops = {RouteHop{std::nullopt, one_}}}, kDefaultMark);
  static_cast<void>(driver.apply(kStart));
  driver.allow_removal();
  EXPECT_EQ(driver.apply(kStart + 60s).removed, 0U);
  EXPECT_EQ(driver.apply(kStart + 69s).removed, 0U);
  EXPECT_EQ(driver.apply(kStart + 70s).removed, 1U);
}

TEST_F(RouteDriverTest, DriftIsRepaired) {
  RouteDriver driver(*kernel_, {});
  driver.allow_removal();
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.1.0.7", one_));
  static_cast<void>(driver.apply(kStart));
  delete_foreign(key("10.9.0.0/26"), kDefaultMark);
  EXPECT_EQ(driver.apply(kStart).updated, 0U);  // it does not know
  driver.queue_resync();
  EXPECT_EQ(driver.apply(kStart).updated, 1U);
  EXPECT_EQ(in_kernel(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10"}));
}

TEST_F(RouteDriverTest, AReplaceOfWhatIsGoneIsFoundOut) {
  RouteDriver driver(*kernel_, {});
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.1.0.7", one_));
  static_cast<void>(driver.apply(kStart));
  set_down(one_);  // IPv4 routes vanish without a word
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.2.0.7", two_));
  EXPECT_TRUE(driver.apply(kStart).is_in_sync());
  EXPECT_EQ(in_kernel(), (Lines{"10.9.0.0/26 via 10.2.0.7 dev 11"}));
}

TEST_F(RouteDriverTest, AGatewayThatCannotBeReachedIsAFailureOfItsRouteAlone) {
  RouteDriver driver(*kernel_, {});
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("192.0.2.1", one_));
  driver.set_route(Source::kBgp, key("10.9.1.0/26"), via("10.1.0.7", one_));
  const auto report = driver.apply(kStart);
  EXPECT_EQ(report.updated, 1U);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(driver.failures().size(), 1U);
  EXPECT_EQ(report.try_again_at, kStart + 100ms);
  EXPECT_EQ(driver.apply(kStart + 100ms).try_again_at, kStart + 300ms);  // and then less often
}

// Any sequence of wishes, with the kernel disturbed behind the driver's back, ends as wished.
TEST_F(RouteDriverTest, AnyHistoryEndsAsDesired) {
  SeededRandom random(7);
  RouteDriver driver(*kernel_, {});
  driver.allow_removal();
  std::map<RouteKey, std::map<Source, Route>> model;
  for (int round = 0; round < 60; ++round) {
    for (int step = 0; step < 20; ++step) {
      const RouteKey at = key(concat("10.9.", random.below(12), ".0/24"), random.below(2) == 0 ? 1024 : 512);
      const auto source = static_cast<Source>(random.below(3));
      const bool through_one = random.below(2) == 0;
      const Route route =
          via(concat(through_one ? "10.1.0." : "10.2.0.", 2 + random.below(3)), through_one ? one_ : two_);
      switch (random.below(5)) {
        case 0:
          driver.remove_route(source, at);
          model[at].erase(source);
          break;
        case 1: {  // somebody removes one of ours
          netlink::Batch batch;
          add_delete_request(batch, at, Route{}, kDefaultMark);
          static_cast<void>(kernel_->apply(batch));
          driver.queue_resync();
          break;
        }
        default:
          driver.set_route(source, at, route);
          model[at][source] = route;
          break;
      }
    }
    ASSERT_TRUE(driver.apply(kStart).is_in_sync()) << "round " << round;
    Lines expected;
    for (const auto& [at, sources] : model) {
      if (!sources.empty()) expected.push_back(concat(at.prefix.to_string(), " ", sources.begin()->second.to_string()));
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(in_kernel(), expected) << "round " << round;
  }
}

TEST_F(RouteDriverTest, NextHopsAreResolvedThroughOtherRoutes) {
  add_foreign(key("192.0.2.0/24", 0), via("10.1.0.7", one_));
  NextHopResolver resolver(*kernel_);
  EXPECT_EQ(resolver.resolve(address("10.2.0.9")).value(), (RouteHop{address("10.2.0.9"), two_}));
  EXPECT_EQ(resolver.resolve(address("192.0.2.44")).value(), (RouteHop{address("10.1.0.7"), one_}));
  EXPECT_EQ(resolver.resolve(address("2001:db8:1::9")).value(), (RouteHop{address("2001:db8:1::9"), one_}));
  EXPECT_FALSE(resolver.resolve(address("203.0.113.1")).ok());
  EXPECT_FALSE(resolver.resolve(address("10.1.0.1")).ok());  // ourselves
  // Remembered until told to forget.
  add_foreign(key("203.0.113.0/24", 0), via("10.1.0.7", one_));
  EXPECT_FALSE(resolver.resolve(address("203.0.113.1")).ok());
  resolver.forget();
  EXPECT_TRUE(resolver.resolve(address("203.0.113.1")).ok());
}

TEST_F(RouteDriverTest, AnotherMarkIsPutOnAllRoutes) {
  constexpr std::uint8_t kOther = 99;
  RouteDriver driver(*kernel_, {});
  driver.allow_removal();
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.1.0.7", one_));
  driver.set_route(Source::kBgp, key("2001:db8:9::/122"), via("2001:db8:1::7", one_));
  driver.set_route(Source::kBgp, key("10.9.1.0/26"), via("10.1.0.7", one_));
  EXPECT_TRUE(driver.apply(kStart).is_in_sync());
  driver.set_protocol(kOther);
  driver.remove_route(Source::kBgp, key("10.9.1.0/26"));
  const auto report = driver.apply(kStart);
  EXPECT_TRUE(report.is_in_sync());
  EXPECT_EQ(report.updated, 2U);
  EXPECT_EQ(report.removed, 1U) << "with the mark it has";
  EXPECT_EQ(in_kernel(), Lines{});
  EXPECT_EQ(in_kernel(kOther), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10", "2001:db8:9::/122 via 2001:db8:1::7 dev 10"}));
  driver.queue_resync();
  EXPECT_EQ(driver.apply(kStart).updated, 0U);
}

TEST_F(RouteDriverTest, ByOurOwnInterfacesNothingIsOfOthers) {
  const Route out{.hops = {RouteHop{std::nullopt, one_}}};
  add_foreign(key("10.9.3.5/32"), out, RTPROT_BOOT);
  add_foreign(key("10.9.3.6/32"), out, RTPROT_BOOT);
  add_foreign(key("10.9.3.7/32"), Route{.hops = {RouteHop{std::nullopt, two_}}}, RTPROT_BOOT);
  const Lines kernels = in_kernel(RTPROT_KERNEL);
  RouteDriver driver(*kernel_, {.grace = 10s});
  driver.allow_removal();
  driver.set_own_interfaces({one_});
  driver.set_route(Source::kLocalWorkload, key("10.9.3.5/32"), out);
  EXPECT_EQ(driver.apply(kStart).failed, 0U);
  EXPECT_EQ(in_kernel(), (Lines{"10.9.3.5/32 dev 10"})) << "taken over";
  EXPECT_EQ(in_kernel(RTPROT_BOOT), (Lines{"10.9.3.6/32 dev 10", "10.9.3.7/32 dev 11"}));
  EXPECT_EQ(driver.apply(kStart + 10s).removed, 1U);
  EXPECT_EQ(in_kernel(RTPROT_BOOT), (Lines{"10.9.3.7/32 dev 11"}));
  // It may have come to more meanwhile: the local route of a new IPv6 address is made later.
  const Lines now = in_kernel(RTPROT_KERNEL);
  EXPECT_TRUE(std::includes(now.begin(), now.end(), kernels.begin(), kernels.end()));
  driver.set_own_interfaces({});
  add_foreign(key("10.9.3.6/32"), out, RTPROT_BOOT);
  driver.queue_resync();
  EXPECT_EQ(driver.apply(kStart + 30s).removed, 0U);
}

TEST_F(RouteDriverTest, AnInterfaceMayBecomeOursAfterItsRoutesCame) {
  const Route out{.hops = {RouteHop{std::nullopt, one_}}};
  add_foreign(key("10.9.3.5/32"), out, RTPROT_BOOT);
  RouteDriver driver(*kernel_, {});
  driver.set_route(Source::kLocalWorkload, key("10.9.3.5/32"), out);
  EXPECT_EQ(driver.apply(kStart).failed, 1U);
  driver.set_own_interfaces({one_});
  EXPECT_EQ(driver.apply(kStart).failed, 1U) << "now it is looked at";
  EXPECT_TRUE(driver.apply(kStart).is_in_sync());
  EXPECT_EQ(in_kernel(), (Lines{"10.9.3.5/32 dev 10"}));
}

TEST_F(RouteDriverTest, WhilePausedNothingIsTouched) {
  RouteDriver driver(*kernel_, {});
  driver.allow_removal();
  driver.set_route(Source::kBgp, key("10.9.0.0/26"), via("10.1.0.7", one_));
  EXPECT_TRUE(driver.apply(kStart).is_in_sync());
  driver.set_paused(true);
  driver.remove_route(Source::kBgp, key("10.9.0.0/26"));
  driver.set_route(Source::kBgp, key("10.9.1.0/26"), via("10.1.0.7", one_));
  driver.queue_resync();
  EXPECT_TRUE(driver.apply(kStart).is_in_sync());
  EXPECT_EQ(in_kernel(), (Lines{"10.9.0.0/26 via 10.1.0.7 dev 10"}));
  driver.set_paused(false);
  EXPECT_TRUE(driver.apply(kStart).is_in_sync());
  EXPECT_EQ(in_kernel(), (Lines{"10.9.1.0/26 via 10.1.0.7 dev 10"}));
}

}  // namespace
}  // namespace margay::route
