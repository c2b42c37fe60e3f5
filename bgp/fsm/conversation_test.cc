// Whole conversations, as people read them.
#include <gtest/gtest.h>

#include <chrono>

#include "bgp/fsm/harness.h"
#include "bgp/fsm/negotiate.h"
#include "bgp/fsm/retention.h"

namespace margay::bgp::fsm {
namespace {

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

}  // namespace
}  // namespace margay::bgp::fsm
