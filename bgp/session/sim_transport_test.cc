#include "bgp/session/sim_transport.h"

#include <gmock/gmock.h>

#include "bgp/session/transport_fixture.h"

namespace margay::bgp::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const IpAddress kA = IpAddress::v4(0x0a000001);
const IpAddress kB = IpAddress::v4(0x0a000002);

class SimTransport : public testing::Test {
 protected:
  void SetUp() override {
    EXPECT_TRUE(b_->listen({}, 179, [this](auto connection) { server_.take(std::move(connection)); }).ok());
  }
  void connect(std::string password = {}) {
    ConnectRequest request{.remote = {kB, 179}, .source = {}, .options = {}};
    request.options.password = std::move(password);
    handle_ = a_->connect(request, [this](auto result) {
      if (result) {
        client_.take(std::move(result).value());
      } else {
        failure_ = result.error().message;
      }
    });
  }
  void established() {
    connect();
    ASSERT_TRUE(loop_.run_until([this] { return server_.connection && client_.connection; }, seconds(1)));
  }

  loop::SimLoop loop_;
  SimInternet internet_{loop_, 1};
  std::unique_ptr<Transport> a_ = internet_.add_host({kA});
  std::unique_ptr<Transport> b_ = internet_.add_host({kB});
  RecordedEnd server_, client_;
  std::string failure_;
  std::unique_ptr<Handle> handle_;
};

TEST_F(SimTransport, CarriesBytesBothWaysInOrder) {
  internet_.set_conditions({.delay = milliseconds(3), .piece_bytes_max = 7});
  established();
  for (int i = 0; i < 100; ++i) client_.connection->write(packets(std::to_string(i)));
  server_.connection->write(packets("answer"));
  loop_.advance(seconds(1));
  EXPECT_EQ(client_.received, "answer");
  EXPECT_EQ(server_.received.substr(0, 12), "012345678910");
  EXPECT_EQ(client_.connection->remote(), (SocketAddress{kB, 179}));
  EXPECT_EQ(server_.connection->remote().address, kA);
  EXPECT_EQ(internet_.connection_count(), 1U);
}

TEST_F(SimTransport, NobodyListensMeansRefusedAtOnce) {
  b_->stop_listening();
  connect();
  loop_.advance(milliseconds(10));
  EXPECT_THAT(failure_, testing::HasSubstr("refused"));
}

TEST_F(SimTransport, ACutHoldsBackWhatWasSentUntilItHeals) {
  established();
  internet_.set_reachable(kA, kB, false);
  client_.connection->write(packets("late"));
  loop_.advance(seconds(60));
  EXPECT_EQ(server_.received, "");
  EXPECT_FALSE(server_.closed.has_value());
  internet_.set_reachable(kB, kA, true);
  loop_.advance(milliseconds(10));
  EXPECT_EQ(server_.received, "late");
}

TEST_F(SimTransport, ConnectingAcrossACutTimesOut) {
  internet_.set_reachable(kA, kB, false);
  connect();
  loop_.advance(seconds(29));
  EXPECT_EQ(failure_, "");
  loop_.advance(seconds(2));
  EXPECT_THAT(failure_, testing::HasSubstr("no answer"));
}

TEST_F(SimTransport, AResetReachesBothSidesAndLosesWhatIsUnderWay) {
  established();
  client_.connection->write(packets("lost"));
  internet_.break_connections(kB, kA);
  loop_.advance(milliseconds(10));
  EXPECT_TRUE(client_.closed && server_.closed);
  EXPECT_EQ(server_.received, "");
}

TEST_F(SimTransport, ClosingGracefullyDeliversWhatIsQueuedFirst) {
  established();
  client_.connection->write(packets("goodbye"));
  client_.connection->close_gracefully();
  client_.connection.reset();
  loop_.advance(milliseconds(10));
  EXPECT_EQ(server_.received, "goodbye");
  EXPECT_EQ(server_.closed, "closed by peer");
}

TEST_F(SimTransport, WhatTheWindowDoesNotHoldStaysQueuedAndIsToldWhenGone) {
  internet_.set_conditions({.delay = milliseconds(1), .window_bytes = 1000});
  established();
  client_.connection->write(packets(std::string(5000, 'x')));
  loop_.run_until_idle();
  EXPECT_EQ(client_.connection->queued_bytes(), 4000U);
  loop_.advance(seconds(1));
  EXPECT_EQ(server_.received.size(), 5000U);
  EXPECT_EQ(client_.times_writable, 1);
}

TEST_F(SimTransport, PasswordsMustBeEqual) {
  PeerSocketOptions options;
  options.password = "secret";
  b_->set_peer_options({{IpPrefix::containing(kA, 24), options}});
  connect("wrong");
  loop_.advance(seconds(31));
  EXPECT_FALSE(client_.connection);
  connect("secret");
  loop_.advance(seconds(1));
  EXPECT_TRUE(client_.connection);
}

TEST_F(SimTransport, GivingUpAnAttemptMeansNoCallback) {
  connect();
  handle_.reset();
  loop_.advance(seconds(1));
  EXPECT_FALSE(client_.connection || server_.connection);
}

}  // namespace
}  // namespace margay::bgp::session
