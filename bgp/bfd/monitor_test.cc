// Real UDP on the loopback interface: two monitors, ports of the kernel's choice.
#include "bgp/bfd/monitor.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>

#include "base/loop/asio_loop.h"
#include "bgp/bfd/packet.h"
#include "bgp/bfd/sockets.h"

namespace margay::bgp::bfd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kLimit = seconds(20);  // far more than is needed: only a failing test waits for it

SessionConfig fast() {
  SessionConfig config;
  config.transmit_min = config.receive_min = milliseconds(20);
  return config;
}

struct Addresses {
  IpAddress a, b;
  bool is_multihop = false;
};

class MonitorTest : public ::testing::TestWithParam<Addresses> {
 protected:
  [[nodiscard]] static Target target(const IpAddress& peer, const IpAddress& local, std::uint16_t port) {
    return {peer, local, GetParam().is_multihop, port};
  }
  // A watch of an unused target makes the monitor listen, so that its port is known.
  static std::uint16_t port_of(Monitor& monitor) {
    const IpAddress local = GetParam().a;
    auto probe = monitor.watch(target(local, local, 9), fast(), [](bool) {});
    EXPECT_TRUE(probe.ok());
    return monitor.port(local.family(), GetParam().is_multihop).value_or(0);
  }

  loop::AsioLoop loop_;
  SeededRandom random_{1};
  Monitor a_{{loop_, loop_, random_}, {0, 0}};
  Monitor b_{{loop_, loop_, random_}, {0, 0}};
};

TEST_P(MonitorTest, ComesUpAndSeesThePeerGo) {
  const auto [a, b, is_multihop] = GetParam();
  const std::uint16_t port_a = port_of(a_);
  const std::uint16_t port_b = port_of(b_);
  int downs = 0;
  bool was_independent = false;
  auto watch_a = a_.watch(target(b, a, port_b), fast(), [&](bool is_independent) {
    ++downs;
    was_independent = is_independent;
  });
  SessionConfig independent = fast();
  independent.control_plane_independent = true;
  auto watch_b = b_.watch(target(a, b, port_a), independent, [](bool) {});
  ASSERT_TRUE(watch_a.ok() && watch_b.ok());
  ASSERT_TRUE(
      loop_.run_until([&] { return (*watch_a)->state() == State::kUp && (*watch_b)->state() == State::kUp; }, kLimit));
  ASSERT_TRUE(loop_.run_until([&] { return a_.snapshot()[0].detection_time == milliseconds(60); }, kLimit))
      << "the fast rate is agreed on";
  EXPECT_EQ(downs, 0);
  watch_b = Error{ErrorCode::kUnavailable, "gone"};
  ASSERT_TRUE(loop_.run_until([&] { return downs == 1; }, kLimit));
  EXPECT_TRUE(was_independent);
  EXPECT_EQ(a_.snapshot()[0].diagnostic, Diagnostic::kDetectionTimeExpired);
  EXPECT_EQ(a_.snapshot()[0].ups, 1U);
}

TEST_P(MonitorTest, TheCallbackMayEndTheWatch) {
  const auto [a, b, is_multihop] = GetParam();
  const std::uint16_t port_a = port_of(a_);
  const std::uint16_t port_b = port_of(b_);
  std::unique_ptr<Monitor::Watch> watch_a;
  watch_a = a_.watch(target(b, a, port_b), fast(), [&](bool) { watch_a.reset(); }).value();
  std::unique_ptr<Monitor::Watch> watch_b = b_.watch(target(a, b, port_a), fast(), [](bool) {}).value();
  ASSERT_TRUE(loop_.run_until([&] { return watch_a->state() == State::kUp; }, kLimit));
  watch_b.reset();
  ASSERT_TRUE(loop_.run_until([&] { return watch_a == nullptr; }, kLimit));
  EXPECT_TRUE(a_.snapshot().empty());
}

TEST_P(MonitorTest, ThePeersAdministratorIsNoFailure) {  // RFC 5882 §4.2
  const auto [a, b, is_multihop] = GetParam();
  const std::uint16_t port_a = port_of(a_);
  const std::uint16_t port_b = port_of(b_);
  int downs = 0;
  auto watch_a = a_.watch(target(b, a, port_b), fast(), [&](bool) { ++downs; });
  auto watch_b = b_.watch(target(a, b, port_a), fast(), [](bool) {});
  ASSERT_TRUE(watch_a.ok() && watch_b.ok());
  ASSERT_TRUE(loop_.run_until([&] { return (*watch_a)->state() == State::kUp; }, kLimit));
  ASSERT_TRUE(loop_.run_until([&] { return (*watch_b)->state() == State::kUp; }, kLimit));
  (*watch_b)->set_admin_down(true);
  ASSERT_TRUE(loop_.run_until([&] { return (*watch_a)->state() == State::kDown; }, kLimit));
  EXPECT_EQ(downs, 0);
}

TEST_P(MonitorTest, OneWatchForATarget) {
  const auto [a, b, is_multihop] = GetParam();
  auto first = a_.watch(target(b, a, 9), fast(), [](bool) {});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(a_.watch(target(b, a, 9), fast(), [](bool) {}).error().code, ErrorCode::kAlreadyExists);
  first = Error{ErrorCode::kUnavailable, "gone"};
  EXPECT_TRUE(a_.watch(target(b, a, 9), fast(), [](bool) {}).ok()) << "free again";
  EXPECT_TRUE(a_.snapshot().empty());
}

