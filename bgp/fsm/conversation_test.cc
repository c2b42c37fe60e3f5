// Whole conversations, as people read them.
#include <gtest/gtest.h>

#include <chrono>

#include "bgp/fsm/harness.h"
#include "bgp/fsm/negotiate.h"
#include "bgp/fsm/retention.h"

namespace margay::bgp::fsm {
namespace {

using std::chrono::seconds;

TEST(Conversation, WeConnectAndTheSessionComesUp) {
  Harness peer(external_config());
  peer.step(Start{});
  peer.step(Connected{1});
  peer.step(OpenReceived{1, open_of_peer(external_config())});
  peer.step(KeepaliveReceived{1});
  EXPECT_EQ(peer.take_log(), R"(< Start
> Connect #1
> Arm ConnectRetry 5.0 s
< Connected #1
> Disarm ConnectRetry
> Send #1 OPEN AS 64512 hold 90
> Arm OutgoingHold 240.0 s
< OPEN #1
> Send #1 KEEPALIVE
> Arm Keepalive 30.0 s
> Arm OutgoingHold 90.0 s
< KEEPALIVE #1
> SessionUp #1
)");
  EXPECT_EQ(peer.peer().times_established(), 1U);
}

TEST(Conversation, BothConnectAndTheOneOfTheHigherIdentifierStays) {
  Harness peer(external_config());  // 10.0.0.1; the peer is 10.0.0.2
  peer.step(Start{});
  peer.step(Connected{1});
  peer.accept();
  peer.step(OpenReceived{1, open_of_peer(external_config())});
  peer.step(OpenReceived{2, open_of_peer(external_config())});
  peer.step(KeepaliveReceived{2});
  EXPECT_EQ(peer.take_log(), R"(< Start
> Connect #1
> Arm ConnectRetry 5.0 s
< Connected #1
> Disarm ConnectRetry
> Send #1 OPEN AS 64512 hold 90
> Arm OutgoingHold 240.0 s
< Accepted #2
> Send #2 OPEN AS 64512 hold 90
> Arm IncomingHold 240.0 s
< OPEN #1
> Send #1 NOTIFICATION 6/7
> Close #1
> Disarm OutgoingHold
< OPEN #2
> Send #2 KEEPALIVE
> Arm Keepalive 30.0 s
> Arm IncomingHold 90.0 s
< KEEPALIVE #2
> SessionUp #2
)");
}

TEST(Conversation, AnOldPeerIsAskedAgainWithoutCapabilities) {  // RFC 5492 §3
  Harness peer(external_config());
  peer.step(Start{});
  peer.step(Connected{1});
  peer.take_log();
  peer.step(NotificationReceived{1, {2, 4, {}}});
  peer.advance(seconds(1));
  peer.step(Connected{2});
  Open open = open_of_peer(external_config());
  open.capabilities = {};
  peer.step(OpenReceived{2, open});
  peer.step(KeepaliveReceived{2});
  EXPECT_EQ(peer.take_log(), R"(< NOTIFICATION 2/4 #1
> Close #1
> Disarm OutgoingHold
> AttemptFailed (received OPEN Message Error/Unsupported Optional Parameter)
> Arm IdleHold 1.0 s
< timer IdleHold
> Connect #2
> Arm ConnectRetry 5.0 s
< Connected #2
> Disarm ConnectRetry
> Send #2 OPEN AS 64512 hold 90 without capabilities
> Arm OutgoingHold 240.0 s
< OPEN #2
> Send #2 KEEPALIVE
> Arm Keepalive 30.0 s
> Arm OutgoingHold 90.0 s
< KEEPALIVE #2
> SessionUp #2
)");
  EXPECT_EQ(peer.peer().session()->sent, Capabilities{});
  EXPECT_FALSE(peer.peer().session()->four_octet_as);
}

TEST(Conversation, OnePeerThatRefusesWithoutCapabilitiesTooIsOfferedThemAgain) {
  Harness peer(external_config());
  peer.step(Start{});
  peer.step(Connected{1});
  peer.step(NotificationReceived{1, {2, 4, {}}});
  peer.advance(seconds(1));
  peer.step(Connected{2});
  peer.step(NotificationReceived{2, {2, 4, {}}});
  peer.advance(seconds(1));
  peer.take_log();
  peer.step(Connected{3});
  EXPECT_EQ(peer.take_outputs(), "Disarm ConnectRetry; Send #3 OPEN AS 64512 hold 90; Arm OutgoingHold 240.0 s");
}

TEST(Conversation, APeerIsStoppedAndStartedAgain) {
  Harness peer(external_config());
  establish(peer, open_of_peer(external_config()));
  peer.step(Stop{{6, 2, {}}});
  peer.accept();  // in vain
  peer.advance(std::chrono::hours(1));
  peer.step(Start{});
  EXPECT_EQ(peer.take_log(), R"(< Stop 6/2
> Send #1 NOTIFICATION 6/2
> Close #1
> Disarm OutgoingHold
> Disarm Keepalive
> SessionDown #1 (administratively stopped)
< Accepted #2
> Close #2
< Start
> Connect #3
> Arm ConnectRetry 5.0 s
)");
}

TEST(Conversation, APeerRestartsGracefully) {  // RFC 4724 §4.2
  PeerConfig config = external_config();
  config.capabilities.graceful_restart = GracefulRestart{};
  config.capabilities.graceful_restart->forwarding[{1, 1}] = true;
  Harness peer(config);
  establish(peer, open_of_peer(config));
  peer.step(Closed{1, "reset by the peer"});
  peer.accept();  // it is back at once, and let in: this was the first fault
  Open open = open_of_peer(config);
  open.capabilities.graceful_restart->restarting = true;
  peer.step(OpenReceived{2, open});
  peer.step(KeepaliveReceived{2});
  EXPECT_EQ(peer.take_log(), R"(< Closed #1
> Disarm OutgoingHold
> Disarm Keepalive
> SessionDown #1 (connection closed: reset by the peer) keeps routes
> Arm IdleHold 1.0 s
< Accepted #2
> Disarm IdleHold
> Send #2 OPEN AS 64512 hold 90
> Arm IncomingHold 240.0 s
> Arm ConnectRetry 5.0 s
< OPEN #2
> Disarm ConnectRetry
> Send #2 KEEPALIVE
> Arm Keepalive 30.0 s
> Arm IncomingHold 90.0 s
< KEEPALIVE #2
> SessionUp #2
)");
}

// --- what arrives too late ---

TEST(Conversation, WhatBelongsToAClosedConnectionIsIgnored) {  // invariant 4
  const Input late[] = {
      Connected{1},
      Closed{1, "late"},
      ConnectFailed{1, "late"},
      OpenReceived{1, open_of_peer(external_config())},
      KeepaliveReceived{1},
      DataReceived{1, MessageType::kUpdate},
      NotificationReceived{1, {6, 2, {}}},
      BadMessage{1, {{1, 1, {}}, "late"}},
      BytesSent{1},
      SendBlocked{1},
  };
  Harness peer(external_config());
  establish(peer, open_of_peer(external_config()));
  peer.step(Reset{{6, 4, {}}});
  peer.take_log();
  for (const Input& input : late) {
    peer.step(input);
    EXPECT_EQ(peer.take_outputs(), "") << describe(input);
    EXPECT_EQ(peer.state(), State::kConnect) << describe(input);
  }
}

TEST(Conversation, ATimerThatFiredWhileItWasStoppedIsIgnored) {
  Harness peer(external_config());
  establish(peer, open_of_peer(external_config()));
  peer.step(Stop{{6, 2, {}}});
  peer.take_log();
  for (std::size_t kind = 0; kind < kTimerKinds; ++kind) peer.fire(static_cast<TimerKind>(kind));
  EXPECT_EQ(peer.take_outputs(), "");
  EXPECT_EQ(peer.state(), State::kIdle);
}

}  // namespace
}  // namespace margay::bgp::fsm
