// Against the real kernel, in a network namespace of the test's own.
#include "dataplane/link/interface_monitor.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <optional>

#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "base/loop/sim_loop.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/netlink/tool_output.h"

namespace margay::link {
namespace {

using namespace std::chrono_literals;
using netlink::tool_output;
using Names = std::set<std::string>;

class InterfaceMonitorTest : public testing::Test {
 protected:
  void SetUp() override {
    auto entered = netlink::ScratchNamespace::enter();
    if (!entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    space_.emplace(std::move(entered).value());
    kernel_ = netlink::open_netlink(NETLINK_ROUTE).value();
    monitor_.emplace(loop_, *kernel_, [this](const Names& names) {
      ++told_;
      heard_.insert(names.begin(), names.end());
    });
    ASSERT_TRUE(monitor_->watch(loop_).ok());
    ASSERT_TRUE(monitor_->read().ok());
    ASSERT_TRUE(wait([this] { return told_ == 1; }));
    EXPECT_EQ(heard_, Names{"lo"});
    heard_.clear();
  }

  bool wait(const std::function<bool()>& condition) { return loop_.run_until(condition, 20s); }
  bool has_address(std::string_view name, std::string_view text) {
    const Interface* found = monitor_->find(name);
    if (found == nullptr) return false;
    const auto& addresses = found->addresses;
    return std::find(addresses.begin(), addresses.end(), InterfaceAddress::parse(text).value()) != addresses.end();
  }

  loop::AsioLoop loop_;
  std::optional<netlink::ScratchNamespace> space_;
  std::unique_ptr<netlink::Netlink> kernel_;
  Names heard_;
  int told_ = 0;
  std::optional<InterfaceMonitor> monitor_;
};

TEST_F(InterfaceMonitorTest, InterfacesAndAddressesComeAndGo) {
  EXPECT_EQ(tool_output("ip link add one mtu 1400 type bridge\n"
                        "ip link set one up\n"
                        "ip addr add 10.1.0.1/24 dev one\n"
                        "ip addr add 2001:db8::1/64 dev one nodad"),
            "");
  ASSERT_TRUE(wait([this] { return has_address("one", "2001:db8::1/64") && !heard_.empty(); }));
  EXPECT_EQ(heard_, Names{"one"});
  EXPECT_TRUE(has_address("one", "10.1.0.1/24"));
  const Interface* one = monitor_->find("one");
  EXPECT_TRUE(one->is_up);
  EXPECT_EQ(one->mtu, 1400U);
  EXPECT_EQ(one->kind, "bridge");
  EXPECT_TRUE(one->mac.has_value());
  EXPECT_EQ(tool_output("ip addr del 10.1.0.1/24 dev one"), "");
  ASSERT_TRUE(wait([this] { return !has_address("one", "10.1.0.1/24"); }));
  EXPECT_EQ(tool_output("ip link del one"), "");
  ASSERT_TRUE(wait([this] { return monitor_->find("one") == nullptr; }));
}

TEST_F(InterfaceMonitorTest, BothEndsOfAPairRunOnceBothAreUp) {
  EXPECT_EQ(tool_output("ip link add cali1 type veth peer name cali2\nip link set cali1 up"), "");
  ASSERT_TRUE(wait([this] { return monitor_->find("cali1") != nullptr && monitor_->find("cali1")->is_up; }));
  EXPECT_FALSE(monitor_->find("cali1")->is_running);
  EXPECT_EQ(tool_output("ip link set cali2 up"), "");
  ASSERT_TRUE(wait([this] { return monitor_->find("cali1")->is_running; }));
  EXPECT_EQ(monitor_->find("cali1")->kind, "veth");
}

TEST_F(InterfaceMonitorTest, RenamedAndMadeAgain) {
  EXPECT_EQ(tool_output("ip link add one type bridge"), "");
  ASSERT_TRUE(wait([this] { return monitor_->find("one") != nullptr; }));
  const IfIndex first = monitor_->find("one")->index;
  EXPECT_EQ(tool_output("ip link set one name two"), "");
  ASSERT_TRUE(wait([this] { return monitor_->find("two") != nullptr; }));
  EXPECT_EQ(monitor_->find("two")->index, first);
  EXPECT_EQ(monitor_->find("one"), nullptr);
  heard_.clear();
  EXPECT_EQ(tool_output("ip link del two\nip link add two type bridge"), "");
  ASSERT_TRUE(wait([&] { return monitor_->find("two") != nullptr && monitor_->find("two")->index != first; }));
  EXPECT_TRUE(heard_.contains("two"));
}

TEST_F(InterfaceMonitorTest, AStormIsToldInFewCalls) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(tool_output({"ip", "link", "add", concat("b", i), "type", "bridge"}), "");
  }
  const int before = told_;
  ASSERT_TRUE(wait([this] { return heard_.size() == 50; }));
  EXPECT_EQ(monitor_->interfaces().size(), 51U);
  EXPECT_LE(told_ - before, 3);
}

TEST_F(InterfaceMonitorTest, ALossIsMadeGoodByReadingAgain) {
  EXPECT_EQ(tool_output("ip link add one type bridge"), "");
  ASSERT_TRUE(wait([this] { return monitor_->find("one") != nullptr; }));
  // Deaf, so to say, to what happened since: as if these messages had been lost.
  InterfaceMonitor deaf(loop_, *kernel_, [this](const Names& names) { heard_.insert(names.begin(), names.end()); });
  ASSERT_TRUE(deaf.read().ok());
  EXPECT_EQ(tool_output("ip link add two type bridge\nip addr add 10.1.0.1/24 dev one\nip link set lo up"), "");
  deaf.note_lost();
  ASSERT_TRUE(wait([&] { return deaf.find("two") != nullptr; }));
  EXPECT_EQ(deaf.losses(), 1U);
  EXPECT_EQ(deaf.find("one")->addresses.size(), 1U);
  EXPECT_TRUE(deaf.find("lo")->is_up);
  EXPECT_TRUE(wait([this] { return heard_.contains("two"); }));
}

// A kernel that answers nothing the first times.
class SilentKernel final : public netlink::Netlink {
 public:
  Status dump(const netlink::Batch&, const std::function<void()>& begin, const netlink::Visit&) override {
    begin();
    if (failures_left_ == 0) return ok_status();
    --failures_left_;
    return Error{ErrorCode::kUnavailable, "away"};
  }
  Status ask(const netlink::Batch&, const netlink::Visit&) override { return ok_status(); }
  netlink::BatchReport apply(const netlink::Batch&) override { return {}; }
  [[nodiscard]] std::uint32_t port() const override { return 1; }
  int failures_left_ = 3;
};

TEST(InterfaceMonitor, ReadingThatFailsIsTriedAgainAndKeepsWhatWasKnown) {
  loop::SimLoop loop;
  SilentKernel kernel;
  Names heard;
  InterfaceMonitor monitor(loop, kernel, [&](const Names& names) { heard.insert(names.begin(), names.end()); });
  netlink::Batch batch;
  {
    netlink::Request request = batch.add(RTM_NEWLINK, 0);
    ifinfomsg head{};
    head.ifi_index = 5;
    request.header(head);
    request.text(IFLA_IFNAME, "eth0");
  }
  const std::string_view bytes = batch.request(0);
  monitor.note({RTM_NEWLINK, 0, bytes::view_of(bytes.substr(sizeof(nlmsghdr)))});
  loop.run_until_idle();
  EXPECT_EQ(heard, Names{"eth0"});
  monitor.note_lost();
  loop.run_until_idle();
  EXPECT_NE(monitor.find("eth0"), nullptr);
  loop.advance(1s);
  EXPECT_EQ(kernel.failures_left_, 0);
  EXPECT_EQ(monitor.find("eth0"), nullptr) << "the kernel has none";
}

}  // namespace
}  // namespace margay::link
