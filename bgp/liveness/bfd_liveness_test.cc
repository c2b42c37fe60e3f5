// The adapter between the speaker and BFD, with a BFD of the test's own at the other end, on loopback.
#include "bgp/liveness/bfd_liveness.h"

#include <gmock/gmock.h>

#include "base/loop/asio_loop.h"
#include "base/telemetry/capture_sink.h"

namespace margay::bgp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const IpAddress kOurs = IpAddress::v4(0x7f000b01);
const IpAddress kTheirs = IpAddress::v4(0x7f000b02);

class BfdLivenessTest : public testing::Test {
 protected:
  std::unique_ptr<LivenessMonitor::Watch> watch(const IpAddress& local, const BfdConfig& config) {
    return liveness_.watch(kTheirs, local, true, config, [this](bool is_independent) {
      ++downs_;
      is_independent_ = is_independent;
    });
  }
  // The port of ours is the one the RFC names: one who has it already is not this test's business.
  [[nodiscard]] bool has_port() { return watch(kOurs, {}) != nullptr; }
  bool run(const std::function<bool()>& condition) { return loop_.run_until(condition, seconds(20)); }

  loop::AsioLoop loop_;
  SeededRandom random_{1};
  telemetry::CaptureSink log_;
  telemetry::LogOutput output_{log_, telemetry::no_clock, telemetry::Level::kInfo};
  BfdLiveness liveness_{{loop_, loop_, random_, telemetry::Logger(output_)}};
  int downs_ = 0;
  std::optional<bool> is_independent_;
};

TEST_F(BfdLivenessTest, APeerThatCannotBeWatchedIsLoggedAndNotWatched) {
  EXPECT_EQ(watch(IpAddress::v4(0xc0000201), {}), nullptr) << "not an address of ours";
  EXPECT_TRUE(log_.has("peer without BFD"));
  EXPECT_TRUE(log_.has("127.0.11.2"));
}

TEST_F(BfdLivenessTest, ConfigurationArrivesAndChangesLive) {
  if (!has_port()) GTEST_SKIP() << "UDP port 4784 is taken";
  const auto watch_of_peer =
      watch(kOurs, {.transmit_min = milliseconds(400), .receive_min = milliseconds(70), .multiplier = 900});
  ASSERT_NE(watch_of_peer, nullptr);
  EXPECT_EQ(watch_of_peer->state(), "Down");
  ASSERT_EQ(liveness_.monitor().snapshot().size(), 1U);
  EXPECT_TRUE(liveness_.monitor().snapshot()[0].target.is_multihop);
  EXPECT_TRUE(watch_of_peer->change(BfdConfig{}));
  EXPECT_EQ(watch_of_peer->state(), "Down");
  EXPECT_TRUE(watch_of_peer->change(std::nullopt)) << "we do not watch any more, and say so";
  EXPECT_EQ(watch_of_peer->state(), "AdminDown");
  EXPECT_TRUE(watch_of_peer->change(BfdConfig{}));
  EXPECT_EQ(watch_of_peer->state(), "Down");
}

TEST_F(BfdLivenessTest, TheEndOfTheHandleIsTheEndOfTheWatch) {
  if (!has_port()) GTEST_SKIP() << "UDP port 4784 is taken";
  auto first = watch(kOurs, {});
  EXPECT_EQ(watch(kOurs, {}), nullptr) << "one peer is watched once";
  first.reset();
  EXPECT_TRUE(liveness_.monitor().snapshot().empty());
  EXPECT_NE(watch(kOurs, {}), nullptr);
}

// The peer is a watch the other way round: both hear on the one port of this machine.
TEST_F(BfdLivenessTest, ThePeersSilenceIsToldButNotItsAdministratorsWord) {
  const BfdConfig fast{.transmit_min = milliseconds(20), .receive_min = milliseconds(20), .multiplier = 3};
  const auto ours = watch(kOurs, fast);
  if (ours == nullptr) GTEST_SKIP() << "UDP port 4784 is taken";
  auto theirs = liveness_.watch(kOurs, kTheirs, true, fast, [](bool) {});
  ASSERT_NE(theirs, nullptr);
  const auto is_up = [&] { return ours->state() == "Up" && theirs->state() == "Up"; };
  ASSERT_TRUE(run(is_up));
  EXPECT_TRUE(theirs->change(std::nullopt));
  ASSERT_TRUE(run([&] { return ours->state() != "Up"; }));
  EXPECT_EQ(downs_, 0) << "RFC 5882 §4.2";
  EXPECT_TRUE(theirs->change(fast));
  ASSERT_TRUE(run(is_up));
  theirs.reset();
  ASSERT_TRUE(run([&] { return downs_ == 1; }));
  EXPECT_EQ(is_independent_, false);
  EXPECT_EQ(ours->state(), "Down");
}

}  // namespace
}  // namespace margay::bgp
