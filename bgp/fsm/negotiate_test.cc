#include "bgp/fsm/negotiate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "bgp/fsm/harness.h"

namespace margay::bgp::fsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::string_literals;

constexpr AfiSafi kIpv6 = {2, 1};

// --- refusals ---

struct Refusal {
  std::string_view name;
  std::function<void(PeerConfig&, Open&)> change;  // of a pair that agrees
  Notification notification;                       // code 0: accepted
  std::string_view what;
};

const Notification kAccepted = {};
const Notification kBadPeerAs = {2, 2, {}};
const Notification kBadId = {2, 3, {}};
const Notification kBadHoldTime = {2, 6, {}};

void make_internal(PeerConfig& config, Open& open) {
  config.remote_asn = open.asn = config.local_asn;
  open.capabilities.four_octet_asn = open.asn;
}

const Refusal kRefusals[] = {
    {"as configured", [](auto&, auto&) {}, kAccepted, ""},
    {"RFC 4271 §6.2: another AS number",
     [](auto&, Open& open) { open.asn = *(open.capabilities.four_octet_asn = Asn(65002)); }, kBadPeerAs,
     "OPEN: AS number 65002 where 65001 is configured"},
    {"RFC 6793 §4.1: AS_TRANS and the number in the capability",
     [](PeerConfig& config, Open& open) {
       config.remote_asn = open.capabilities.four_octet_asn = Asn(70000);
       open.asn = kAsTrans;
     },
     kAccepted, ""},
    {"RFC 6793 §4.1: the field contradicts the capability", [](auto&, Open& open) { open.asn = Asn(65002); },
     kBadPeerAs, "OPEN: two different AS numbers"},
    {"RFC 6793 §9: AS_TRANS is nobody's number",
     [](PeerConfig& config, Open& open) {
       config.remote_asn.reset();
       open.asn = kAsTrans;
       open.capabilities.four_octet_asn.reset();
     },
     kBadPeerAs, "OPEN: AS_TRANS as AS number"},
    {"RFC 7607 §2: AS 0",
     [](PeerConfig& config, Open& open) {
       config.remote_asn.reset();
       open.asn = *(open.capabilities.four_octet_asn = Asn(0));
     },
     kBadPeerAs, "OPEN: AS number 0"},
    {"dynamic: any AS number", [](PeerConfig& config, auto&) { config.remote_asn.reset(); }, kAccepted, ""},
    {"dynamic: our own is fine too",
     [](PeerConfig& config, Open& open) {
       make_internal(config, open);
       config.remote_asn.reset();
     },
     kAccepted, ""},
    {"dynamic: our own where only external peers are wanted",
     [](PeerConfig& config, Open& open) {
       make_internal(config, open);
       config.remote_asn.reset();
       config.allows_internal = false;
     },
     kBadPeerAs, "OPEN: AS number 64512 is our own"},
    {"RFC 6286 §2.1: identifier 0", [](auto&, Open& open) { open.router_id = RouterId(0); }, kBadId,
     "OPEN: BGP identifier 0.0.0.0"},
    {"RFC 6286 §2.1: our identifier on iBGP",
     [](PeerConfig& config, Open& open) {
       make_internal(config, open);
       open.router_id = config.router_id;
     },
     kBadId, "OPEN: BGP identifier 10.0.0.1"},
    {"RFC 6286 §2.1: our identifier on eBGP", [](PeerConfig& config, Open& open) { open.router_id = config.router_id; },
     kAccepted, ""},
    {"RFC 4271 §4.2: hold time 0", [](auto&, Open& open) { open.hold_time_s = 0; }, kAccepted, ""},
    {"RFC 4271 §4.2: hold time 1", [](auto&, Open& open) { open.hold_time_s = 1; }, kBadHoldTime,
     "OPEN: hold time of 1 s"},
    {"RFC 4271 §4.2: hold time 2", [](auto&, Open& open) { open.hold_time_s = 2; }, kBadHoldTime,
     "OPEN: hold time of 2 s"},
    {"RFC 4271 §4.2: hold time 3", [](auto&, Open& open) { open.hold_time_s = 3; }, kAccepted, ""},
    {"RFC 5492 §3: no common family",
     [](auto&, Open& open) { open.capabilities.multiprotocol = {kIpv6}; },
     {2, 7, "\x01\x04\x00\x01\x00\x01"s},
     "OPEN: no common address family"},
    {"RFC 5492 §3: what we miss is named",
     [](PeerConfig& config, Open& open) {
       config.families = {false, true};
       config.capabilities.multiprotocol = {kIpv6};
       open.capabilities.multiprotocol = {kIpv4, {1, 128}};
     },
     {2, 7, "\x01\x04\x00\x02\x00\x01"s},
     "OPEN: no common address family"},
    {"RFC 4760 §8: no multiprotocol capability is IPv4", [](auto&, Open& open) { open.capabilities = {}; }, kAccepted,
     ""},
};

