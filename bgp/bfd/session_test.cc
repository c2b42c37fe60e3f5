#include "bgp/bfd/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <string_view>
#include <vector>

namespace margay::bgp::bfd {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class Fixed final : public Random {  // no jitter: 100 %, or 90 % with a multiplier of 1
 public:
  std::uint64_t next() override { return 0; }
};

ControlPacket from_peer(State state) {
  ControlPacket packet;
  packet.state = state;
  packet.my_discriminator = 77;
  packet.your_discriminator = 5;
  packet.transmit_min = packet.receive_min = milliseconds(300);
  return packet;
}

// One session with time that its timers move.
struct Machine {
  Fixed random;
  TimePoint now{};
  Session session;
  std::vector<ControlPacket> sent;
  std::vector<StateChange> changes;

  explicit Machine(SessionConfig config = {}) : session(5, config, random, now) {}

  void take(const Outcome& outcome) {
    sent.insert(sent.end(), outcome.packets.begin(), outcome.packets.end());
    if (outcome.change) changes.push_back(*outcome.change);
  }
  void receive(const ControlPacket& packet) { take(session.receive(packet, now)); }
  void advance(Duration duration) {
    const TimePoint end = now + duration;
    while (session.next_deadline() && *session.next_deadline() <= end) {
      now = std::max(now, *session.next_deadline());
      take(session.on_time(now));
    }
    now = end;
  }
  void lead_to(State state) {
    if (state == State::kAdminDown) take(session.set_admin_down(true, now));
    if (state == State::kInit || state == State::kUp) receive(from_peer(State::kDown));
    if (state == State::kUp) receive(from_peer(State::kInit));
    if (state == State::kUp) {  // ends the Poll sequence
      ControlPacket final = from_peer(State::kUp);
      final.final = true;
      receive(final);
    }
    sent.clear();
    changes.clear();
  }
};

// --- states ---

constexpr State kAdminDown = State::kAdminDown;
constexpr State kDown = State::kDown;
constexpr State kInit = State::kInit;
constexpr State kUp = State::kUp;

struct Row {
  State state, received, next;
  Diagnostic diagnostic;
};

// RFC 5880 §6.8.6, all of it.
constexpr Row kRows[] = {
    {kAdminDown, kAdminDown, kAdminDown, Diagnostic::kAdministrativelyDown},
    {kAdminDown, kDown, kAdminDown, Diagnostic::kAdministrativelyDown},
    {kAdminDown, kInit, kAdminDown, Diagnostic::kAdministrativelyDown},
    {kAdminDown, kUp, kAdminDown, Diagnostic::kAdministrativelyDown},
    {kDown, kAdminDown, kDown, Diagnostic::kNone},
    {kDown, kDown, kInit, Diagnostic::kNone},
    {kDown, kInit, kUp, Diagnostic::kNone},
    {kDown, kUp, kDown, Diagnostic::kNone},
    {kInit, kAdminDown, kDown, Diagnostic::kNeighborSignaledDown},
    {kInit, kDown, kInit, Diagnostic::kNone},
    {kInit, kInit, kUp, Diagnostic::kNone},
    {kInit, kUp, kUp, Diagnostic::kNone},
    {kUp, kAdminDown, kDown, Diagnostic::kNeighborSignaledDown},
    {kUp, kDown, kDown, Diagnostic::kNeighborSignaledDown},
    {kUp, kInit, kUp, Diagnostic::kNone},
    {kUp, kUp, kUp, Diagnostic::kNone},
};

TEST(BfdSession, EachStateReceivedInEachState) {
  for (const Row& row : kRows) {
    Machine machine;
    machine.lead_to(row.state);
    ASSERT_EQ(machine.session.state(), row.state);
    machine.receive(from_peer(row.received));
    EXPECT_EQ(machine.session.state(), row.next) << to_string(row.state) << " " << to_string(row.received);
    EXPECT_EQ(machine.session.diagnostic(), row.diagnostic) << to_string(row.state) << " " << to_string(row.received);
    EXPECT_EQ(machine.changes.size(), row.state == row.next ? 0U : 1U);
    EXPECT_EQ(machine.sent.size(), machine.changes.size()) << "a change is told at once (§6.8.7)";
    for (const StateChange& change : machine.changes) EXPECT_EQ(change.remote, row.received);
  }
}

TEST(BfdSession, DetectionTimeIsOfTheLastPacketTimesThePeersMultiplier) {  // RFC 5880 §6.8.4
  for (const State state : {kInit, kUp}) {
    Machine machine;
    machine.lead_to(state);
    ControlPacket packet = from_peer(kUp);
    packet.multiplier = 5;
    packet.transmit_min = milliseconds(400);
    if (state == kInit) packet.state = kDown;
    machine.receive(packet);
    EXPECT_EQ(machine.session.detection_time(), seconds(2));
    machine.advance(milliseconds(1999));
    EXPECT_EQ(machine.session.state(), state);
    machine.sent.clear();
    machine.advance(milliseconds(1));
    EXPECT_EQ(machine.session.state(), kDown);
    EXPECT_EQ(machine.session.diagnostic(), Diagnostic::kDetectionTimeExpired);
    EXPECT_EQ(machine.session.remote_discriminator(), 0U) << "§6.8.1";
    ASSERT_FALSE(machine.sent.empty());
    EXPECT_EQ(machine.sent.back().state, kDown);
    EXPECT_EQ(machine.sent.back().diagnostic, Diagnostic::kDetectionTimeExpired);
    EXPECT_EQ(machine.sent.back().your_discriminator, 0U);
  }
}

TEST(BfdSession, ThePeersDiscriminatorIsForgottenInDownToo) {  // RFC 5880 §6.8.1
  Machine machine;
  machine.receive(from_peer(kUp));
  EXPECT_EQ(machine.session.remote_discriminator(), 77U);
  machine.advance(milliseconds(900));
  EXPECT_EQ(machine.session.remote_discriminator(), 0U);
  EXPECT_TRUE(machine.changes.empty());
}

TEST(BfdSession, AdminDownIsToldAndLastsUntilEnabled) {  // RFC 5880 §6.8.16
  Machine machine;
  machine.lead_to(kUp);
  machine.take(machine.session.set_admin_down(true, machine.now));
  machine.take(machine.session.set_admin_down(true, machine.now));
  ASSERT_EQ(machine.sent.size(), 1U);
  EXPECT_EQ(machine.sent[0].state, kAdminDown);
  EXPECT_EQ(machine.sent[0].diagnostic, Diagnostic::kAdministrativelyDown);
  machine.advance(minutes(1));
  EXPECT_EQ(machine.session.state(), kAdminDown);
  EXPECT_EQ(machine.sent.size(), 61U) << "and goes on saying so, once a second";
  machine.take(machine.session.set_admin_down(false, machine.now));
  EXPECT_EQ(machine.session.state(), kDown);
}

// --- sending ---

TEST(BfdSession, OnePacketASecondUntilUp) {  // RFC 5880 §6.8.3
  Machine machine;
  machine.advance(Duration{});
  machine.advance(seconds(10));
  EXPECT_EQ(machine.sent.size(), 11U);
  for (const ControlPacket& packet : machine.sent) {
    EXPECT_EQ(packet.transmit_min, seconds(1));
    EXPECT_EQ(packet.receive_min, milliseconds(300));
    EXPECT_FALSE(packet.poll);
    EXPECT_FALSE(packet.demand);
    EXPECT_EQ(packet.echo_receive_min, Duration{});
  }
}

TEST(BfdSession, UpBeginsAPollSequenceForTheFastRate) {  // RFC 5880 §6.5, §6.8.3
  Machine machine;
  machine.receive(from_peer(kDown));
  machine.sent.clear();
  machine.receive(from_peer(kInit));
  ASSERT_EQ(machine.sent.size(), 1U);
  EXPECT_TRUE(machine.sent[0].poll);
  EXPECT_EQ(machine.sent[0].transmit_min, milliseconds(300));
  machine.advance(milliseconds(600));
  EXPECT_EQ(machine.sent.size(), 3U) << "at the fast rate already: a shorter interval is no risk";
  EXPECT_TRUE(machine.sent.back().poll) << "until the answer is there";
  ControlPacket final = from_peer(kUp);
  final.final = true;
  machine.receive(final);
  machine.advance(milliseconds(300));
  EXPECT_FALSE(machine.sent.back().poll);
}

TEST(BfdSession, APollIsAnsweredAtOnceWithoutPoll) {  // RFC 5880 §6.5
  Machine machine;
  machine.lead_to(kUp);
  ControlPacket poll = from_peer(kUp);
  poll.poll = true;
  machine.receive(poll);
  ASSERT_EQ(machine.sent.size(), 1U);
  EXPECT_TRUE(machine.sent[0].final);
  EXPECT_FALSE(machine.sent[0].poll);
  machine.lead_to(kAdminDown);
  machine.receive(poll);
  EXPECT_TRUE(machine.sent.empty()) << "what arrives in AdminDown is discarded";
}

TEST(BfdSession, ALongerTransmitIntervalWaitsForThePeersAnswer) {  // RFC 5880 §6.8.3
  Machine machine;
  machine.lead_to(kUp);
  SessionConfig slow;
  slow.transmit_min = milliseconds(900);
  machine.take(machine.session.set_config(slow, machine.now));
  EXPECT_TRUE(machine.sent.back().poll);
  EXPECT_EQ(machine.sent.back().transmit_min, milliseconds(900));
  EXPECT_EQ(machine.session.transmit_interval(), milliseconds(300));
  ControlPacket final = from_peer(kUp);
  final.final = true;
  machine.receive(final);
  EXPECT_EQ(machine.session.transmit_interval(), milliseconds(900));
}

TEST(BfdSession, AShorterReceiveIntervalCountsFromThePeersAnswerOn) {  // RFC 5880 §6.8.3
  Machine machine;
  machine.lead_to(kUp);
  SessionConfig fast;
  fast.transmit_min = fast.receive_min = milliseconds(50);
  machine.take(machine.session.set_config(fast, machine.now));
  EXPECT_EQ(machine.session.detection_time(), milliseconds(900));
  ControlPacket final = from_peer(kUp);
  final.final = true;
  final.transmit_min = milliseconds(50);
  machine.receive(final);
  EXPECT_EQ(machine.session.detection_time(), milliseconds(150));
  EXPECT_EQ(machine.session.state(), kUp);
}

TEST(BfdSession, APeerThatWantsNothingGetsNothing) {  // RFC 5880 §6.8.1, §6.8.7
  Machine machine;
  machine.lead_to(kUp);
  ControlPacket silence = from_peer(kUp);
  silence.receive_min = Duration{};
  machine.receive(silence);
  machine.advance(milliseconds(899));
  EXPECT_TRUE(machine.sent.empty());
  machine.advance(seconds(5));
  EXPECT_FALSE(machine.sent.empty()) << "it is gone: a new one may want something";
}

TEST(BfdSession, APeerInDemandModeGetsNothingPeriodicWhileBothAreUp) {  // RFC 5880 §6.6, §6.8.6
  Machine machine;
  machine.lead_to(kUp);
  ControlPacket demand = from_peer(kUp);
  demand.demand = true;
  for (int i = 0; i < 10; ++i) {
    machine.receive(demand);
    machine.advance(milliseconds(300));
  }
  EXPECT_TRUE(machine.sent.empty());
  demand.poll = true;
  machine.receive(demand);
  ASSERT_EQ(machine.sent.size(), 1U);
  EXPECT_TRUE(machine.sent[0].final);
  EXPECT_FALSE(machine.sent[0].demand);
}

TEST(BfdSession, SlowPeersAreSentToSlowly) {  // RFC 5880 §6.8.2
  Machine machine;
  machine.lead_to(kUp);
  ControlPacket packet = from_peer(kUp);
  packet.receive_min = milliseconds(700);
  machine.receive(packet);
  EXPECT_EQ(machine.session.transmit_interval(), milliseconds(700));
  packet.receive_min = milliseconds(10);
  machine.receive(packet);
  EXPECT_EQ(machine.session.transmit_interval(), milliseconds(300));
}

TEST(BfdSession, JitterIsAsTheRfcSays) {  // RFC 5880 §6.8.7
  for (const int multiplier : {1, 3}) {
    SeededRandom random(9);
    SessionConfig config;
    config.multiplier = static_cast<std::uint8_t>(multiplier);
    Session session(5, config, random, {});
    TimePoint now{};
    Duration least = seconds(9);
    Duration most{};
    (void)session.on_time(now);
    for (int i = 0; i < 2000; ++i) {
      const TimePoint next = *session.next_deadline();
      least = std::min(least, next - now);
      most = std::max(most, next - now);
      (void)session.on_time(now = next);
    }
    EXPECT_GE(least, milliseconds(750));
    EXPECT_LT(least, milliseconds(755));
    EXPECT_LE(most, milliseconds(multiplier == 1 ? 900 : 1000));
    EXPECT_GT(most, milliseconds(multiplier == 1 ? 895 : 990));
  }
}

// --- two of them ---

struct Pair {
  SeededRandom random;
  std::uint64_t loss_percent = 0;
  bool is_cut = false;
  TimePoint now{};
  std::vector<Session> sides;
  std::multimap<TimePoint, std::pair<std::size_t, ControlPacket>> under_way;
  std::array<TimePoint, 2> last_arrival{};
  std::array<std::vector<std::pair<TimePoint, StateChange>>, 2> changes;

