// Timers of a peer: hold, keepalive, send hold, retry, idle hold (RFC 4271 §8, §10, RFC 9687).
#include <gtest/gtest.h>

#include <chrono>

#include "bgp/fsm/harness.h"
#include "bgp/fsm/outbox.h"

namespace margay::bgp::fsm {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Open open_with_hold(std::uint16_t hold_time_s) {
  Open open = open_of_peer(external_config());
  open.hold_time_s = hold_time_s;
  return open;
}

// --- jitter ---

TEST(Jitter, IsBetweenThreeQuartersAndAll) {  // RFC 4271 §10
  SeededRandom random(3);
  Duration least = seconds(100);
  Duration most{};
  for (int i = 0; i < 10'000; ++i) {
    const Duration time = jittered(seconds(100), random);
    least = std::min(least, time);
    most = std::max(most, time);
  }
  EXPECT_GE(least, seconds(75));
  EXPECT_LT(least, milliseconds(75'100));
  EXPECT_LE(most, seconds(100));
  EXPECT_GT(most, milliseconds(99'900));
  EXPECT_EQ(jittered(Duration{}, random), Duration{});
}

// --- hold time ---

TEST(HoldTime, MessagesOnlyNoteTheirTimeAndTheTimerGoesOnForTheRest) {
  Harness peer(external_config());
  const ConnectionId id = establish(peer, open_with_hold(90));
  peer.advance(seconds(70));
  EXPECT_TRUE(peer.peer().note_data(id, peer.now()));
  peer.take_log();
  peer.advance(seconds(20));
  EXPECT_EQ(peer.take_outputs(), "Arm OutgoingHold 70.0 s; Send #1 KEEPALIVE; Arm Keepalive 30.0 s");
  peer.advance(milliseconds(69'999));
  EXPECT_EQ(peer.state(), State::kEstablished);
  peer.advance(milliseconds(1));
  EXPECT_EQ(peer.state(), State::kIdle);
  EXPECT_EQ(peer.peer().last_error()->kind, DownReason::Kind::kHoldTimeExpired);
  EXPECT_EQ(peer.peer().last_error()->notification, (Notification{4, 0, {}}));  // RFC 4271 §6.5
  EXPECT_FALSE(peer.peer().note_data(id, peer.now())) << "of a connection that is gone";
}

TEST(HoldTime, EachKindOfMessageCounts) {  // RFC 4271 §8.2.2, Established, events 26 and 27
  Harness peer(external_config());
  const ConnectionId id = establish(peer, open_with_hold(9));
  for (int i = 0; i < 100; ++i) {
    peer.advance(seconds(8));
    if (i % 3 == 0) peer.step(KeepaliveReceived{id});
    if (i % 3 == 1) peer.step(DataReceived{id, MessageType::kRouteRefresh});
    if (i % 3 == 2) peer.peer().note_data(id, peer.now());
  }
  EXPECT_EQ(peer.state(), State::kEstablished);
  peer.advance(seconds(9));
  EXPECT_EQ(peer.state(), State::kIdle);
}

TEST(HoldTime, ZeroIsForEver) {  // RFC 4271 §4.2, §4.4
  Harness peer(external_config());
  establish(peer, open_with_hold(0));
  EXPECT_FALSE(peer.next_deadline());
  peer.advance(hours(24));
  EXPECT_EQ(peer.state(), State::kEstablished);
  EXPECT_EQ(peer.take_log(), "");
}

TEST(HoldTime, ZeroDoesNotLetAPeerHangInOpenConfirm) {
  Harness peer(external_config());
  peer.step(Start{});
  peer.step(Connected{1});
  peer.step(OpenReceived{1, open_with_hold(0)});
  EXPECT_EQ(peer.state(), State::kOpenConfirm);
  EXPECT_FALSE(peer.deadline(TimerKind::kKeepalive));
  peer.advance(minutes(4));
  EXPECT_EQ(peer.state(), State::kIdle);
}

TEST(HoldTime, OfTheOpenIsItsOwn) {  // RFC 4271 §8.2.2: "large value"
  PeerConfig config = external_config();
  config.timers.open_hold = seconds(20);
  Harness peer(config);
  peer.step(Start{});
  peer.step(Connected{1});
  peer.advance(milliseconds(19'999));
  EXPECT_EQ(peer.state(), State::kOpenSent);
  peer.advance(milliseconds(1));
  EXPECT_EQ(peer.state(), State::kIdle);
}

// --- keepalives ---

TEST(Keepalive, AThirdOfTheHoldTimeWithJitter) {  // RFC 4271 §4.4, §10
  Harness peer(external_config(), 5);
  const ConnectionId id = establish(peer, open_with_hold(90));
  for (int i = 0; i < 100; ++i) {
    const TimePoint before = peer.now();
    peer.set_now(*peer.deadline(TimerKind::kKeepalive));
    peer.peer().note_data(id, peer.now());
    if (i > 0) {
      EXPECT_GE(peer.now() - before, milliseconds(22'500));
      EXPECT_LE(peer.now() - before, seconds(30));
    }
    peer.take_log();
    peer.fire(TimerKind::kKeepalive);
    EXPECT_EQ(peer.take_outputs().substr(0, 17), "Send #1 KEEPALIVE");
  }
}

TEST(Keepalive, NeverMoreThanOneASecond) {  // RFC 4271 §4.4
  PeerConfig config = external_config();
  config.timers.keepalive = milliseconds(10);
  Harness peer(config, 5);
  const ConnectionId id = establish(peer, open_with_hold(3));
  for (int i = 0; i < 100; ++i) {
    peer.peer().note_data(id, peer.now());
    const TimePoint before = peer.now();
    peer.set_now(*peer.deadline(TimerKind::kKeepalive));
    peer.fire(TimerKind::kKeepalive);
    EXPECT_EQ(*peer.deadline(TimerKind::kKeepalive) - peer.now(), seconds(1)) << (peer.now() - before).count();
  }
}

// --- send hold ---

TEST(Keepalive, AnotherIntervalIsForTheSessionThatRuns) {
  PeerConfig config = external_config();
  Harness peer(config);
  peer.step(TimersChanged{});
  const ConnectionId id = establish(peer, open_with_hold(90));
  peer.take_log();
  config.timers.keepalive = seconds(5);
  peer.peer().set_config(config);
  peer.step(TimersChanged{});
  EXPECT_EQ(peer.take_outputs(), "Send #1 KEEPALIVE; Arm Keepalive 5.0 s");
  EXPECT_EQ(peer.peer().session()->keepalive, seconds(5));
  peer.step(TimersChanged{});
  EXPECT_EQ(peer.take_outputs(), "") << "nothing changed";
  config.timers.keepalive = seconds(50);
  peer.peer().set_config(config);
  peer.step(TimersChanged{});
  EXPECT_EQ(peer.take_outputs(), "Send #1 KEEPALIVE; Arm Keepalive 30.0 s") << "a third of the hold time is the most";
  peer.step(Closed{id, "reset"});
  peer.step(TimersChanged{});
}

TEST(SendHold, EndsASessionWhosePeerReadsNothing) {  // RFC 9687 §4
  Harness peer(external_config());
  const ConnectionId id = establish(peer, open_with_hold(90));
  const auto live = [&](Duration time) {  // the peer talks, but does not listen
    for (Duration passed{}; passed < time; passed += seconds(1)) {
      peer.peer().note_data(id, peer.now());
      peer.advance(seconds(1));
    }
  };
  live(minutes(2));
  peer.peer().note_sent(id, peer.now());
  live(minutes(1));
  peer.step(SendBlocked{id});
  EXPECT_EQ(*peer.deadline(TimerKind::kSendHold) - peer.now(), minutes(7)) << "8 minutes since the last progress";
  peer.step(SendBlocked{id});
  EXPECT_EQ(*peer.deadline(TimerKind::kSendHold) - peer.now(), minutes(7)) << "being blocked still is no progress";
  live(minutes(5));
  peer.step(BytesSent{id});
  live(minutes(2));
  EXPECT_EQ(peer.state(), State::kEstablished);
  EXPECT_EQ(*peer.deadline(TimerKind::kSendHold) - peer.now(), minutes(6)) << "goes on for the rest";
  live(minutes(6));
  EXPECT_EQ(peer.state(), State::kIdle);
  EXPECT_EQ(peer.peer().last_error()->kind, DownReason::Kind::kSendHoldTimeExpired);
  EXPECT_EQ(peer.peer().last_error()->notification, (Notification{8, 0, {}}));
  EXPECT_FALSE(peer.deadline(TimerKind::kSendHold));
}

TEST(SendHold, IsTheLargerOfEightMinutesAndTwiceTheHoldTime) {  // RFC 9687 §3.1
  struct {
    std::uint16_t hold_s;
    std::optional<Duration> configured, expected;
  } const tests[] = {
      {90, {}, minutes(8)}, {600, {}, minutes(20)}, {90, seconds(200), seconds(200)},
      {0, {}, {}},          {90, Duration{}, {}},   {0, seconds(200), {}},
  };
  for (const auto& test : tests) {
    PeerConfig config = external_config();
    config.timers.hold = seconds(600);
    config.timers.send_hold = test.configured;
    Harness peer(config);
    const ConnectionId id = establish(peer, open_with_hold(test.hold_s));
    peer.step(SendBlocked{id});
    const std::optional<TimePoint> deadline = peer.deadline(TimerKind::kSendHold);
    EXPECT_EQ(deadline ? std::optional<Duration>(*deadline - peer.now()) : std::nullopt, test.expected) << test.hold_s;
  }
}

// --- attempts ---

TEST(ConnectRetry, AttemptsKeepTheirDistance) {  // RFC 4271 §8.2.2, Connect, events 9 and 18
  Harness peer(external_config());
  peer.step(Start{});
  peer.step(ConnectFailed{1, "refused"});
  peer.take_log();
  peer.advance(milliseconds(4999));
  EXPECT_EQ(peer.take_outputs(), "");
  peer.advance(milliseconds(1));
  EXPECT_EQ(peer.take_outputs(), "Connect #2; Arm ConnectRetry 5.0 s");
  peer.advance(seconds(5));  // no answer at all
  EXPECT_EQ(peer.take_outputs(), "Close #2; AttemptFailed (no answer); Connect #3; Arm ConnectRetry 5.0 s");
}

TEST(ConnectRetry, DelayBeforeTheFirstAttemptOnly) {
  PeerConfig config = external_config();
  config.timers.connect_delay = seconds(3);
  Harness peer(config);
  peer.step(Start{});
  EXPECT_EQ(peer.state(), State::kActive) << "and the peer may connect";
  EXPECT_EQ(peer.take_outputs(), "Arm ConnectRetry 3.0 s");
  peer.advance(seconds(3));
  EXPECT_EQ(peer.take_outputs(), "Connect #1; Arm ConnectRetry 5.0 s");
}

TEST(ConnectRetry, PassivePeersWait) {  // RFC 4271 §8.1.2, event 4
  PeerConfig config = external_config();
  config.passive = true;
  Harness peer(config);
  peer.step(Start{});
  EXPECT_EQ(peer.state(), State::kActive);
  peer.advance(hours(1));
  EXPECT_EQ(peer.take_outputs(), "");
  const ConnectionId id = peer.accept();
  peer.step(OpenReceived{id, open_of_peer(config)});
  peer.step(KeepaliveReceived{id});
  EXPECT_EQ(peer.state(), State::kEstablished);
  peer.step(Closed{id, "reset"});
  peer.advance(hours(1));
  EXPECT_EQ(peer.state(), State::kActive);
  config.passive = false;
  peer.peer().set_config(config);
  peer.take_log();
  peer.step(Start{});
  EXPECT_EQ(peer.take_outputs(), "Connect #2; Arm ConnectRetry 5.0 s");
}

// --- idle hold ---

Duration idle_hold_after_fault(Harness& peer) {
  if (peer.state() == State::kIdle) peer.advance(*peer.deadline(TimerKind::kIdleHold) - peer.now());
  const ConnectionId id = peer.last_attempt();
  peer.step(Connected{id});
  peer.step(OpenReceived{id, open_of_peer(external_config())});
  peer.step(BadMessage{id, {{1, 1, {}}, "header: marker"}});
  return *peer.deadline(TimerKind::kIdleHold) - peer.now();
}

TEST(IdleHold, DoublesUpToTheMaximum) {  // RFC 4271 §8.1.1: DampPeerOscillations
  Harness peer(external_config());
  peer.step(Start{});
  for (const int wanted_s : {1, 2, 4, 8, 16, 32, 60, 60, 60}) {
    EXPECT_EQ(idle_hold_after_fault(peer), seconds(wanted_s));
  }
  for (int i = 0; i < 100; ++i) idle_hold_after_fault(peer);
  EXPECT_EQ(idle_hold_after_fault(peer), seconds(60)) << "however many";
}

TEST(IdleHold, HasJitter) {  // RFC 4271 §10
  Harness peer(external_config(), 11);
  peer.step(Start{});
  for (int i = 0; i < 6; ++i) idle_hold_after_fault(peer);
  const Duration hold = idle_hold_after_fault(peer);
  EXPECT_GE(hold, seconds(45));
  EXPECT_LT(hold, seconds(60));
}

TEST(IdleHold, AStableSessionForgetsFaults) {
  Harness peer(external_config());
  peer.step(Start{});
  for (int i = 0; i < 4; ++i) idle_hold_after_fault(peer);
  for (const Duration lasted : {seconds(59), seconds(60)}) {
    peer.advance(*peer.deadline(TimerKind::kIdleHold) - peer.now());
    const ConnectionId id = peer.last_attempt();
    peer.step(Connected{id});
    peer.step(OpenReceived{id, open_of_peer(external_config())});
    peer.step(KeepaliveReceived{id});
    peer.advance(lasted);
    peer.step(Closed{id, "reset"});
    EXPECT_EQ(*peer.deadline(TimerKind::kIdleHold) - peer.now(), lasted == seconds(60) ? seconds(1) : seconds(16));
  }
}

TEST(IdleHold, TheFirstFaultLetsThePeerComeBackAtOnceTheSecondDoesNot) {
  Harness peer(external_config());
  const ConnectionId id = establish(peer, open_of_peer(external_config()));
  peer.step(Closed{id, "reset"});
  const ConnectionId second = peer.accept();
  EXPECT_EQ(peer.state(), State::kOpenSent);
  peer.step(OpenReceived{second, open_of_peer(external_config())});
  peer.step(BadMessage{second, {{1, 1, {}}, "header: marker"}});
  peer.take_log();
  peer.accept();
  EXPECT_EQ(peer.take_outputs(), "Close #3");
  EXPECT_EQ(peer.state(), State::kIdle);
}

TEST(IdleHold, StartAndResetEndItAndForgetFaults) {
  for (const Input& input : {Input(Start{}), Input(Reset{{6, 4, {}}})}) {
    Harness peer(external_config());
    peer.step(Start{});
    for (int i = 0; i < 4; ++i) idle_hold_after_fault(peer);
    peer.step(input);
    EXPECT_EQ(peer.state(), State::kConnect);
    EXPECT_EQ(idle_hold_after_fault(peer), seconds(1));
  }
}

// Nodes learn of each other at different times: the later one must find the earlier one ready.
TEST(IdleHold, IsNotForAPeerThatDoesNotKnowUsYet) {
  Harness peer(external_config());
  peer.step(Start{});
  for (int i = 0; i < 10; ++i) {
    peer.step(Connected{peer.last_attempt()});
    peer.step(NotificationReceived{peer.last_attempt(), {6, cease_subcode::kConnectionRejected, {}}});
    ASSERT_EQ(peer.state(), State::kActive);
    peer.fire_next();
  }
  peer.accept();
  EXPECT_EQ(peer.state(), State::kOpenSent);
}

TEST(LastError, OfTheSessionStaysWhileAttemptsFail) {
  Harness peer(external_config());
  peer.step(Start{});
  peer.step(ConnectFailed{peer.last_attempt(), "refused"});
  EXPECT_EQ(peer.peer().last_error()->text, "refused") << "there was no session yet";
  EXPECT_EQ(peer.peer().last_attempt_error()->text, "refused");
  peer.fire_next();
  const ConnectionId id = peer.last_attempt();
  peer.step(Connected{id});
  peer.step(OpenReceived{id, open_of_peer(external_config())});
  peer.step(KeepaliveReceived{id});
  EXPECT_FALSE(peer.peer().last_attempt_error()) << "one was successful";
  peer.step(Closed{id, "reset"});
  peer.fire_next();
  peer.step(ConnectFailed{peer.last_attempt(), "no route"});
  EXPECT_EQ(peer.peer().last_error()->text, "connection closed: reset");
  EXPECT_EQ(peer.peer().last_attempt_error()->text, "no route");
}

TEST(IdleHold, IsLongWhereTryingAgainIsOfNoUse) {  // RFC 5492 §3: "SHOULD NOT be re-established automatically"
  Harness peer(external_config());
  peer.step(Start{});
  peer.step(Connected{1});
  Open open = open_of_peer(external_config());
  open.capabilities.multiprotocol = {{2, 1}};
  peer.step(OpenReceived{1, open});
  EXPECT_EQ(*peer.deadline(TimerKind::kIdleHold) - peer.now(), seconds(60));
  peer.advance(seconds(60));
  peer.step(Connected{2});
  peer.step(NotificationReceived{2, {2, 7, {}}});
  EXPECT_EQ(*peer.deadline(TimerKind::kIdleHold) - peer.now(), seconds(60));
}

// --- when ---

TEST(Since, IsTheTimeOfThePresentState) {
  Harness peer(external_config());
  EXPECT_FALSE(peer.peer().since());
  const ConnectionId id = establish(peer, open_of_peer(external_config()));
  const TimePoint up = peer.now();
  peer.advance(seconds(5));
  peer.step(KeepaliveReceived{id});
  EXPECT_EQ(peer.peer().since(), up);
  peer.step(Stop{{6, 2, {}}});
  EXPECT_EQ(peer.peer().since(), up + seconds(5));
}

TEST(Timers, ARefusedAttemptIsTriedAgainSoonAndThenLessAndLessOften) {
  PeerConfig config = external_config();
  config.timers.refused_retry = milliseconds(500);
  config.timers.connect_retry = seconds(3);
  Harness peer(config);
  peer.step(Start{});
  peer.take_outputs();
  std::string waits;
  for (ConnectionId id = 1; id < 6; ++id) {
    peer.step(ConnectFailed{id, "refused"});
    waits += peer.take_outputs() + "\n";
    peer.step(TimerFired{TimerKind::kConnectRetry});
    peer.take_outputs();
  }
  EXPECT_EQ(waits,
            "AttemptFailed (refused); Disarm ConnectRetry; Arm ConnectRetry 0.5 s\n"
            "AttemptFailed (refused); Disarm ConnectRetry; Arm ConnectRetry 1.0 s\n"
            "AttemptFailed (refused); Disarm ConnectRetry; Arm ConnectRetry 2.0 s\n"
            "AttemptFailed (refused)\n"
            "AttemptFailed (refused)\n");
}

}  // namespace
}  // namespace margay::bgp::fsm
