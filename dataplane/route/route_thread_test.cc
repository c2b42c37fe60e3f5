// Two threads: run under ThreadSanitizer as well.
#include "dataplane/route/route_thread.h"

#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <future>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/route/fake_kernel.h"
#include "dataplane/route/test_routes.h"

namespace margay::route {
namespace {

using namespace std::chrono_literals;
using test::by;
using test::net;

constexpr std::uint8_t kThreadMark = 82;
constexpr RouteProgrammerConfig kConfig{.protocol = kThreadMark, .table = kMainTable};
constexpr Duration kLimit = 30s;  // for failures alone

// The thread owns its kernel; the test looks at it when the thread has ended.
class Forward final : public netlink::Netlink {
 public:
  explicit Forward(FakeKernel& kernel) : kernel_(kernel) {}
  Status dump(const netlink::Batch& request, const std::function<void()>& begin, const netlink::Visit& visit) override {
    return kernel_.dump(request, begin, visit);
  }
  Status ask(const netlink::Batch& request, const netlink::Visit& visit) override {
    return kernel_.ask(request, visit);
  }
  netlink::BatchReport apply(const netlink::Batch& batch) override { return kernel_.apply(batch); }
  [[nodiscard]] std::uint32_t port() const override { return kernel_.port(); }

 private:
  FakeKernel& kernel_;
};

RouteThread::Kernel fake(FakeKernel& kernel) {
  return {.open = [&kernel]() -> Result<std::unique_ptr<netlink::Netlink>> {
            return std::unique_ptr<netlink::Netlink>(std::make_unique<Forward>(kernel));
          },
          .monitors = false};
}

RouteBatch first_batch() {
  RouteBatch batch;
  batch.move_to(kMainTable);
  batch.converge();
  return batch;
}

TEST(RouteThread, WhatWasSentIsWrittenBeforeTheEnd) {
  loop::AsioLoop owner;
  FakeKernel kernel;
  kernel.connect(net("10.1.0.0/24"), IfIndex(10));
  kernel.put({kMainTable, net("10.9.9.0/24"), 1024}, Route{.hops = {RouteHop{std::nullopt, IfIndex(10)}}}, kThreadMark);
  {
    auto thread = RouteThread::start(
                      owner, kConfig, [](RouteReport) {}, fake(kernel))
                      .value();
    EXPECT_EQ(thread->found(), 1U);
    thread->send(first_batch());
    RouteBatch batch;
    batch.set(net("10.9.0.0/24"), by("10.1.0.7"), 1024);
    thread->send(std::move(batch));
  }
  EXPECT_EQ(kernel.lines(kThreadMark), std::vector<std::string>{"10.9.0.0/24 via 10.1.0.7 dev 10"});
}

TEST(RouteThread, ASlowKernelDelaysNobodyAndWhatComesMeanwhileIsOneBatch) {
  loop::AsioLoop owner;
  FakeKernel kernel;
  kernel.connect(net("10.1.0.0/16"), IfIndex(10));
  std::promise<void> release;
  std::promise<void> entered;
  int calls = 0;
  RouteReport last;
  {
    auto thread = RouteThread::start(
                      owner, kConfig, [&](RouteReport report) { last = std::move(report); }, fake(kernel))
                      .value();
    thread->send(first_batch());
    kernel.on_call = nullptr;
    thread->thread().call([&] {
      kernel.on_call = [&] {
        if (++calls != 1) return;
        entered.set_value();
        release.get_future().wait();
      };
    });
    for (int i = 0; i < 1000; ++i) {
      RouteBatch batch;
      batch.set(net(concat("10.", 100 + i / 250, ".", i % 250, ".0/24")), by("10.1.0.7"), 1024);
      thread->send(std::move(batch));  // returns though the kernel does not
      if (i == 0) entered.get_future().wait();
    }
    release.set_value();
    EXPECT_TRUE(owner.run_until([&last] { return last.installed == 1000; }, kLimit));
  }
  EXPECT_EQ(kernel.routes().size(), 1000U);
  EXPECT_LE(calls, 4);  // the first next hop, one route; all the others
}

TEST(RouteThread, AKernelThatCannotBeOpenedIsAnError) {
  loop::AsioLoop owner;
  const auto thread = RouteThread::start(owner, kConfig, [](RouteReport) {},
                                         {.open = []() -> Result<std::unique_ptr<netlink::Netlink>> {
                                            return Error{ErrorCode::kPermissionDenied, "not here"};
                                          },
                                          .monitors = false});
  ASSERT_FALSE(thread.ok());
  EXPECT_EQ(thread.error().message, "not here");
}

TEST(RouteThread, TheOwnerMayEndWhileReportsAreOnTheirWay) {
  FakeKernel kernel;
  kernel.connect(net("10.1.0.0/16"), IfIndex(10));
  for (int round = 0; round < 20; ++round) {
    loop::AsioLoop owner;
    auto thread = RouteThread::start(
                      owner, kConfig, [](RouteReport) {}, fake(kernel))
                      .value();
    thread->send(first_batch());
    for (int i = 0; i < 50; ++i) {
      RouteBatch batch;
      batch.set(net(concat("10.9.", i, ".0/24")), by(concat("10.1.0.", 1 + round)), 1024);
      thread->send(std::move(batch));
    }
  }
  EXPECT_EQ(kernel.lines(kThreadMark).size(), 50U);
}

// The real kernel: more changes of others than the monitor's buffer holds, while the thread is busy.
TEST(RouteThread, ABufferThatOverflowedIsMadeGood) {
  auto space = netlink::ScratchNamespace::enter();
  if (!space.ok()) GTEST_SKIP() << "needs root: " << space.error().message;
  auto other = netlink::open_netlink(NETLINK_ROUTE).value();
  netlink::Batch setup;
  {
    netlink::Request request = setup.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
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
    netlink::Request request = setup.add(RTM_NEWADDR, NLM_F_CREATE);
    ifaddrmsg head{};
    head.ifa_family = AF_INET;
    head.ifa_prefixlen = 24;
    head.ifa_index = 10;
    request.header(head);
    request.address(IFA_LOCAL, IpAddress::parse("10.1.0.1").value());
  }
  ASSERT_TRUE(other->apply(setup).failures.empty());

  loop::AsioLoop owner;
  RouteReport last;
  int reports = 0;
  auto started = RouteThread::start(owner, kConfig, [&](RouteReport report) {
    last = std::move(report);
    ++reports;
  });
  ASSERT_TRUE(started.ok()) << started.error().message;
  const auto thread = std::move(started).value();
  thread->send(first_batch());
  RouteBatch batch;
  batch.set(net("10.9.0.0/24"), by("10.1.0.7"), 1024);
  thread->send(std::move(batch));
  ASSERT_TRUE(owner.run_until([&last] { return last.installed == 1; }, kLimit));

  std::promise<void> release;
  thread->thread().loop().post([&release] { release.get_future().wait(); });
  netlink::Batch flood;
  for (std::uint32_t i = 0; i < 30'000; ++i) {
    const RouteKey key{kMainTable, IpPrefix::host(IpAddress::v4(0x14000000U + i)), 5};
    add_route_request(flood, key, Route{.type = RouteType::kBlackhole}, RTPROT_STATIC, Write::kNew);
  }
  add_delete_request(flood, {kMainTable, net("10.9.0.0/24"), 1024}, Route{}, kThreadMark);
  ASSERT_TRUE(other->apply(flood).failures.empty());
  reports = 0;
  release.set_value();
  ASSERT_TRUE(owner.run_until([&] { return reports > 0 && last.installed == 1; }, kLimit));
  int found = 0;
  netlink::Batch request;
  add_dump_request(request, IpFamily::kV4, kThreadMark, kMainTable);
  ASSERT_TRUE(other
                  ->dump(
                      request, [&found] { found = 0; },
                      [&found](const netlink::MessageView& message) { found += parse_route(message) ? 1 : 0; })
                  .ok());
  EXPECT_EQ(found, 1);
}

}  // namespace
}  // namespace margay::route
