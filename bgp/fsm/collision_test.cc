// Two connections, one session (RFC 4271 §6.8, RFC 6286 §2.3, RFC 4724 §5).
#include <gtest/gtest.h>

#include <chrono>
#include <string_view>

#include "bgp/fsm/harness.h"

namespace margay::bgp::fsm {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// --- which of two ---

struct Pairing {
  std::string_view name;
  std::uint32_t our_id, their_id;
  std::uint32_t their_asn;
  ConnectionId survivor;  // 1: ours, 2: the peer's
};

const Pairing kPairings[] = {
    {"RFC 4271 §6.8: ours is lower", 10, 20, 65001, 2},
    {"RFC 4271 §6.8: ours is higher", 20, 10, 65001, 1},
    {"RFC 4271 §6.8: compared as numbers without sign", 0x0a000001, 0xc0000001, 65001, 2},
    {"RFC 6286 §2.3: equal, our AS number is lower", 10, 10, 65001, 2},
    {"RFC 6286 §2.3: equal, our AS number is higher", 10, 10, 64000, 1},
    {"iBGP", 10, 20, 64512, 2},
};

PeerConfig config_of(const Pairing& test) {
  PeerConfig config = external_config();
  config.router_id = RouterId(test.our_id);
  config.remote_asn = Asn(test.their_asn);
  return config;
}

Open open_of(const Pairing& test) {
  Open open = open_of_peer(config_of(test));
  open.router_id = RouterId(test.their_id);
  return open;
}

enum class Order { kOursFirst, kTheirsFirst };

// Both connections stand; their OPENs arrive in this order.
void collide(Harness& peer, const Open& open, Order order) {
  peer.step(Start{});
  const ConnectionId ours = peer.last_attempt();
  peer.step(Connected{ours});
  const ConnectionId theirs = peer.accept();
  peer.step(OpenReceived{order == Order::kOursFirst ? ours : theirs, open});
  peer.step(OpenReceived{order == Order::kOursFirst ? theirs : ours, open});
}

TEST(Collision, TheConnectionOfTheHigherIdentifierStaysInEitherOrder) {
  for (const Pairing& test : kPairings) {
    for (const Order order : {Order::kOursFirst, Order::kTheirsFirst}) {
      Harness peer(config_of(test));
      collide(peer, open_of(test), order);
      EXPECT_EQ(peer.state(), State::kOpenConfirm) << test.name;
      EXPECT_EQ(peer.open_connections(), std::set<ConnectionId>{test.survivor}) << test.name;
      const std::string farewell = "Send #" + std::to_string(3 - test.survivor) + " NOTIFICATION 6/7";
      EXPECT_NE(peer.take_log().find(farewell), std::string::npos) << test.name;  // RFC 4486 §4
      peer.step(KeepaliveReceived{test.survivor});
      EXPECT_EQ(peer.state(), State::kEstablished) << test.name;
      EXPECT_FALSE(peer.peer().last_error()) << "a collision is no error: " << test.name;
    }
  }
}

TEST(Collision, AnAcceptedConnectionMeetsOneInOpenConfirm) {  // RFC 4271 §6.8 to the letter
  for (const Pairing& test : kPairings) {
    Harness peer(config_of(test));
    peer.step(Start{});
    peer.step(Connected{1});
    peer.step(OpenReceived{1, open_of(test)});
    ASSERT_EQ(peer.state(), State::kOpenConfirm);
    peer.accept();
    peer.step(OpenReceived{2, open_of(test)});
    EXPECT_EQ(peer.open_connections(), std::set<ConnectionId>{test.survivor}) << test.name;
    peer.step(KeepaliveReceived{test.survivor});
    EXPECT_EQ(peer.state(), State::kEstablished) << test.name;
  }
}

TEST(Collision, AnAttemptIsGivenUpWhenThePeersOpenIsThere) {
  Harness peer(external_config());
  peer.step(Start{});
  peer.accept();
  peer.take_log();
  peer.step(OpenReceived{2, open_of_peer(external_config())});
  EXPECT_EQ(peer.take_outputs(),
            "Close #1; Disarm ConnectRetry; Send #2 KEEPALIVE; Arm Keepalive 30.0 s; Arm IncomingHold 90.0 s");
  peer.step(Connected{1});
  EXPECT_EQ(peer.take_outputs(), "") << "too late";
}

TEST(Collision, ALostOneLeavesTheOther) {
  Harness peer(external_config());
  peer.step(Start{});
  peer.step(Connected{1});
  peer.accept();
  peer.take_log();
  peer.step(NotificationReceived{2, {6, 7, {}}});
  EXPECT_EQ(peer.take_outputs(), "Close #2; Disarm IncomingHold") << "the peer decided first: no error";
  EXPECT_EQ(peer.state(), State::kOpenSent);
  peer.step(NotificationReceived{1, {6, 7, {}}});
  EXPECT_EQ(peer.state(), State::kActive) << "no fault, no idle hold";
}

TEST(Collision, AFaultOnOneLeavesTheOtherAndAttemptsGoOn) {
  Harness peer(external_config());
  peer.step(Start{});
  peer.step(Connected{1});
  peer.accept();
  peer.take_log();
  peer.step(BadMessage{1, {{1, 1, {}}, "header: marker"}});
  EXPECT_EQ(peer.take_outputs(),
            "Send #1 NOTIFICATION 1/1; Close #1; Disarm OutgoingHold; AttemptFailed (header: marker); "
            "Arm ConnectRetry 5.0 s");
  peer.advance(seconds(5));
  EXPECT_EQ(peer.take_outputs(), "Connect #3; Arm ConnectRetry 5.0 s");
}

TEST(Collision, AConnectionWithoutOpenForLongDoesNotWin) {
  const Pairing& ours_is_higher = kPairings[1];
  Harness peer(config_of(ours_is_higher));
  peer.step(Start{});
  peer.step(Connected{1});
  peer.advance(seconds(5));
  peer.accept();
  peer.step(OpenReceived{2, open_of(ours_is_higher)});
  EXPECT_EQ(peer.open_connections(), std::set<ConnectionId>{2});
  EXPECT_EQ(peer.state(), State::kOpenConfirm);
}

TEST(Collision, ASecondConnectionOfThePeerReplacesItsFirst) {
  Harness peer(external_config());
  peer.step(Start{});
  peer.accept();
  peer.take_log();
  peer.accept();
  EXPECT_EQ(peer.take_outputs(),
            "Send #2 NOTIFICATION 6/7; Close #2; Disarm IncomingHold; Send #3 OPEN AS 64512 hold 90; "
            "Arm IncomingHold 240.0 s");
  peer.step(OpenReceived{3, open_of_peer(external_config())});
  peer.step(KeepaliveReceived{3});
  EXPECT_EQ(peer.state(), State::kEstablished);
}

// --- with an established session ---

PeerConfig restart_config() {
  PeerConfig config = external_config();
  config.capabilities.graceful_restart = GracefulRestart{};
  config.capabilities.graceful_restart->forwarding[kIpv4] = true;
  return config;
}

Open open_with_restart(bool restarting) {
  Open open = open_of_peer(restart_config());
  open.capabilities.graceful_restart->restarting = restarting;
  return open;
}

TEST(Collision, AnEstablishedSessionStaysAndItsConnectionIsProbed) {  // RFC 4271 §6.8
  Harness peer(external_config());
  establish(peer, open_of_peer(external_config()));
  peer.advance(minutes(1));
  peer.accept();
  peer.take_log();
  peer.step(OpenReceived{2, open_of_peer(external_config())});
  EXPECT_EQ(peer.take_outputs(), "Send #1 KEEPALIVE; Send #2 NOTIFICATION 6/7; Close #2; Disarm IncomingHold");
  EXPECT_EQ(peer.state(), State::kEstablished);
}

TEST(Collision, WithGracefulRestartTheNewConnectionReplacesTheOldAndRoutesAreKept) {  // RFC 4724 §5
  Harness peer(restart_config());
  establish(peer, open_with_restart(false));
  peer.advance(minutes(1));
  peer.accept();
  EXPECT_EQ(peer.state(), State::kEstablished) << "until the OPEN is there: anybody can connect";
  peer.take_log();
  peer.step(OpenReceived{2, open_with_restart(false)});
  EXPECT_EQ(peer.take_outputs(),
            "Close #1; Disarm OutgoingHold; Disarm Keepalive; "
            "SessionDown #1 (the peer restarted and connected anew) keeps routes; "
            "Send #2 KEEPALIVE; Arm Keepalive 30.0 s; Arm IncomingHold 90.0 s");
  peer.step(KeepaliveReceived{2});
  EXPECT_EQ(peer.state(), State::kEstablished);
  EXPECT_EQ(peer.peer().times_established(), 2U);
}

TEST(Collision, ACrossingIsNoRestartUnlessThePeerSaysSo) {
  for (const bool restarting : {false, true}) {
    Harness peer(restart_config());
    establish(peer, open_with_restart(false));
    peer.advance(seconds(2));
    peer.accept();
    peer.step(OpenReceived{2, open_with_restart(restarting)});
    EXPECT_EQ(peer.open_connections(), std::set<ConnectionId>{restarting ? 2U : 1U});
  }
}

TEST(Collision, ABadOpenDoesNotDisturbTheEstablishedSession) {
  Harness peer(restart_config());
  establish(peer, open_with_restart(false));
  peer.advance(minutes(1));
  peer.accept();
  Open open = open_with_restart(true);
  open.router_id = RouterId(0);
  peer.take_log();
  peer.step(OpenReceived{2, open});
  EXPECT_EQ(peer.take_outputs(),
            "Send #2 NOTIFICATION 2/3; Close #2; Disarm IncomingHold; "
            "AttemptFailed (OPEN: BGP identifier 0.0.0.0)");
  EXPECT_EQ(peer.state(), State::kEstablished);
}

TEST(Collision, TheNewConnectionTakesOverWhenTheOldOneTurnsOutDead) {
  Harness peer(external_config());
  establish(peer, open_of_peer(external_config()));
  peer.advance(minutes(1));
  peer.accept();
  peer.step(Closed{1, "reset"});
  EXPECT_EQ(peer.state(), State::kOpenSent);
  peer.step(OpenReceived{2, open_of_peer(external_config())});
  peer.step(KeepaliveReceived{2});
  EXPECT_EQ(peer.peer().times_established(), 2U);
}

TEST(Collision, EstablishedOverAnAcceptedConnectionCanBeReplacedToo) {
  PeerConfig config = restart_config();
  config.passive = true;
  Harness peer(config);
  peer.step(Start{});
  for (ConnectionId id = 1; id <= 5; ++id) {  // the two hold timers take turns
    EXPECT_EQ(peer.accept(), id);
    peer.step(OpenReceived{id, open_with_restart(true)});
    peer.step(KeepaliveReceived{id});
    EXPECT_EQ(peer.peer().times_established(), id);
    EXPECT_EQ(peer.open_connections(), std::set<ConnectionId>{id});
  }
  peer.accept();
  peer.step(OpenReceived{6, open_with_restart(true)});
  peer.advance(seconds(90));
  EXPECT_EQ(peer.state(), State::kIdle) << "the hold timer is that of the right connection";
}

}  // namespace
}  // namespace margay::bgp::fsm
