// DelayOpen (RFC 4271 §8.1.1, attribute 4; §8.2.2 for Connect and Active, events 12, 20 and 24).
#include <gtest/gtest.h>

#include <chrono>

#include "bgp/fsm/harness.h"

namespace margay::bgp::fsm {
namespace {

using std::chrono::seconds;

PeerConfig with_delay() {
  PeerConfig config = external_config();
  config.timers.delay_open = seconds(5);
  return config;
}

// Connected, and the OPEN not sent.
void delay(Harness& peer) {
  peer.step(Start{});
  peer.take_log();
  peer.step(Connected{1});
}

TEST(DelayOpen, IsOffUnlessAskedFor) { EXPECT_EQ(external_config().timers.delay_open, Duration{}); }

TEST(DelayOpen, TheOpenWaitsForItsTime) {
  Harness peer(with_delay());
  delay(peer);
  EXPECT_EQ(peer.take_outputs(), "Disarm ConnectRetry; Arm OutgoingHold 5.0 s");
  EXPECT_EQ(peer.state(), State::kConnect);
  peer.advance(seconds(4));
  EXPECT_EQ(peer.take_outputs(), "");
  peer.advance(seconds(1));
  EXPECT_EQ(peer.take_outputs(), "Send #1 OPEN AS 64512 hold 90; Arm OutgoingHold 240.0 s");
  EXPECT_EQ(peer.state(), State::kOpenSent);
  peer.step(OpenReceived{1, open_of_peer(external_config())});
  peer.step(KeepaliveReceived{1});
  EXPECT_EQ(peer.state(), State::kEstablished);
}

TEST(DelayOpen, ThePeersOpenIsAnsweredAtOnce) {
  Harness peer(with_delay());
  delay(peer);
  peer.take_log();
  peer.step(OpenReceived{1, open_of_peer(external_config())});
  EXPECT_EQ(peer.take_outputs(),
            "Send #1 OPEN AS 64512 hold 90; Arm OutgoingHold 240.0 s; Send #1 KEEPALIVE; Arm Keepalive 30.0 s; "
            "Arm OutgoingHold 90.0 s");
  EXPECT_EQ(peer.state(), State::kOpenConfirm);
}

TEST(DelayOpen, HoldsForTheConnectionsOfThePeerToo) {
  PeerConfig config = with_delay();
  config.passive = true;
  Harness peer(config);
  peer.step(Start{});
  const ConnectionId id = peer.accept();
  EXPECT_EQ(peer.state(), State::kConnect);
  peer.advance(seconds(5));
  EXPECT_EQ(peer.state(), State::kOpenSent);
  peer.step(OpenReceived{id, open_of_peer(external_config())});
  peer.step(KeepaliveReceived{id});
  EXPECT_EQ(peer.state(), State::kEstablished);
}

TEST(DelayOpen, NothingIsSaidBeforeTheOpen) {  // the harness aborts on anything sent before it
  const std::pair<const char*, Input> endings[] = {
      {"Stop", Stop{{6, 2, {}}}},
      {"Reset", Reset{{6, 4, {}}}},
      {"KEEPALIVE", KeepaliveReceived{1}},
      {"UPDATE", DataReceived{1, MessageType::kUpdate}},
      {"header", BadMessage{1, {{1, 1, {}}, "header: marker"}}},
      {"OPEN", BadMessage{1, {{2, 2, {}}, "OPEN: AS"}}},
  };
  for (const auto& [why, input] : endings) {
    SCOPED_TRACE(why);
    Harness peer(with_delay());
    delay(peer);
    peer.take_log();
    peer.step(input);
    const std::string outputs = peer.take_outputs();
    EXPECT_NE(outputs.find("Close #1"), std::string::npos) << outputs;
    EXPECT_EQ(outputs.find("Send"), std::string::npos) << outputs;
  }
}

TEST(DelayOpen, APeerOfAnotherVersionIsNoFault) {  // event 24
  Harness peer(with_delay());
  delay(peer);
  peer.step(NotificationReceived{1, {2, 1, {}}});
  EXPECT_EQ(peer.state(), State::kActive);
  Harness other(with_delay());
  delay(other);
  other.step(NotificationReceived{1, {6, 2, {}}});
  EXPECT_EQ(other.state(), State::kIdle) << "any other word is";
}

TEST(DelayOpen, AConnectionThatEndsIsTriedAgain) {  // event 18
  Harness peer(with_delay());
  delay(peer);
  peer.step(Closed{1, "reset"});
  EXPECT_EQ(peer.state(), State::kActive);
}

TEST(DelayOpen, OfTwoConnectionsOneSurvives) {  // RFC 4271 §6.8
  Harness peer(with_delay());
  delay(peer);
  const ConnectionId theirs = peer.accept();
  peer.step(OpenReceived{theirs, open_of_peer(external_config())});  // 10.0.0.2 is above 10.0.0.1
  EXPECT_EQ(peer.open_connections(), std::set<ConnectionId>{theirs});
  EXPECT_EQ(peer.state(), State::kOpenConfirm);
}

}  // namespace
}  // namespace margay::bgp::fsm
