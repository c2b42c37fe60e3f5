// How long the routes of a peer are kept that went away.
#include "bgp/speaker/stale_keeper.h"

#include <gtest/gtest.h>

#include "base/loop/sim_loop.h"

namespace margay::bgp {
namespace {

using std::chrono::seconds;
constexpr Family kV4 = Family::kIpv4Unicast;

class StaleKeeperTest : public ::testing::Test {
 protected:
  StaleKeeperTest() {
    rib_.add_peer(0, {});
    session_.families = {true, false};
    session_.graceful_restart.emplace();
    session_.graceful_restart->restart_time_s = 100;
    session_.graceful_restart->forwarding[afi_safi(kV4)] = true;
    session_.long_lived[kV4] = LongLivedFamily{.forwarding = true, .stale_time_s = 600};
  }
  void advance(int by_s) { loop_.advance(seconds(by_s)); }

  loop::SimLoop loop_;
  rib::Rib rib_{{.local_asn = Asn(64512), .router_id = RouterId(1)}, {}};
  fsm::Negotiated session_;
  StaleKeeper keeper_{loop_, rib_, 0, [] {}};
};

TEST_F(StaleKeeperTest, RestartTimeThenLongLivedTime) {
  keeper_.session_down(session_);
  advance(699);
  EXPECT_TRUE(keeper_.is_keeping());
  advance(2);
  EXPECT_FALSE(keeper_.is_keeping());
}

// RFC 9494 §4.2: the time runs on until End-of-RIB.
TEST_F(StaleKeeperTest, AFlapDoesNotExtendTheLongLivedTime) {
  keeper_.session_down(session_);
  advance(200);  // long-lived since 100
  for (int flap = 0; flap < 4; ++flap) {
    keeper_.session_up(session_);
    advance(20);
    keeper_.session_down(session_);
    advance(100);
    EXPECT_TRUE(keeper_.is_keeping());
  }
  advance(19);  // 699
  EXPECT_TRUE(keeper_.is_keeping());
  advance(2);
  EXPECT_FALSE(keeper_.is_keeping());
}

TEST_F(StaleKeeperTest, NorDoesASessionThatPromisesMore) {
  keeper_.session_down(session_);
  advance(200);
  keeper_.session_up(session_);
  session_.long_lived[kV4]->stale_time_s = 6000;
  session_.graceful_restart->restart_time_s = 4000;
  keeper_.session_down(session_);
  advance(499);
  EXPECT_TRUE(keeper_.is_keeping());
  advance(2);
  EXPECT_FALSE(keeper_.is_keeping());
}

TEST_F(StaleKeeperTest, WhoIsBackWithoutEndOfRibHasNoMoreThanWhatIsLeft) {
  keeper_.session_down(session_);
  advance(650);
  keeper_.session_up(session_);
  advance(49);
  EXPECT_TRUE(keeper_.is_keeping());
  advance(2);
  EXPECT_FALSE(keeper_.is_keeping());
}

TEST_F(StaleKeeperTest, AfterEndOfRibTheTimeIsNew) {
  keeper_.session_down(session_);
  advance(200);
  keeper_.session_up(session_);
  keeper_.end_of_rib(kV4);
  EXPECT_FALSE(keeper_.is_keeping());
  keeper_.session_down(session_);
  advance(699);
  EXPECT_TRUE(keeper_.is_keeping());
  advance(2);
  EXPECT_FALSE(keeper_.is_keeping());
}

TEST_F(StaleKeeperTest, WhatIsForgottenIsForgottenWithItsTime) {
  keeper_.session_down(session_);
  advance(200);
  keeper_.forget();
  EXPECT_FALSE(keeper_.is_keeping());
  keeper_.session_down(session_);
  advance(650);
  EXPECT_TRUE(keeper_.is_keeping());
}

}  // namespace
}  // namespace margay::bgp