TEST(Negotiate, RefusesWithTheNotificationOfTheRfc) {
  for (const Refusal& test : kRefusals) {
    PeerConfig config = external_config();
    Open open = open_of_peer(config);
    test.change(config, open);
    const Result<Negotiated, DecodeError> session = negotiate(config, open);
    EXPECT_EQ(session.ok(), test.notification == kAccepted) << test.name;
    if (session.ok()) continue;
    EXPECT_EQ(session.error().notification, test.notification) << test.name;
    EXPECT_EQ(session.error().what, test.what) << test.name;
  }
}

// --- what is agreed on ---

Negotiated agree(const PeerConfig& config, const Open& open) {
  Result<Negotiated, DecodeError> session = negotiate(config, open);
  EXPECT_TRUE(session.ok());
  return session.ok() ? *session : Negotiated{};
}

TEST(Negotiate, HoldTimeIsTheSmallerAndZeroIsNone) {  // RFC 4271 §4.2
  struct {
    Duration ours;
    std::uint16_t theirs_s;
    std::optional<Duration> keepalive_wanted, hold, keepalive;
  } const tests[] = {
      {seconds(90), 180, {}, seconds(90), seconds(30)},
      {seconds(90), 9, {}, seconds(9), seconds(3)},
      {seconds(90), 0, {}, {}, {}},
      {seconds(0), 90, {}, {}, {}},
      {seconds(0), 0, seconds(10), {}, {}},
      {seconds(90), 90, seconds(10), seconds(90), seconds(10)},
      {seconds(90), 9, seconds(10), seconds(9), seconds(3)},  // a third is the most
      {milliseconds(9500), 90, {}, seconds(9), seconds(3)},   // what the OPEN could say
      {seconds(100'000), 0xffff, {}, seconds(0xffff), seconds(21845)},
  };
  for (const auto& test : tests) {
    PeerConfig config = external_config();
    config.timers.hold = test.ours;
    config.timers.keepalive = test.keepalive_wanted;
    Open open = open_of_peer(config);
    open.hold_time_s = test.theirs_s;
    const Negotiated session = agree(config, open);
    EXPECT_EQ(session.hold, test.hold) << test.theirs_s;
    EXPECT_EQ(session.keepalive, test.keepalive) << test.theirs_s;
  }
}

TEST(Negotiate, FamiliesAreThoseOfBothSidesAndTheConfiguration) {  // RFC 4760 §8
  PeerConfig config = external_config();
  config.families = {true, true};
  config.capabilities.multiprotocol = {kIpv4, kIpv6};
  Open open = open_of_peer(config);
  EXPECT_EQ(agree(config, open).families, (PerFamily<bool>{true, true}));
  open.capabilities.multiprotocol = {kIpv6, {25, 70}};
  EXPECT_EQ(agree(config, open).families, (PerFamily<bool>{false, true}));
  open.capabilities.multiprotocol = {};
  EXPECT_EQ(agree(config, open).families, (PerFamily<bool>{true, false}));
  config.capabilities.multiprotocol = {};
  EXPECT_EQ(agree(config, open).families, (PerFamily<bool>{true, false}));
}

TEST(Negotiate, CapabilitiesCountWhenBothOfferThem) {
  const std::pair<bool Capabilities::*, bool Negotiated::*> flags[] = {
      {&Capabilities::route_refresh, &Negotiated::route_refresh},                    // RFC 2918 §2
      {&Capabilities::enhanced_route_refresh, &Negotiated::enhanced_route_refresh},  // RFC 7313 §3
      {&Capabilities::extended_message, &Negotiated::extended_message},              // RFC 8654 §4
  };
  for (const auto& [offered, agreed] : flags) {
    for (const int sides : {0, 1, 2, 3}) {
      PeerConfig config = external_config();
      Open open = open_of_peer(config);
      config.capabilities.*offered = (sides & 1) != 0;
      open.capabilities.*offered = (sides & 2) != 0;
      EXPECT_EQ(agree(config, open).*agreed, sides == 3);
    }
  }
  PeerConfig config = external_config();  // RFC 6793 §4.1
  Open open = open_of_peer(config);
  EXPECT_TRUE(agree(config, open).four_octet_as);
  open.capabilities.four_octet_asn.reset();
  EXPECT_FALSE(agree(config, open).four_octet_as);
}

TEST(Negotiate, AddPathNeedsASenderAndAReceiver) {  // RFC 7911 §4
  for (const int bits : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}) {
    PeerConfig config = external_config();
    Open open = open_of_peer(config);
    config.capabilities.add_path[kIpv4] = {.receive = (bits & 1) != 0, .send = (bits & 2) != 0};
    open.capabilities.add_path[kIpv4] = {.receive = (bits & 4) != 0, .send = (bits & 8) != 0};
    open.capabilities.add_path[kIpv6] = {.receive = true, .send = true};
    const Negotiated session = agree(config, open);
    EXPECT_EQ(session.add_path_receive[Family::kIpv4Unicast], (bits & 9) == 9) << bits;
    EXPECT_EQ(session.add_path_send[Family::kIpv4Unicast], (bits & 6) == 6) << bits;
    EXPECT_FALSE(session.add_path_receive[Family::kIpv6Unicast]) << "not a family of the session";
  }
}

TEST(Negotiate, ExtendedNextHopPerFamily) {  // RFC 8950 §4
  PeerConfig config = external_config();
  Open open = open_of_peer(config);
  config.capabilities.extended_next_hop = {kIpv4};
  EXPECT_FALSE(agree(config, open).extended_next_hop[Family::kIpv4Unicast]);
  open.capabilities.extended_next_hop = {kIpv4};
  EXPECT_TRUE(agree(config, open).extended_next_hop[Family::kIpv4Unicast]);
  EXPECT_FALSE(agree(config, open).extended_next_hop[Family::kIpv6Unicast]);
}

TEST(Negotiate, GracefulRestartOfBothSidesForFamiliesOfTheSession) {  // RFC 4724 §3, RFC 8538 §2, RFC 9494 §4.2
  PeerConfig config = external_config();
  Open open = open_of_peer(config);
  open.capabilities.graceful_restart =
      GracefulRestart{.restarting = true, .notification = true, .restart_time_s = 77, .forwarding = {}};
  open.capabilities.graceful_restart->forwarding = {{kIpv4, true}, {kIpv6, true}, {{25, 70}, true}};
  open.capabilities.long_lived[kIpv4] = {.forwarding = true, .stale_time_s = 3600};
  EXPECT_FALSE(agree(config, open).graceful_restart) << "we did not offer it";

  config.capabilities.graceful_restart = GracefulRestart{};
  Negotiated session = agree(config, open);
  ASSERT_TRUE(session.graceful_restart);
  EXPECT_TRUE(session.graceful_restart->restarting);
  EXPECT_EQ(session.graceful_restart->restart_time_s, 77);
  EXPECT_FALSE(session.graceful_restart->notification) << "our side has no N bit";
  EXPECT_EQ(session.graceful_restart->forwarding, (std::map<AfiSafi, bool>{{kIpv4, true}}));
  EXPECT_FALSE(session.long_lived[Family::kIpv4Unicast]) << "we did not offer it";

  config.capabilities.graceful_restart->notification = true;
  config.capabilities.long_lived[kIpv4] = {};
  session = agree(config, open);
  EXPECT_TRUE(session.graceful_restart->notification);
  ASSERT_TRUE(session.long_lived[Family::kIpv4Unicast]);
  EXPECT_EQ(session.long_lived[Family::kIpv4Unicast]->stale_time_s, 3600U);
  open.capabilities.graceful_restart.reset();
  EXPECT_FALSE(agree(config, open).long_lived[Family::kIpv4Unicast]) << "not without Graceful Restart";
}

TEST(Negotiate, NumbersAndContexts) {
  PeerConfig config = internal_config();
  config.capabilities.add_path[kIpv4] = {.receive = true, .send = false};
  Open open = open_of_peer(config);
  open.capabilities.add_path[kIpv4] = {.receive = false, .send = true};
  const Negotiated session = agree(config, open);
  EXPECT_TRUE(session.is_internal);
  EXPECT_EQ(session.local_asn, Asn(64512));
  EXPECT_EQ(session.remote_asn, Asn(64512));
  EXPECT_EQ(session.local_id, RouterId(0x0a000001));
  EXPECT_EQ(session.remote_id, RouterId(0x0a000002));
  EXPECT_EQ(session.sent, config.capabilities);
  EXPECT_EQ(session.received, open.capabilities);
  EXPECT_TRUE(session.decode_context().is_internal);
  EXPECT_EQ(session.decode_context().peer_asn, Asn(64512));
  EXPECT_TRUE(session.decode_context().add_path[Family::kIpv4Unicast]);
  EXPECT_FALSE(session.encode_context().add_path[Family::kIpv4Unicast]);
  EXPECT_TRUE(session.encode_context().four_octet_as);
}

TEST(Negotiate, OpenSaysWhatIsConfigured) {
  PeerConfig config = external_config();
  config.timers.hold = seconds(0);
  const Open open = make_open(config);
  EXPECT_EQ(open.asn, Asn(64512));
  EXPECT_EQ(open.hold_time_s, 0);
  EXPECT_EQ(open.router_id, RouterId(0x0a000001));
  EXPECT_EQ(open.capabilities, config.capabilities);
}

}  // namespace
}  // namespace margay::bgp::fsm
