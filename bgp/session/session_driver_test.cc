// A driver with a real RIB, against a peer of which the test writes every byte, in virtual time.
#include "bgp/session/session_driver.h"

#include <gmock/gmock.h>

#include "bgp/session/sim_transport.h"
#include "bgp/session/transport_fixture.h"
#include "bgp/wire/encode.h"

namespace margay::bgp::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const IpAddress kOurs = IpAddress::v4(0x0a000001);
const IpAddress kTheirs = IpAddress::v4(0x0a000002);
constexpr rib::PeerId kPeer = 0;

std::string message(MessageType type, const std::string& body) {
  const std::size_t size = kHeaderSize + body.size();
  std::string out(16, '\xff');
  out.push_back(static_cast<char>(size >> 8));
  out.push_back(static_cast<char>(size & 0xff));
  out.push_back(static_cast<char>(type));
  return out + body;
}

// An UPDATE for 10.2.0.0/16 with this ORIGIN (0 to 2 are right) and first AS.
std::string update_of(char origin, char first_as_low = '\x01') {
  std::string attributes("\x40\x01\x01", 3);
  attributes.push_back(origin);
  attributes.append("\x40\x02\x06\x02\x01\x00\x00\xfc", 8).push_back(first_as_low);
  attributes.append("\x40\x03\x04\x0a\x00\x00\x02", 7);
  std::string body(3, '\0');
  body.push_back(static_cast<char>(attributes.size()));
  return message(MessageType::kUpdate, body + attributes + "\x10\x0a\x02");
}

std::string keepalive() { return message(MessageType::kKeepalive, ""); }
// Empty, with nothing withdrawn and nothing announced.
std::string end_of_rib() { return message(MessageType::kUpdate, std::string(4, '\0')); }
// RFC 7606 §3 (j) has no mercy with it: the lengths run past the end.
std::string broken_update() { return message(MessageType::kUpdate, std::string("\x00\x09\x00\x00", 4)); }

class DriverTest : public testing::Test {
 protected:
  DriverTest() {
    rib_.add_peer(kPeer, {});
    settings_.machine.local_asn = Asn(64512);
    settings_.machine.router_id = RouterId(kOurs.v4_value());
    settings_.machine.remote_asn = Asn(64513);
    settings_.machine.capabilities.four_octet_asn = Asn(64512);
    settings_.machine.capabilities.multiprotocol = {afi_safi(Family::kIpv4Unicast)};
    settings_.machine.capabilities.route_refresh = true;
    settings_.remote = {kTheirs, 179};
    EXPECT_TRUE(theirs_->listen({}, 179, [this](auto connection) { peer_.take(std::move(connection)); }).ok());
    make_driver();
  }
  void make_driver() {
    driver_ = std::make_unique<SessionDriver>(
        SessionDriver::Parts{loop_, random_, *ours_, rib_, {}}, kPeer, settings_,
        SessionDriver::Events{
            [this](const fsm::Negotiated& session, const Connection& connection) {
              ++ups_;
              rib::PeerSession up{session, connection.remote().address, connection.local().address, {}};
              up.self[Family::kIpv4Unicast] = NextHop{connection.local().address, std::nullopt};
              rib_.session_up(kPeer, up);
            },
            [this](const fsm::DownReason& reason) {
              downs_.push_back(reason.text);
              rib_.session_down(kPeer, false);
            },
            [this] { ++attempts_ended_; }, [this](Family family) { ends_of_rib_.push_back(family); },
            [this] { ++times_work_; }});
  }
  void send(std::string bytes) { peer_.connection->write(packets(std::move(bytes))); }
  void settle() { loop_.advance(milliseconds(5)); }
  void connected() {
    peer_ = {};
    driver_->start();
    ASSERT_TRUE(loop_.run_until([this] { return peer_.received.size() > kHeaderSize; }, seconds(100)));
  }
  std::string open_message() const {
    Open open{.asn = Asn(64513), .hold_time_s = hold_time_s_, .router_id = RouterId(2), .capabilities = {}};
    open.capabilities = settings_.machine.capabilities;
    open.capabilities.four_octet_asn = open.asn;
    std::string bytes;
    encode_open(open, bytes);
    return bytes;
  }
  void established() {
    connected();
    send(open_message() + keepalive());
    settle();
    ASSERT_EQ(driver_->machine().state(), fsm::State::kEstablished);
    peer_.received.clear();
  }
  [[nodiscard]] std::vector<IpPrefix> learnt() {
    rib_.run(1000);
    std::vector<IpPrefix> prefixes;
    rib_.visit_received(kPeer, [&](const rib::RouteView& view) { prefixes.push_back(view.prefix); });
    return prefixes;
  }