  explicit Pair(std::uint64_t seed, SessionConfig a = {}, SessionConfig b = {}) : random(seed) {
    sides.emplace_back(1U, a, random, now);
    sides.emplace_back(2U, b, random, now);
  }
  void take(std::size_t side, const Outcome& outcome) {
    if (outcome.change) changes[side].emplace_back(now, *outcome.change);
    for (const ControlPacket& packet : outcome.packets) {
      if (is_cut || random.below(100) < loss_percent) continue;
      TimePoint& arrival = last_arrival[side];  // a link keeps the order
      arrival = std::max(arrival, now + milliseconds(random.below(20)));
      under_way.emplace(arrival, std::pair(1 - side, packet));
    }
  }
  void advance(Duration duration) {
    const TimePoint end = now + duration;
    while (true) {
      TimePoint next = end;
      for (const Session& side : sides) next = std::min(next, side.next_deadline().value_or(end));
      if (!under_way.empty()) next = std::min(next, under_way.begin()->first);
      if (next >= end) break;
      now = std::max(now, next);
      if (!under_way.empty() && under_way.begin()->first <= now) {
        const auto [side, packet] = under_way.begin()->second;
        under_way.erase(under_way.begin());
        take(side, sides[side].receive(packet, now));
        continue;
      }
      for (const std::size_t side : {0U, 1U}) {
        if (sides[side].next_deadline() <= now) take(side, sides[side].on_time(now));
      }
    }
    now = end;
  }
  [[nodiscard]] bool is_up() const { return sides[0].state() == kUp && sides[1].state() == kUp; }
};

TEST(BfdPair, ComesUpWithinSecondsAndStays) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Pair pair(seed);
    pair.advance(seconds(3));
    ASSERT_TRUE(pair.is_up()) << seed;
    pair.advance(minutes(3));
    EXPECT_TRUE(pair.is_up()) << seed;
    for (const std::size_t side : {0U, 1U}) {
      EXPECT_LE(pair.changes[side].size(), 2U) << "no flap, seed " << seed;
      EXPECT_EQ(pair.sides[side].detection_time(), milliseconds(900));
      EXPECT_EQ(pair.sides[side].transmit_interval(), milliseconds(300));
    }
  }
}

