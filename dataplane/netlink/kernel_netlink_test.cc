// Against the real kernel, in a network namespace of the test's own.
#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <set>
#include <string>

#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/netlink/scratch_namespace.h"

namespace margay::netlink {
namespace {

class KernelNetlinkTest : public testing::Test {
 protected:
  void SetUp() override {
    auto entered = ScratchNamespace::enter();
    if (!entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    space_.emplace(std::move(entered).value());
    auto opened = open_netlink(NETLINK_ROUTE);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    kernel_ = std::move(opened).value();
    born_with_ = link_names();
  }

  static void add_bridge(Batch& batch, std::string_view name) {
    Request request = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    request.header(ifinfomsg{});
    request.text(IFLA_IFNAME, name);
    const std::size_t nest = request.begin_nest(IFLA_LINKINFO);
    request.text(IFLA_INFO_KIND, "bridge");
    request.end_nest(nest);
  }

  // The host 10.0.0.0 + `number` leads nowhere.
  static void add_route(Batch& batch, std::uint32_t number) {
    Request request = batch.add(RTM_NEWROUTE, NLM_F_CREATE);
    rtmsg head{};
    head.rtm_family = AF_INET;
    head.rtm_dst_len = 32;
    head.rtm_type = RTN_BLACKHOLE;
    head.rtm_table = RT_TABLE_MAIN;
    request.header(head);
    request.address(RTA_DST, IpAddress::v4(0x0a000000U + number));
  }

  std::size_t count_routes() {
    std::size_t count = 0;
    Batch request;
    {
      Request dump = request.add(RTM_GETROUTE, 0);
      rtmsg head{};
      head.rtm_family = AF_INET;
      dump.header(head);
    }
    EXPECT_TRUE(kernel_
                    ->dump(
                        request, [&] { count = 0; }, [&](const MessageView&) { ++count; })
                    .ok());
    return count;
  }

  std::set<std::string> link_names() {
    std::set<std::string> names;
    Batch request;
    request.add(RTM_GETLINK, 0).header(ifinfomsg{});
    const Status dumped = kernel_->dump(
        request, [&] { names.clear(); },
        [&](const MessageView& message) {
          const auto name = find_attribute(message.attributes<ifinfomsg>(), IFLA_IFNAME);
          if (name) names.emplace(name->text());
        });
    EXPECT_TRUE(dumped.ok()) << dumped.error().message;
    return names;
  }

  // Besides those that every namespace has: lo, and one of each kind of tunnel whose module is loaded (tunl0, sit0).
  std::set<std::string> with_born(std::set<std::string> names) const {
    names.insert(born_with_.begin(), born_with_.end());
    return names;
  }

  std::optional<ScratchNamespace> space_;
  std::unique_ptr<Netlink> kernel_;
  std::set<std::string> born_with_;
};

TEST_F(KernelNetlinkTest, ABatchIsDoneInOneGo) {
  Batch batch;
  for (std::uint32_t i = 0; i < 3000; ++i) add_route(batch, i);
  const BatchReport report = kernel_->apply(batch);
  ASSERT_TRUE(report.transport.ok()) << report.transport.error().message;
  EXPECT_TRUE(report.failures.empty());
  EXPECT_EQ(count_routes(), 3000U);
}

TEST_F(KernelNetlinkTest, FailuresNameTheirRequest) {
  Batch batch;
  add_bridge(batch, "one");
  add_bridge(batch, "one");
  add_bridge(batch, "two");
  add_bridge(batch, "lo");
  const BatchReport report = kernel_->apply(batch);
  ASSERT_TRUE(report.transport.ok());
  ASSERT_EQ(report.failures.size(), 2U);
  EXPECT_EQ(report.failures[0].index, 1U);
  EXPECT_EQ(report.failures[0].error, EEXIST);
  EXPECT_EQ(report.failures[1].index, 3U);  // the last one, which is also the acknowledged one
  EXPECT_TRUE(born_with_.contains("lo"));
  EXPECT_EQ(link_names(), with_born({"one", "two"}));
}

TEST_F(KernelNetlinkTest, ManyFailuresAreAllTold) {
  Batch batch;
  for (int i = 0; i < 2000; ++i) add_bridge(batch, "lo");
  const BatchReport report = kernel_->apply(batch);
  ASSERT_TRUE(report.transport.ok()) << report.transport.error().message;
  ASSERT_EQ(report.failures.size(), 2000U);
  for (std::size_t i = 0; i < 2000; ++i) EXPECT_EQ(report.failures[i].index, i);
}

TEST_F(KernelNetlinkTest, TheKernelsOwnWordsAreKept) {
  Batch batch;
  {
    Request request = batch.add(RTM_NEWROUTE, NLM_F_CREATE);
    rtmsg head{};
    head.rtm_family = AF_INET;
    head.rtm_dst_len = 33;
    request.header(head);
  }
  const BatchReport report = kernel_->apply(batch);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].error, EINVAL);
  EXPECT_NE(report.failures[0].text.find("prefix length"), std::string::npos) << report.failures[0].text;
}

TEST_F(KernelNetlinkTest, AskAnswersOrSaysWhyNot) {
  Batch batch;
  {
    Request request = batch.add(RTM_GETROUTE, 0);
    rtmsg head{};
    head.rtm_family = AF_INET;
    head.rtm_dst_len = 32;
    request.header(head);
    request.address(RTA_DST, IpAddress::v4(0x0a000001));
  }
  const Status asked = kernel_->ask(batch, [](const MessageView&) { ADD_FAILURE() << "there is no route"; });
  ASSERT_FALSE(asked.ok());
  EXPECT_NE(asked.error().message.find("unreachable"), std::string::npos) << asked.error().message;
}

TEST_F(KernelNetlinkTest, MonitorTellsOfChanges) {
  loop::AsioLoop loop;
  std::set<std::string> seen;
  MonitorEvents events{[&](const MessageView& message) {
                         const auto name = find_attribute(message.attributes<ifinfomsg>(), IFLA_IFNAME);
                         if (message.type == RTM_NEWLINK && name) seen.emplace(name->text());
                       },
                       [] { ADD_FAILURE() << "nothing was lost"; }};
  auto monitor = open_monitor(loop, NETLINK_ROUTE, {RTNLGRP_LINK}, std::move(events));
  ASSERT_TRUE(monitor.ok()) << monitor.error().message;
  Batch batch;
  add_bridge(batch, "one");
  add_bridge(batch, "two");
  ASSERT_TRUE(kernel_->apply(batch).failures.empty());
  EXPECT_TRUE(loop.run_until([&] { return seen.contains("one") && seen.contains("two"); }, std::chrono::seconds(10)));
}

TEST_F(KernelNetlinkTest, MonitorLeavesOutWhatItsOwnerDid) {
  loop::AsioLoop loop;
  auto other = open_netlink(NETLINK_ROUTE).value();
  std::set<std::uint32_t> seen;
  MonitorEvents events{[&](const MessageView& message) {
                         const auto to = find_attribute(message.attributes<rtmsg>(), RTA_DST);
                         if (to) seen.insert(to->address()->v4_value() - 0x0a000000U);
                       },
                       [] { ADD_FAILURE() << "nothing was lost"; }};
  auto monitor = open_monitor(loop, NETLINK_ROUTE, {RTNLGRP_IPV4_ROUTE}, std::move(events), kernel_->port());
  ASSERT_TRUE(monitor.ok()) << monitor.error().message;
  Batch own, foreign;
  for (std::uint32_t i = 0; i < 30000; ++i) add_route(own, i);
  add_route(foreign, 40000);
  ASSERT_TRUE(kernel_->apply(own).failures.empty());
  ASSERT_TRUE(other->apply(foreign).failures.empty());
  EXPECT_TRUE(loop.run_until([&] { return !seen.empty(); }, std::chrono::seconds(10)));
  EXPECT_EQ(seen, std::set<std::uint32_t>{40000});
}

TEST_F(KernelNetlinkTest, MonitorSaysWhenItMissedSomething) {
  loop::AsioLoop loop;
  bool was_lost = false;
  MonitorEvents events{[](const MessageView&) {}, [&] { was_lost = true; }};
  auto monitor =
      open_monitor(loop, NETLINK_ROUTE, {RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_NEIGH}, std::move(events));
  ASSERT_TRUE(monitor.ok());
  // More than its buffer holds, while nobody reads.
  Batch batch;
  for (std::uint32_t i = 0; i < 30000; ++i) add_route(batch, i);
  ASSERT_TRUE(kernel_->apply(batch).transport.ok());
  EXPECT_TRUE(loop.run_until([&] { return was_lost; }, std::chrono::seconds(10)));
}

TEST(ScratchNamespace, TheThreadComesBack) {
  const auto where = [] {
    struct stat file {};
    EXPECT_EQ(stat("/proc/thread-self/ns/net", &file), 0);
    return file.st_ino;
  };
  const auto before = where();
  {
    const auto space = ScratchNamespace::enter();
    if (!space.ok()) GTEST_SKIP() << "needs root: " << space.error().message;
    EXPECT_NE(where(), before);
  }
  EXPECT_EQ(where(), before);
}

}  // namespace
}  // namespace margay::netlink
