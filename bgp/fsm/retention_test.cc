// What keeps routes (RFC 4724 §4.2, RFC 8538), and what is said on leaving.
#include "bgp/fsm/retention.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "bgp/fsm/harness.h"

namespace margay::bgp::fsm {
namespace {

using namespace std::string_literals;

enum class Restart { kNone, kPlain, kWithN };

PeerConfig config_with(Restart restart) {
  PeerConfig config = external_config();
  if (restart == Restart::kNone) return config;
  config.capabilities.graceful_restart = GracefulRestart{};
  config.capabilities.graceful_restart->notification = restart == Restart::kWithN;
  config.capabilities.graceful_restart->forwarding[kIpv4] = true;
  return config;
}

struct Loss {
  std::string_view name;
  Input input;
  Restart least;  // what both sides must have for routes to be kept
  bool is_ever_kept = true;
};

const Loss kLosses[] = {
    {"RFC 4724 §4.2: connection lost", Closed{1, "reset"}, Restart::kPlain},
    {"RFC 8538 §4: NOTIFICATION received", NotificationReceived{1, {6, 4, {}}}, Restart::kWithN},
    {"RFC 8538 §4: NOTIFICATION received, no Cease", NotificationReceived{1, {3, 1, {}}}, Restart::kWithN},
    {"RFC 8538 §3.1: Hard Reset received", NotificationReceived{1, {6, 9, "\6\2"}}, Restart::kWithN, false},
    {"RFC 8538 §4: NOTIFICATION sent", BadMessage{1, {{3, 1, {}}, "UPDATE"}}, Restart::kWithN},
    {"RFC 8538 §4: FSM error", OpenReceived{1, {}}, Restart::kWithN},
    {"RFC 8538 §4: reset by us", Reset{{6, 4, {}}}, Restart::kWithN},
    {"RFC 8538 §3.1: Hard Reset by us", Reset{{6, 9, "\6\4"}}, Restart::kWithN, false},
    {"stopped by us", Stop{{6, 4, {}}}, Restart::kWithN, false},
};

TEST(Retention, RoutesAreKeptAsTheRfcsSay) {
  for (const Loss& test : kLosses) {
    for (const Restart restart : {Restart::kNone, Restart::kPlain, Restart::kWithN}) {
      Harness peer(config_with(restart));
      establish(peer, open_of_peer(config_with(restart)));
      peer.step(test.input);
      ASSERT_TRUE(peer.peer().last_error()) << test.name;
      EXPECT_EQ(peer.peer().last_error()->keeps_routes, test.is_ever_kept && restart >= test.least) << test.name;
    }
  }
}

TEST(Retention, HoldTimeExpiryKeepsThemWithTheNBit) {  // RFC 8538 §4
  for (const Restart restart : {Restart::kNone, Restart::kPlain, Restart::kWithN}) {
    Harness peer(config_with(restart));
    establish(peer, open_of_peer(config_with(restart)));
    peer.advance(std::chrono::seconds(90));
    ASSERT_EQ(peer.state(), State::kIdle);
    EXPECT_EQ(peer.peer().last_error()->keeps_routes, restart == Restart::kWithN);
  }
}

TEST(Retention, NothingIsKeptWithoutFamilies) {  // RFC 4724 §3, RFC 9494 §4.2
  Open open = open_of_peer(config_with(Restart::kPlain));
  open.capabilities.graceful_restart->forwarding.clear();
  PeerConfig config = config_with(Restart::kPlain);
  config.capabilities.long_lived[kIpv4] = {};
  for (const bool is_long_lived : {false, true}) {
    if (is_long_lived) open.capabilities.long_lived[kIpv4] = {.forwarding = false, .stale_time_s = 10};
    Harness peer(config);
    establish(peer, open);
    peer.step(Closed{1, "reset"});
    EXPECT_EQ(peer.peer().last_error()->keeps_routes, is_long_lived);
  }
}

TEST(Retention, AttemptsKeepNothing) {
  Harness peer(config_with(Restart::kWithN));
  peer.step(Start{});
  peer.step(Connected{1});
  peer.step(OpenReceived{1, open_of_peer(config_with(Restart::kWithN))});
  peer.step(Closed{1, "reset"});
  EXPECT_FALSE(peer.peer().last_error()->keeps_routes);
}

// --- what is sent ---

Notification sent_for(Restart restart, const Input& input) {
  Harness peer(config_with(restart));
  establish(peer, open_of_peer(config_with(restart)));
  for (const Output& output : peer.step(input)) {
    const auto* send = std::get_if<Send>(&output);
    if (send != nullptr && std::holds_alternative<Notification>(send->message)) {
      return std::get<Notification>(send->message);
    }
  }
  return {};
}

TEST(Farewell, WhatEndsThePeeringForGoodIsAHardResetWithTheNBit) {  // RFC 8538 §3.1, §4
  for (const std::uint8_t subcode : std::initializer_list<std::uint8_t>{1, 2, 3}) {
    const Notification reason{6, subcode, "\5hello"};
    EXPECT_EQ(sent_for(Restart::kPlain, Stop{reason}), reason);
    const std::string data = "\6"s + static_cast<char>(subcode) + "\5hello";
    EXPECT_EQ(sent_for(Restart::kWithN, Stop{reason}), (Notification{6, 9, data}));
    EXPECT_EQ(sent_for(Restart::kWithN, Reset{reason}), (Notification{6, 9, data}));
  }
  const Notification reset{6, 4, {}};
  EXPECT_EQ(sent_for(Restart::kWithN, Reset{reset}), reset);
}

TEST(Farewell, NoHardResetWithoutTheNBit) {  // RFC 8538 §3.1
  const Notification inner{6, 10, "x"};
  EXPECT_EQ(hard_reset(inner), (Notification{6, 9, "\6\12x"}));
  EXPECT_EQ(hard_reset(hard_reset(inner)), hard_reset(inner));
  EXPECT_EQ(sent_for(Restart::kPlain, Reset{hard_reset(inner)}), inner);
  EXPECT_EQ(sent_for(Restart::kWithN, Reset{hard_reset(inner)}), hard_reset(inner));
  EXPECT_EQ(sent_for(Restart::kPlain, Reset{{6, 9, "\6"}}), (Notification{6, 9, "\6"})) << "nothing to unwrap";
}

}  // namespace
}  // namespace margay::bgp::fsm