TEST(BfdPair, ACutIsSeenWithinTheDetectionTime) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Pair pair(seed);
    pair.advance(seconds(10) + milliseconds(seed * 7));
    ASSERT_TRUE(pair.is_up());
    pair.is_cut = true;
    const TimePoint cut = pair.now;
    pair.advance(seconds(2));
    for (const std::size_t side : {0U, 1U}) {
      const auto& [time, change] = pair.changes[side].back();
      EXPECT_EQ(change.to, kDown);
      EXPECT_EQ(change.diagnostic, Diagnostic::kDetectionTimeExpired);
      EXPECT_LE(time - cut, milliseconds(920)) << "three intervals, and what was under way";
    }
    pair.is_cut = false;
    pair.advance(seconds(4));
    EXPECT_TRUE(pair.is_up()) << "and it comes back, seed " << seed;
  }
}

TEST(BfdPair, ComesUpThroughLoss) {
  int flaps = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Pair pair(seed);
    pair.loss_percent = 30;
    pair.advance(minutes(5));
    pair.loss_percent = 0;
    pair.advance(seconds(10));
    EXPECT_TRUE(pair.is_up()) << seed;
    flaps += static_cast<int>(pair.changes[0].size());
  }
  EXPECT_GT(flaps, 150) << "the loss was real";
}

