// What each state makes of each event: RFC 4271 §8.2.2, with RFC 6608 for messages out of place.
//
// The column of events has the numbers of RFC 4271 §8.1. Where a row differs from the letter of the RFC, the header of
// peer.h says why. Connection #1 is ours, #2 the peer's.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "bgp/fsm/harness.h"

namespace margay::bgp::fsm {
namespace {

const Notification kShutdown = {6, 2, {}};

// Ends in the state named, with what led there forgotten.
void lead_to(Harness& peer, std::string_view state) {
  if (state == "Stopped") return;
  if (state == "Connect" || state == "Active" || state == "OpenSent" || state == "OpenConfirm") peer.step(Start{});
  if (state == "Active") peer.step(ConnectFailed{1, "refused"});
  if (state == "OpenSent" || state == "OpenConfirm") peer.step(Connected{1});
  if (state == "OpenConfirm") peer.step(OpenReceived{1, open_of_peer(external_config())});
  if (state == "Established" || state == "IdleHold") establish(peer, open_of_peer(external_config()));
  if (state == "IdleHold") peer.step(BadMessage{1, {{3, 1, {}}, "UPDATE: nonsense"}});
  peer.take_log();
}

// What happens to connection #1, or to the peer as a whole.
void apply(Harness& peer, std::string_view event) {
  const auto timer = [&](TimerKind kind) {
    const std::optional<TimePoint> deadline = peer.deadline(kind);
    peer.set_now(deadline.value_or(peer.now()));
    peer.fire(kind);
  };
  const std::map<std::string_view, std::function<void()>> events = {
      {"1 Start", [&] { peer.step(Start{}); }},
      {"2 Stop", [&] { peer.step(Stop{kShutdown}); }},
      {"8 Reset",
       [&] {
         peer.step(Reset{{6, 4, {}}});
       }},
      {"9 ConnectRetryTimer", [&] { timer(TimerKind::kConnectRetry); }},
      {"10 HoldTimer", [&] { timer(TimerKind::kOutgoingHold); }},
      {"11 KeepaliveTimer", [&] { timer(TimerKind::kKeepalive); }},
      {"13 IdleHoldTimer", [&] { timer(TimerKind::kIdleHold); }},
      {"16 Connected", [&] { peer.step(Connected{1}); }},
      {"17 Accepted", [&] { peer.accept(); }},
      {"18 ConnectFailed",
       [&] {
         peer.step(ConnectFailed{1, "refused"});
       }},
      {"18 Closed",
       [&] {
         peer.step(Closed{1, "reset"});
       }},
      {"19 OPEN",
       [&] {
         peer.step(OpenReceived{1, open_of_peer(external_config())});
       }},
      {"21 HeaderErr",
       [&] {
         peer.step(BadMessage{1, {{1, 1, {}}, "header: marker"}});
       }},
      {"22 OpenMsgErr",
       [&] {
         peer.step(BadMessage{1, {{2, 1, {}}, "OPEN: version"}});
       }},
      {"24 NotifMsgVerErr",
       [&] {
         peer.step(NotificationReceived{1, {2, 1, {}}});
       }},
      {"25 NotifMsg",
       [&] {
         peer.step(NotificationReceived{1, {6, 2, {}}});
       }},
      {"26 KEEPALIVE", [&] { peer.step(KeepaliveReceived{1}); }},
      {"27 UPDATE",
       [&] {
         peer.step(DataReceived{1, MessageType::kUpdate});
       }},
      {"27 ROUTE-REFRESH",
       [&] {
         peer.step(DataReceived{1, MessageType::kRouteRefresh});
       }},
      {"28 UpdateMsgErr",
       [&] {
         peer.step(BadMessage{1, {{3, 1, {}}, "UPDATE: attributes"}});
       }},
      {"29 SendHoldTimer", [&] { timer(TimerKind::kSendHold); }},
  };
  events.at(event)();
}

struct Row {
  std::string_view state, event, outputs, next;
};

constexpr Row kRows[] = {
    // clang-format off
    {"Stopped", "1 Start", "Connect #1; Arm ConnectRetry 5.0 s", "Connect"},
    {"Stopped", "2 Stop", "", "Idle"},
    {"Stopped", "8 Reset", "", "Idle"},
    {"Stopped", "9 ConnectRetryTimer", "", "Idle"},
    {"Stopped", "10 HoldTimer", "", "Idle"},
    {"Stopped", "11 KeepaliveTimer", "", "Idle"},
    {"Stopped", "13 IdleHoldTimer", "", "Idle"},
    {"Stopped", "16 Connected", "", "Idle"},
    {"Stopped", "17 Accepted", "Close #1", "Idle"},
    {"Stopped", "18 ConnectFailed", "", "Idle"},
    {"Stopped", "18 Closed", "", "Idle"},
    {"Stopped", "19 OPEN", "", "Idle"},
    {"Stopped", "21 HeaderErr", "", "Idle"},
    {"Stopped", "22 OpenMsgErr", "", "Idle"},
    {"Stopped", "24 NotifMsgVerErr", "", "Idle"},
    {"Stopped", "25 NotifMsg", "", "Idle"},
    {"Stopped", "26 KEEPALIVE", "", "Idle"},
    {"Stopped", "27 UPDATE", "", "Idle"},
    {"Stopped", "27 ROUTE-REFRESH", "", "Idle"},
    {"Stopped", "28 UpdateMsgErr", "", "Idle"},
    {"Stopped", "29 SendHoldTimer", "", "Idle"},
    {"IdleHold", "1 Start", "Disarm IdleHold; Connect #2; Arm ConnectRetry 5.0 s", "Connect"},
    {"IdleHold", "2 Stop", "Disarm IdleHold", "Idle"},
    {"IdleHold", "8 Reset", "Disarm IdleHold; Connect #2; Arm ConnectRetry 5.0 s", "Connect"},
    {"IdleHold", "9 ConnectRetryTimer", "", "Idle"},
    {"IdleHold", "10 HoldTimer", "", "Idle"},
    {"IdleHold", "11 KeepaliveTimer", "", "Idle"},
    {"IdleHold", "13 IdleHoldTimer", "Connect #2; Arm ConnectRetry 5.0 s", "Connect"},
    {"IdleHold", "16 Connected", "", "Idle"},
    {"IdleHold", "17 Accepted", "Disarm IdleHold; Send #2 OPEN AS 64512 hold 90; Arm IncomingHold 240.0 s; Arm ConnectRetry 5.0 s", "OpenSent"},
    {"IdleHold", "18 ConnectFailed", "", "Idle"},
    {"IdleHold", "18 Closed", "", "Idle"},
    {"IdleHold", "19 OPEN", "", "Idle"},
    {"IdleHold", "21 HeaderErr", "", "Idle"},
    {"IdleHold", "22 OpenMsgErr", "", "Idle"},
    {"IdleHold", "24 NotifMsgVerErr", "", "Idle"},
    {"IdleHold", "25 NotifMsg", "", "Idle"},
    {"IdleHold", "26 KEEPALIVE", "", "Idle"},
    {"IdleHold", "27 UPDATE", "", "Idle"},
    {"IdleHold", "27 ROUTE-REFRESH", "", "Idle"},
    {"IdleHold", "28 UpdateMsgErr", "", "Idle"},
    {"IdleHold", "29 SendHoldTimer", "", "Idle"},
    {"Connect", "1 Start", "", "Connect"},
    {"Connect", "2 Stop", "Close #1; Disarm ConnectRetry", "Idle"},
    {"Connect", "8 Reset", "Close #1; Disarm ConnectRetry; Connect #2; Arm ConnectRetry 5.0 s", "Connect"},
    {"Connect", "9 ConnectRetryTimer", "Close #1; AttemptFailed (no answer); Connect #2; Arm ConnectRetry 5.0 s", "Connect"},
    {"Connect", "10 HoldTimer", "", "Connect"},
    {"Connect", "11 KeepaliveTimer", "", "Connect"},
    {"Connect", "13 IdleHoldTimer", "", "Connect"},
    {"Connect", "16 Connected", "Disarm ConnectRetry; Send #1 OPEN AS 64512 hold 90; Arm OutgoingHold 240.0 s", "OpenSent"},
    {"Connect", "17 Accepted", "Send #2 OPEN AS 64512 hold 90; Arm IncomingHold 240.0 s", "OpenSent"},
    {"Connect", "18 ConnectFailed", "AttemptFailed (refused)", "Active"},
    {"Connect", "18 Closed", "AttemptFailed (reset)", "Active"},
    {"Connect", "19 OPEN", "", "Connect"},
    {"Connect", "21 HeaderErr", "", "Connect"},
    {"Connect", "22 OpenMsgErr", "", "Connect"},
    {"Connect", "24 NotifMsgVerErr", "", "Connect"},
    {"Connect", "25 NotifMsg", "", "Connect"},
    {"Connect", "26 KEEPALIVE", "", "Connect"},
    {"Connect", "27 UPDATE", "", "Connect"},
    {"Connect", "27 ROUTE-REFRESH", "", "Connect"},
    {"Connect", "28 UpdateMsgErr", "", "Connect"},
    {"Connect", "29 SendHoldTimer", "", "Connect"},
    {"Active", "1 Start", "", "Active"},
    {"Active", "2 Stop", "Disarm ConnectRetry", "Idle"},
    {"Active", "8 Reset", "Disarm ConnectRetry; Connect #2; Arm ConnectRetry 5.0 s", "Connect"},
    {"Active", "9 ConnectRetryTimer", "Connect #2; Arm ConnectRetry 5.0 s", "Connect"},
    {"Active", "10 HoldTimer", "", "Active"},
    {"Active", "11 KeepaliveTimer", "", "Active"},
    {"Active", "13 IdleHoldTimer", "", "Active"},
    {"Active", "16 Connected", "", "Active"},
    {"Active", "17 Accepted", "Send #2 OPEN AS 64512 hold 90; Arm IncomingHold 240.0 s", "OpenSent"},
    {"Active", "18 ConnectFailed", "", "Active"},
    {"Active", "18 Closed", "", "Active"},
    {"Active", "19 OPEN", "", "Active"},
    {"Active", "21 HeaderErr", "", "Active"},
    {"Active", "22 OpenMsgErr", "", "Active"},
    {"Active", "24 NotifMsgVerErr", "", "Active"},
    {"Active", "25 NotifMsg", "", "Active"},
    {"Active", "26 KEEPALIVE", "", "Active"},
    {"Active", "27 UPDATE", "", "Active"},
    {"Active", "27 ROUTE-REFRESH", "", "Active"},
    {"Active", "28 UpdateMsgErr", "", "Active"},
    {"Active", "29 SendHoldTimer", "", "Active"},
    {"OpenSent", "1 Start", "", "OpenSent"},
    {"OpenSent", "2 Stop", "Send #1 NOTIFICATION 6/2; Close #1; Disarm OutgoingHold", "Idle"},
    {"OpenSent", "8 Reset", "Send #1 NOTIFICATION 6/4; Close #1; Disarm OutgoingHold; Connect #2; Arm ConnectRetry 5.0 s", "Connect"},
    {"OpenSent", "9 ConnectRetryTimer", "", "OpenSent"},
    {"OpenSent", "10 HoldTimer", "Send #1 NOTIFICATION 4/0; Close #1; AttemptFailed (hold time of 240 s expired in OpenSent); Arm IdleHold 1.0 s", "Idle"},
    {"OpenSent", "11 KeepaliveTimer", "", "OpenSent"},
    {"OpenSent", "13 IdleHoldTimer", "", "OpenSent"},
    {"OpenSent", "16 Connected", "", "OpenSent"},
    {"OpenSent", "17 Accepted", "Send #2 OPEN AS 64512 hold 90; Arm IncomingHold 240.0 s", "OpenSent"},
    {"OpenSent", "18 ConnectFailed", "", "OpenSent"},
    {"OpenSent", "18 Closed", "Disarm OutgoingHold; AttemptFailed (connection closed: reset); Arm ConnectRetry 5.0 s", "Active"},
    {"OpenSent", "19 OPEN", "Send #1 KEEPALIVE; Arm Keepalive 30.0 s; Arm OutgoingHold 90.0 s", "OpenConfirm"},
    {"OpenSent", "21 HeaderErr", "Send #1 NOTIFICATION 1/1; Close #1; Disarm OutgoingHold; AttemptFailed (header: marker); Arm IdleHold 1.0 s", "Idle"},
    {"OpenSent", "22 OpenMsgErr", "Send #1 NOTIFICATION 2/1; Close #1; Disarm OutgoingHold; AttemptFailed (OPEN: version); Arm IdleHold 1.0 s", "Idle"},
    {"OpenSent", "24 NotifMsgVerErr", "Close #1; Disarm OutgoingHold; AttemptFailed (received OPEN Message Error/Unsupported Version Number); Arm IdleHold 1.0 s", "Idle"},
    {"OpenSent", "25 NotifMsg", "Close #1; Disarm OutgoingHold; AttemptFailed (received Cease/Administrative Shutdown); Arm IdleHold 1.0 s", "Idle"},
    {"OpenSent", "26 KEEPALIVE", "Send #1 NOTIFICATION 5/1; Close #1; Disarm OutgoingHold; AttemptFailed (KEEPALIVE received in OpenSent); Arm IdleHold 1.0 s", "Idle"},
    {"OpenSent", "27 UPDATE", "Send #1 NOTIFICATION 5/1; Close #1; Disarm OutgoingHold; AttemptFailed (UPDATE received in OpenSent); Arm IdleHold 1.0 s", "Idle"},
    {"OpenSent", "27 ROUTE-REFRESH", "Send #1 NOTIFICATION 5/1; Close #1; Disarm OutgoingHold; AttemptFailed (ROUTE-REFRESH received in OpenSent); Arm IdleHold 1.0 s", "Idle"},
    {"OpenSent", "28 UpdateMsgErr", "Send #1 NOTIFICATION 5/1; Close #1; Disarm OutgoingHold; AttemptFailed (UPDATE received in OpenSent); Arm IdleHold 1.0 s", "Idle"},
    {"OpenSent", "29 SendHoldTimer", "", "OpenSent"},
    {"OpenConfirm", "1 Start", "", "OpenConfirm"},
    {"OpenConfirm", "2 Stop", "Send #1 NOTIFICATION 6/2; Close #1; Disarm OutgoingHold; Disarm Keepalive", "Idle"},
    {"OpenConfirm", "8 Reset", "Send #1 NOTIFICATION 6/4; Close #1; Disarm OutgoingHold; Disarm Keepalive; Connect #2; Arm ConnectRetry 5.0 s", "Connect"},
    {"OpenConfirm", "9 ConnectRetryTimer", "", "OpenConfirm"},
    {"OpenConfirm", "10 HoldTimer", "Send #1 NOTIFICATION 4/0; Close #1; Disarm Keepalive; AttemptFailed (hold time of 90 s expired in OpenConfirm); Arm IdleHold 1.0 s", "Idle"},
    {"OpenConfirm", "11 KeepaliveTimer", "Send #1 KEEPALIVE; Arm Keepalive 30.0 s", "OpenConfirm"},
    {"OpenConfirm", "13 IdleHoldTimer", "", "OpenConfirm"},
    {"OpenConfirm", "16 Connected", "", "OpenConfirm"},
    {"OpenConfirm", "17 Accepted", "Send #2 OPEN AS 64512 hold 90; Arm IncomingHold 240.0 s", "OpenConfirm"},
    {"OpenConfirm", "18 ConnectFailed", "", "OpenConfirm"},
    {"OpenConfirm", "18 Closed", "Disarm OutgoingHold; Disarm Keepalive; AttemptFailed (connection closed: reset); Arm IdleHold 1.0 s", "Idle"},
    {"OpenConfirm", "19 OPEN", "Send #1 NOTIFICATION 5/2; Close #1; Disarm OutgoingHold; Disarm Keepalive; AttemptFailed (OPEN received in OpenConfirm); Arm IdleHold 1.0 s", "Idle"},
    {"OpenConfirm", "21 HeaderErr", "Send #1 NOTIFICATION 1/1; Close #1; Disarm OutgoingHold; Disarm Keepalive; AttemptFailed (header: marker); Arm IdleHold 1.0 s", "Idle"},
    {"OpenConfirm", "22 OpenMsgErr", "Send #1 NOTIFICATION 2/1; Close #1; Disarm OutgoingHold; Disarm Keepalive; AttemptFailed (OPEN: version); Arm IdleHold 1.0 s", "Idle"},
    {"OpenConfirm", "24 NotifMsgVerErr", "Close #1; Disarm OutgoingHold; Disarm Keepalive; AttemptFailed (received OPEN Message Error/Unsupported Version Number); Arm IdleHold 1.0 s", "Idle"},
    {"OpenConfirm", "25 NotifMsg", "Close #1; Disarm OutgoingHold; Disarm Keepalive; AttemptFailed (received Cease/Administrative Shutdown); Arm IdleHold 1.0 s", "Idle"},
    {"OpenConfirm", "26 KEEPALIVE", "SessionUp #1", "Established"},
    {"OpenConfirm", "27 UPDATE", "Send #1 NOTIFICATION 5/2; Close #1; Disarm OutgoingHold; Disarm Keepalive; AttemptFailed (UPDATE received in OpenConfirm); Arm IdleHold 1.0 s", "Idle"},
    {"OpenConfirm", "27 ROUTE-REFRESH", "Send #1 NOTIFICATION 5/2; Close #1; Disarm OutgoingHold; Disarm Keepalive; AttemptFailed (ROUTE-REFRESH received in OpenConfirm); Arm IdleHold 1.0 s", "Idle"},
    {"OpenConfirm", "28 UpdateMsgErr", "Send #1 NOTIFICATION 5/2; Close #1; Disarm OutgoingHold; Disarm Keepalive; AttemptFailed (UPDATE received in OpenConfirm); Arm IdleHold 1.0 s", "Idle"},
    {"OpenConfirm", "29 SendHoldTimer", "", "OpenConfirm"},
    {"Established", "1 Start", "", "Established"},
    {"Established", "2 Stop", "Send #1 NOTIFICATION 6/2; Close #1; Disarm OutgoingHold; Disarm Keepalive; SessionDown #1 (administratively stopped)", "Idle"},
    {"Established", "8 Reset", "Send #1 NOTIFICATION 6/4; Close #1; Disarm OutgoingHold; Disarm Keepalive; SessionDown #1 (reset); Connect #2; Arm ConnectRetry 5.0 s", "Connect"},
    {"Established", "9 ConnectRetryTimer", "", "Established"},
    {"Established", "10 HoldTimer", "Send #1 NOTIFICATION 4/0; Close #1; Disarm Keepalive; SessionDown #1 (hold time of 90 s expired in Established); Arm IdleHold 1.0 s", "Idle"},
    {"Established", "11 KeepaliveTimer", "Send #1 KEEPALIVE; Arm Keepalive 30.0 s", "Established"},
    {"Established", "13 IdleHoldTimer", "", "Established"},
    {"Established", "16 Connected", "", "Established"},
    {"Established", "17 Accepted", "Send #2 OPEN AS 64512 hold 90; Arm IncomingHold 240.0 s", "Established"},
    {"Established", "18 ConnectFailed", "", "Established"},
    {"Established", "18 Closed", "Disarm OutgoingHold; Disarm Keepalive; SessionDown #1 (connection closed: reset); Arm IdleHold 1.0 s", "Idle"},
    {"Established", "19 OPEN", "Send #1 NOTIFICATION 5/3; Close #1; Disarm OutgoingHold; Disarm Keepalive; SessionDown #1 (OPEN received in Established); Arm IdleHold 1.0 s", "Idle"},
    {"Established", "21 HeaderErr", "Send #1 NOTIFICATION 1/1; Close #1; Disarm OutgoingHold; Disarm Keepalive; SessionDown #1 (header: marker); Arm IdleHold 1.0 s", "Idle"},
    {"Established", "22 OpenMsgErr", "Send #1 NOTIFICATION 5/3; Close #1; Disarm OutgoingHold; Disarm Keepalive; SessionDown #1 (OPEN received in Established); Arm IdleHold 1.0 s", "Idle"},
    {"Established", "24 NotifMsgVerErr", "Close #1; Disarm OutgoingHold; Disarm Keepalive; SessionDown #1 (received OPEN Message Error/Unsupported Version Number); Arm IdleHold 1.0 s", "Idle"},
    {"Established", "25 NotifMsg", "Close #1; Disarm OutgoingHold; Disarm Keepalive; SessionDown #1 (received Cease/Administrative Shutdown); Arm IdleHold 1.0 s", "Idle"},
    {"Established", "26 KEEPALIVE", "", "Established"},
    {"Established", "27 UPDATE", "", "Established"},
    {"Established", "27 ROUTE-REFRESH", "", "Established"},
    {"Established", "28 UpdateMsgErr", "Send #1 NOTIFICATION 3/1; Close #1; Disarm OutgoingHold; Disarm Keepalive; SessionDown #1 (UPDATE: attributes); Arm IdleHold 1.0 s", "Idle"},
    {"Established", "29 SendHoldTimer", "", "Established"},
    // clang-format on
};

TEST(States, EachEventInEachState) {
  for (const Row& row : kRows) {
    Harness peer(external_config());
    lead_to(peer, row.state);
    apply(peer, row.event);
    EXPECT_EQ(peer.take_outputs(), row.outputs) << row.state << ", " << row.event;
    EXPECT_EQ(to_string(peer.state()), row.next) << row.state << ", " << row.event;
  }
}

}  // namespace
}  // namespace margay::bgp::fsm