  loop::SimLoop loop_;
  SimInternet internet_{loop_, 1};
  std::unique_ptr<Transport> ours_ = internet_.add_host({kOurs});
  std::unique_ptr<Transport> theirs_ = internet_.add_host({kTheirs});
  SeededRandom random_{1};
  rib::Rib rib_{rib::RibConfig{.local_asn = Asn(64512), .router_id = RouterId(1)}, rib::Events{}};
  DriverSettings settings_;
  std::uint16_t hold_time_s_ = 90;
  RecordedEnd peer_;
  int ups_ = 0, attempts_ended_ = 0, times_work_ = 0;
  std::vector<std::string> downs_;
  std::vector<Family> ends_of_rib_;
  std::unique_ptr<SessionDriver> driver_;  // the last: its connections go before the hosts
};

TEST_F(DriverTest, BringsASessionUpAndSaysSoOnce) {
  established();
  EXPECT_EQ(ups_, 1);
  EXPECT_EQ(driver_->sent().opens, 1U);
  EXPECT_EQ(driver_->received().opens, 1U);
  EXPECT_EQ(driver_->received().keepalives, 1U);
  ASSERT_NE(driver_->connection(), nullptr);
  EXPECT_EQ(driver_->connection()->remote(), (SocketAddress{kTheirs, 179}));
  EXPECT_TRUE(driver_->has_connections());
}

TEST_F(DriverTest, AConnectionOfThePeerServesAsWell) {
  theirs_->stop_listening();
  ASSERT_TRUE(ours_->listen({}, 179, [this](auto connection) { driver_->accept(std::move(connection)); }).ok());
  settings_.machine.passive = true;
  make_driver();
  driver_->start();
  const auto attempt = theirs_->connect({.remote = {kOurs, 179}, .source = {}, .options = {}},
                                        [this](auto result) { peer_.take(std::move(result).value()); });
  settle();
  send(open_message() + keepalive());
  settle();
  EXPECT_EQ(ups_, 1);
}

TEST_F(DriverTest, UpdatesOfOneReadAreOnePieceOfWork) {
  established();
  send(update_of(0) + update_of(1) + end_of_rib());
  settle();
  EXPECT_THAT(learnt(), ElementsAre(IpPrefix::parse("10.2.0.0/16").value()));
  EXPECT_EQ(times_work_, 1);
  EXPECT_EQ(driver_->received().updates, 3U);
  EXPECT_THAT(ends_of_rib_, ElementsAre(Family::kIpv4Unicast));
}

TEST_F(DriverTest, MessagesCutAnywhereAreTheSame) {
  internet_.set_conditions({.piece_bytes_max = 3});
  connected();
  send(open_message() + keepalive() + update_of(0));
  loop_.advance(seconds(1));
  EXPECT_THAT(learnt(), ElementsAre(IpPrefix::parse("10.2.0.0/16").value()));
}

TEST_F(DriverTest, AFaultyUpdateIsCountedAndTheSessionStays) {  // RFC 7606 §7.1
  established();
  send(update_of(0) + update_of(7));
  settle();
  EXPECT_THAT(learnt(), IsEmpty()) << "treated as a withdrawal";
  ASSERT_EQ(driver_->faults().size(), 1U);
  EXPECT_THAT(driver_->faults().begin()->first, testing::AllOf(HasSubstr("withdrawal"), HasSubstr("ORIGIN")));
  EXPECT_EQ(driver_->machine().state(), fsm::State::kEstablished);
}

TEST_F(DriverTest, ABadMessageEndsTheSessionWithANotificationAndIsKept) {
  established();
  send(broken_update());
  settle();
  EXPECT_EQ(downs_.size(), 1U);
  ASSERT_GE(peer_.received.size(), kHeaderSize + 2);
  EXPECT_EQ(peer_.received[kHeaderSize - 1], static_cast<char>(MessageType::kNotification));
  EXPECT_EQ(peer_.received[kHeaderSize], '\x03');
  EXPECT_THAT(driver_->last_error().bytes, testing::EndsWith("0200090000"));
  EXPECT_TRUE(peer_.closed.has_value());
}

TEST_F(DriverTest, BytesBelongToTheErrorThatIsShown) {
  established();
  send(broken_update());
  settle();
  ASSERT_NE(driver_->last_error().bytes, "");
  established();
  driver_->lost("cable");
  EXPECT_THAT(driver_->machine().last_error()->text, HasSubstr("cable"));
  EXPECT_EQ(driver_->last_error().bytes, "") << "those were of an earlier one";
}

TEST_F(DriverTest, BytesOfAnAttemptAreNotThoseOfTheLastSession) {
  established();
  driver_->lost("cable");
  connected();
  send(message(MessageType::kOpen, std::string(10, '\x09')));
  settle();
  EXPECT_THAT(driver_->machine().last_error()->text, HasSubstr("cable"));
  EXPECT_EQ(driver_->last_error().bytes, "");
  EXPECT_THAT(driver_->last_attempt_error().bytes, testing::EndsWith("01"
                                                                     "09090909090909090909"));
}