TEST(BfdPair, OneSidedLossIsToldByTheOtherSide) {  // RFC 5880 §6.8.6: Down received in Up
  Pair pair(3);
  pair.advance(seconds(5));
  ASSERT_TRUE(pair.is_up());
  // Side 1 hears nothing any more; side 0 hears everything.
  const TimePoint begin = pair.now;
  while (pair.sides[0].state() == kUp && pair.now - begin < seconds(5)) {
    std::erase_if(pair.under_way, [](const auto& entry) { return entry.second.first == 1; });
    pair.advance(milliseconds(1));
  }
  EXPECT_EQ(pair.sides[0].diagnostic(), Diagnostic::kNeighborSignaledDown);
  EXPECT_LT(pair.now - begin, seconds(1));
}

TEST(BfdPair, IntervalsChangeWithoutAFlap) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Pair pair(seed);
    pair.advance(seconds(5));
    const std::size_t before = pair.changes[0].size() + pair.changes[1].size();
    SeededRandom random(seed);
    for (int i = 0; i < 20; ++i) {
      SessionConfig config;
      config.transmit_min = milliseconds(50 + random.below(2000));
      config.receive_min = milliseconds(50 + random.below(2000));
      const auto side = static_cast<std::size_t>(random.below(2));
      pair.take(side, pair.sides[side].set_config(config, pair.now));
      pair.advance(milliseconds(random.below(5000)));
    }
    EXPECT_TRUE(pair.is_up()) << seed;
    EXPECT_EQ(pair.changes[0].size() + pair.changes[1].size(), before) << seed;
  }
}

}  // namespace
}  // namespace margay::bgp::bfd