INSTANTIATE_TEST_SUITE_P(Loopback, MonitorTest,
                         ::testing::Values(Addresses{IpAddress::v4(0x7f000001), IpAddress::v4(0x7f000002)},
                                           Addresses{IpAddress::v4(0x7f000001), IpAddress::v4(0x7f000002), true},
                                           Addresses{IpAddress::v6(0, 1), IpAddress::v6(0, 1)},
                                           Addresses{IpAddress::v6(0, 1), IpAddress::v6(0, 1), true}));

// --- what is not for us ---

struct Stranger {
  std::string_view name;
  int ttl;
  std::uint32_t source;  // 127.0.0.x
  bool is_multihop;
  bool is_accepted;
};

constexpr Stranger kStrangers[] = {
    {"the peer", 255, 2, false, true},
    {"RFC 5881 §5: one hop away", 254, 2, false, false},
    {"somebody else", 255, 3, false, false},
    {"RFC 5883 §5: multihop may have passed routers", 64, 2, true, true},
    {"multihop from somebody else", 255, 3, true, false},
};

TEST(BfdMonitor, OnlyThePeerFromTheSameLinkIsHeard) {
  for (const Stranger& stranger : kStrangers) {
    loop::AsioLoop loop;
    SeededRandom random(1);
    Monitor monitor({loop, loop, random}, {0, 0});
    const IpAddress local = IpAddress::v4(0x7f000001);
    auto watch = monitor.watch({IpAddress::v4(0x7f000002), local, stranger.is_multihop, 9}, fast(), [](bool) {});
    ASSERT_TRUE(watch.ok());
    Result<loop::UniqueFd> sender = open_sender(IpAddress::v4(0x7f000000 + stranger.source), random);
    ASSERT_TRUE(sender.ok());
    ASSERT_EQ(setsockopt(sender->get(), IPPROTO_IP, IP_TTL, &stranger.ttl, sizeof stranger.ttl), 0);
    ControlPacket packet;
    packet.my_discriminator = 9;
    const std::string bytes = encode(packet);
    const std::uint16_t port = *monitor.port(IpFamily::kV4, stranger.is_multihop);
    ASSERT_TRUE(send_to(*sender, local, port, bytes::view_of(bytes)));
    ASSERT_TRUE(loop.run_until([&] { return monitor.discarded() == 1 || (*watch)->state() == State::kInit; }, kLimit));
    EXPECT_EQ((*watch)->state() == State::kInit, stranger.is_accepted) << stranger.name;
  }
}

TEST(BfdMonitor, NonsenseAndUnknownDiscriminatorsAreCounted) {
  loop::AsioLoop loop;
  SeededRandom random(1);
  Monitor monitor({loop, loop, random}, {0, 0});
  const IpAddress local = IpAddress::v4(0x7f000001);
  auto watch = monitor.watch({local, local, false, 9}, fast(), [](bool) {});
  ASSERT_TRUE(watch.ok());
  Result<loop::UniqueFd> sender = open_sender(local, random);
  ASSERT_TRUE(sender.ok());
  ControlPacket unknown;
  unknown.state = State::kUp;
  unknown.my_discriminator = 9;
  unknown.your_discriminator = 1;
  const std::string packets[] = {"", "nonsense", std::string(2000, '\xff'), encode(unknown)};
  for (const std::string& bytes : packets) {
    ASSERT_TRUE(send_to(*sender, local, *monitor.port(IpFamily::kV4, false), bytes::view_of(bytes)));
  }
  EXPECT_TRUE(loop.run_until([&] { return monitor.discarded() == 4; }, kLimit));
  EXPECT_EQ((*watch)->state(), State::kDown);
}

TEST(BfdMonitor, AWatchMayOutliveIt) {
  loop::AsioLoop loop;
  SeededRandom random(1);
  auto monitor = std::make_unique<Monitor>(MonitorParts{loop, loop, random}, Monitor::Ports{0, 0});
  const IpAddress local = IpAddress::v4(0x7f000001);
  int downs = 0;
  auto watch = monitor->watch({local, local, false, 9}, fast(), [&](bool) { ++downs; });
  ASSERT_TRUE(watch.ok());
  monitor.reset();
  (*watch)->set_admin_down(true);
  (*watch)->set_config({});
  EXPECT_EQ((*watch)->state(), State::kDown);
  EXPECT_EQ(downs, 0);
}

TEST(BfdMonitor, SourcePortsAreThoseOfTheRfc) {  // RFC 5881 §4
  SeededRandom random(1);
  for (int i = 0; i < 50; ++i) {
    Result<loop::UniqueFd> sender = open_sender(IpAddress::v4(0x7f000001), random);
    ASSERT_TRUE(sender.ok());
    EXPECT_GE(*port_of(*sender), 49152);
  }
}

TEST(BfdMonitor, AnAddressThatIsNotOursIsAnError) {
  loop::AsioLoop loop;
  SeededRandom random(1);
  Monitor monitor({loop, loop, random}, {0, 0});
  const IpAddress peer = IpAddress::v4(0x7f000001);
  EXPECT_FALSE(monitor.watch({peer, IpAddress::v4(0xc0000201), false, 9}, fast(), [](bool) {}).ok());
  EXPECT_FALSE(monitor.watch({peer, IpAddress::v6(0, 1), false, 9}, fast(), [](bool) {}).ok());
  EXPECT_TRUE(monitor.snapshot().empty());
}

}  // namespace
}  // namespace margay::bgp::bfd