TEST_F(DriverTest, SilenceEndsTheSessionAfterTheHoldTime) {
  hold_time_s_ = 9;
  established();
  EXPECT_GT(driver_->hold_time_left(), seconds(9) - milliseconds(10));
  EXPECT_LE(driver_->hold_time_left(), seconds(9));
  loop_.advance(seconds(8));
  EXPECT_THAT(downs_, IsEmpty());
  EXPECT_GE(driver_->sent().keepalives, 3U);
  loop_.advance(seconds(2));
  EXPECT_THAT(downs_, ElementsAre(HasSubstr("hold time of 9 s expired")));
}

TEST_F(DriverTest, StoppingSaysWhyAndConnectsNoMore) {
  established();
  driver_->stop(cease(cease_subcode::kAdministrativeShutdown, "tea"));
  settle();
  EXPECT_THAT(peer_.received, HasSubstr("tea"));
  EXPECT_TRUE(peer_.closed.has_value());
  peer_ = {};
  loop_.advance(seconds(60));
  EXPECT_EQ(peer_.connection, nullptr);
  EXPECT_FALSE(driver_->has_connections());
}

TEST_F(DriverTest, AResetBeginsAnew) {
  established();
  driver_->reset(cease(cease_subcode::kAdministrativeReset));
  EXPECT_EQ(downs_.size(), 1U);
  established();
  EXPECT_EQ(ups_, 2);
  EXPECT_EQ(driver_->times_dropped(), 1U);
}

TEST_F(DriverTest, WhatIsLostGetsNoLastWords) {
  established();
  driver_->lost("BFD session down");
  settle();
  EXPECT_THAT(downs_, ElementsAre(HasSubstr("BFD session down")));
  EXPECT_EQ(peer_.received, "");
  EXPECT_TRUE(peer_.closed.has_value());
}

TEST_F(DriverTest, AttemptsThatFailAreTold) {
  theirs_->stop_listening();
  driver_->start();
  settle();
  EXPECT_EQ(attempts_ended_, 1);
  EXPECT_TRUE(driver_->last_attempt_error().at.has_value());
  EXPECT_THAT(driver_->machine().last_attempt_error()->text, HasSubstr("refused"));
}

TEST_F(DriverTest, WhatTheDecoderLooksAtChangesWithoutANewSession) {
  established();
  send(update_of(0, '\x09'));
  settle();
  EXPECT_THAT(learnt(), IsEmpty()) << "the first AS is not the peer's";
  settings_.enforce_first_as = false;
  driver_->set_settings(settings_);
  send(update_of(0, '\x09'));
  settle();
  EXPECT_EQ(learnt().size(), 1U);
  EXPECT_EQ(ups_, 1);
}

TEST_F(DriverTest, RefreshIsAskedForOnlyWhereItWasAgreedOn) {
  EXPECT_FALSE(driver_->request_refresh(Family::kIpv4Unicast)) << "no session";
  established();
  EXPECT_TRUE(driver_->request_refresh(Family::kIpv4Unicast));
  EXPECT_FALSE(driver_->request_refresh(Family::kIpv6Unicast));
  settle();
  EXPECT_EQ(driver_->sent().refreshes, 1U);
  EXPECT_EQ(peer_.received, message(MessageType::kRouteRefresh, std::string("\x00\x01\x00\x01", 4)));
}

TEST_F(DriverTest, ASlowReaderLeavesTheRestInTheRib) {
  std::vector<rib::LocalRoute> routes;
  for (std::uint32_t i = 0; i < 40'000; ++i) {
    rib::LocalRoute route;
    route.prefix = IpPrefix::host(IpAddress::v4(0x0b000000 + i));
    route.communities = {i};  // an UPDATE of its own
    routes.push_back(std::move(route));
  }
  internet_.set_conditions({.window_bytes = 1000});
  established();
  internet_.set_reachable(kOurs, kTheirs, false);
  rib_.set_local_routes(routes);
  while (!rib_.run(1000)) {
    driver_->write_output();
    if (driver_->queued_bytes() > 1024 * 1024 - 1000 && rib_.has_output(kPeer)) break;
  }
  driver_->write_output();
  settle();
  constexpr std::size_t kMegabyte = 1024 * 1024;
  EXPECT_GE(driver_->queued_bytes(), kMegabyte - 1000);
  EXPECT_LT(driver_->queued_bytes(), kMegabyte + 100'000) << "and what one run of the RIB makes";
  EXPECT_TRUE(rib_.has_output(kPeer));
  internet_.set_conditions({.delay = std::chrono::microseconds(1)});
  internet_.set_reachable(kOurs, kTheirs, true);
  loop_.advance(seconds(1));
  while (!rib_.run(1000)) continue;
  driver_->write_output();
  loop_.advance(seconds(1));
  EXPECT_FALSE(rib_.has_output(kPeer));
  EXPECT_EQ(driver_->queued_bytes(), 0U);
  EXPECT_GT(peer_.received.size(), 40'000U * 30);
}

TEST_F(DriverTest, NothingHappensAfterItsEnd) {
  established();
  driver_.reset();
  send(update_of(0));
  loop_.advance(seconds(200));
  EXPECT_THAT(downs_, IsEmpty());
  EXPECT_THAT(learnt(), IsEmpty());
}

}  // namespace
}  // namespace margay::bgp::session
