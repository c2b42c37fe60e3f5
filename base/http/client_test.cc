// The client against servers written by hand, on a simulated network in virtual time.
#include "base/http/client.h"

#include <deque>
#include <memory>
#include <string>

#include "base/core/text.h"
#include "base/http/sim_fixture.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class ClientTest : public testing::Test, protected ClientBed {};

TEST_F(ClientTest, HostIsNamedWithoutItsZone) {
  const loop::Endpoint zoned{loop::Endpoint::Kind::kTcp, "fe80::1%eth0", 80, ""};
  Wire server;
  auto listener = sim_.network.listen(zoned, nullptr, [&](auto stream) { server.adopt(std::move(stream)); });
  client([&](ClientConfig& config) { config.endpoint = zoned; });
  Outcome outcome;
  auto exchange = get(outcome);
  sim_.settle();
  EXPECT_EQ(server.received, "GET / HTTP/1.1\r\nHost: [fe80::1]:80\r\n\r\n");
}

TEST_F(ClientTest, WritesTheRequestAndReadsTheAnswer) {
  client();
  Outcome outcome;
  auto exchange = post(outcome, "body");
  EXPECT_EQ(outcome.log, "");
  sim_.settle();
  EXPECT_EQ(servers_.at(0).received, "POST / HTTP/1.1\r\nHost: 10.0.0.1:80\r\nContent-Length: 4\r\n\r\nbody");
  servers_[0].write("HTTP/1.1 201 Created\r\nX: y\r\nContent-Length: 5\r\n\r\nhello");
  sim_.settle();
  EXPECT_EQ(outcome.log, "head body done ");
  EXPECT_EQ(outcome.status, 201);
  EXPECT_EQ(outcome.headers.get("x"), "y");
  EXPECT_EQ(outcome.body, "hello");
  EXPECT_FALSE(outcome.error);
}

TEST_F(ClientTest, AnswersReadTheSameHoweverTheyArrive) {
  const std::string answers[] = {
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
  };
  for (std::size_t piece = 1; piece < 40; ++piece) {
    sim_.network.conditions.piece_bytes_max = piece;
    for (const std::string& answer : answers) {
      client();
      Outcome outcome;
      auto exchange = get(outcome);
      sim_.settle();
      servers_.back().write(answer);
      sim_.settle();
      EXPECT_EQ(outcome.log, "head body done ");
      EXPECT_EQ(outcome.body, "hello world");
      EXPECT_FALSE(outcome.error);
    }
  }
}

TEST_F(ClientTest, ReusesTheConnectionWhichStaysUntilItsIdleTime) {
  client([](ClientConfig& config) { config.idle_timeout = seconds(60); });
  warm_up();
  warm_up();
  EXPECT_EQ(servers_.size(), 1U);
  sim_.loop.advance(seconds(59));
  EXPECT_FALSE(servers_[0].is_closed);
  sim_.loop.advance(seconds(2));
  EXPECT_TRUE(servers_[0].is_closed);
}

TEST_F(ClientTest, DoesNotReuseWhatTheServerCloses) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                             "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    client();
    Outcome outcome;
    auto exchange = get(outcome);
    sim_.settle();
    servers_.back().write(answer);
    sim_.settle();
    EXPECT_EQ(outcome.log, "head done ");
    EXPECT_TRUE(servers_.back().is_closed);
  }
}

TEST_F(ClientTest, BytesNobodyAskedForEndTheConnection) {
  client();
  Outcome outcome;
  auto exchange = get(outcome);
  sim_.settle();
  servers_[0].write(concat(kEmptyAnswer, "HTTP/1.1 200 OK\r\n"));
  sim_.settle();
  EXPECT_FALSE(outcome.error);
  EXPECT_TRUE(servers_[0].is_closed);
  warm_up();
  ASSERT_EQ(servers_.size(), 2U);
  servers_[1].write(kEmptyAnswer);
  sim_.settle();
  EXPECT_TRUE(servers_[1].is_closed);
}

TEST_F(ClientTest, HeadAndNoContentHaveNoBody) {
  client();
  Outcome head;
  auto first = client_->start({.method = "HEAD", .target = "/", .headers = {}, .body = {}}, {}, head.events());
  sim_.settle();
  servers_[0].write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
  sim_.settle();
  EXPECT_EQ(head.log, "head done ");
  Outcome none;
  auto second = get(none);
  sim_.settle();
  servers_[0].write("HTTP/1.1 204 No Content\r\n\r\n");
  sim_.settle();
  EXPECT_EQ(none.log, "head done ");
  EXPECT_EQ(servers_.size(), 1U);
}

TEST_F(ClientTest, BodyUntilCloseEndsWithTheConnection) {
  client();
  Outcome outcome;
  auto exchange = get(outcome);
  sim_.settle();
  servers_[0].write("HTTP/1.1 200 OK\r\n\r\npart one, ");
  sim_.settle();
  servers_[0].write("part two");
  servers_[0].stream->shutdown_write();
  sim_.settle();
  EXPECT_EQ(outcome.log, "head body done ");
  EXPECT_EQ(outcome.body, "part one, part two");
  EXPECT_FALSE(outcome.error);
}

TEST_F(ClientTest, BodyCutShortIsUnavailable) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345"}) {
    client();
    Outcome outcome;
    auto exchange = get(outcome);
    sim_.settle();
    servers_.back().write(answer);
    servers_.back().stream->shutdown_write();
    sim_.settle();
    EXPECT_EQ(outcome.log, "head body done ");
    EXPECT_EQ(outcome.body, "12345");
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->code, ErrorCode::kUnavailable);
  }
}

TEST_F(ClientTest, ResetInsideABodyUntilCloseIsUnavailable) {
  client();
  Outcome outcome;
  auto exchange = get(outcome);
  sim_.settle();
  servers_[0].write("HTTP/1.1 200 OK\r\n\r\npart");
  sim_.settle();
  sim_.network.reset_all();
  sim_.settle();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kUnavailable);
}

TEST_F(ClientTest, ClosedWithoutAnswerIsUnavailableAndMayHaveBeenSent) {
  client();
  Outcome outcome;
  auto exchange = get(outcome);
  sim_.settle();
  servers_[0].stream.reset();
  sim_.settle();
  EXPECT_EQ(outcome.log, "done ");
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kUnavailable);
  EXPECT_TRUE(exchange->may_have_been_sent());
  EXPECT_EQ(servers_.size(), 1U) << "a new connection is not stale: no second try";
}

TEST_F(ClientTest, StaleConnectionIsReplacedOnceForSafeRequests) {
  client();
  warm_up();
  Outcome outcome;
  auto exchange = get(outcome, "/again");
  servers_[0].stream.reset();  // crosses the request
  sim_.settle();
  ASSERT_EQ(servers_.size(), 2U);
  EXPECT_TRUE(servers_[1].received.starts_with("GET /again HTTP/1.1\r\n"));
  servers_[1].write(kEmptyAnswer);
  sim_.settle();
  EXPECT_EQ(outcome.log, "head done ");
}

TEST_F(ClientTest, StaleConnectionFailsAWriteWhichMayHaveHappened) {
  client();
  warm_up();
  Outcome outcome;
  auto exchange = post(outcome, "x");
  servers_[0].stream.reset();
  sim_.settle();
  EXPECT_EQ(servers_.size(), 1U);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kUnavailable);
  EXPECT_TRUE(exchange->may_have_been_sent());
}

TEST_F(ClientTest, WritesDoNotTrustAConnectionThatWasIdleForLong) {
  client();
  warm_up();
  sim_.loop.advance(seconds(10));
  Outcome outcome;
  auto exchange = post(outcome, "x");
  sim_.settle();
  EXPECT_EQ(servers_.size(), 2U);
  EXPECT_TRUE(servers_[1].received.starts_with("POST"));
}

TEST_F(ClientTest, PartOfAnAnswerIsNotSentAgain) {
  client();
  warm_up();
  Outcome outcome;
  auto exchange = get(outcome);
  sim_.settle();
  servers_[0].write("HTTP/1.1 2");
  sim_.settle();
  servers_[0].stream.reset();
  sim_.settle();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(servers_.size(), 1U);
}

TEST_F(ClientTest, GarbageIsInvalid) {
  for (const char* answer :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "HTTP/1.1 99 X\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    client();
    Outcome outcome;
    auto exchange = get(outcome);
    sim_.settle();
    servers_.back().write(answer);
    sim_.settle();
    ASSERT_TRUE(outcome.error) << answer;
    EXPECT_EQ(outcome.error->code, ErrorCode::kInvalid) << answer;
    EXPECT_TRUE(servers_.back().is_closed);
  }
}

TEST_F(ClientTest, EndlessHeadsAreInvalid) {
  client([](ClientConfig& config) { config.head_bytes_max = 1000; });
  Outcome outcome;
  auto exchange = get(outcome);
  sim_.settle();
  servers_[0].write(concat("HTTP/1.1 200 OK\r\nX: ", std::string(1000, 'x')));
  sim_.settle();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kInvalid);
  Outcome interim;
  auto second = get(interim);
  sim_.settle();
  for (int i = 0; i < 100; ++i) servers_[1].write("HTTP/1.1 100 Continue\r\n\r\n");
  sim_.settle();
  ASSERT_TRUE(interim.error);
  EXPECT_EQ(interim.error->code, ErrorCode::kInvalid);
}

TEST_F(ClientTest, RequestThatCannotBeWrittenIsInvalidButNotAtOnce) {
  client();
  Outcome outcome;
  auto exchange = get(outcome, "/a b");
  EXPECT_FALSE(outcome.is_done);
  sim_.settle();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kInvalid);
  EXPECT_FALSE(exchange->may_have_been_sent());
  EXPECT_EQ(servers_.size(), 0U);
}

TEST_F(ClientTest, RefusedConnectionIsUnavailableAndNothingWasSent) {
  client();
  sim_.network.conditions.is_refusing = true;
  Outcome first;
  Outcome second;
  auto a = get(first);
  auto b = post(second, "x");
  EXPECT_FALSE(first.is_done);
  sim_.settle();
  for (const Outcome* outcome : {&first, &second}) {
    ASSERT_TRUE(outcome->error);
    EXPECT_EQ(outcome->error->code, ErrorCode::kUnavailable);
  }
  EXPECT_FALSE(a->may_have_been_sent());
  EXPECT_FALSE(b->may_have_been_sent());
}

TEST_F(ClientTest, SilentNetworkIsUnavailableAfterTheConnectTimeout) {
  client([](ClientConfig& config) { config.connect_timeout = seconds(5); });
  sim_.network.conditions.is_silent = true;
  Outcome outcome;
  auto exchange = get(outcome);
  sim_.loop.advance(milliseconds(4999));
  EXPECT_FALSE(outcome.is_done);
  sim_.loop.advance(milliseconds(1));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kUnavailable);
}

TEST_F(ClientTest, HeadTimeoutCountsFromStart) {
  client();
  Outcome outcome;
  auto exchange = get(outcome, "/", {.head_timeout = seconds(3), .body_idle_timeout = seconds(1)});
  sim_.loop.advance(seconds(1));
  servers_[0].write("HTTP/1.1 200");
  sim_.loop.advance(milliseconds(1999));
  EXPECT_FALSE(outcome.is_done);
  sim_.loop.advance(milliseconds(1));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kTimeout);
  sim_.settle();
  EXPECT_TRUE(servers_[0].is_closed);
}

TEST_F(ClientTest, BodyTimeoutIsAboutSilence) {
  client();
  Outcome outcome;
  auto exchange = get(outcome, "/", {.head_timeout = seconds(1), .body_idle_timeout = seconds(5)});
  sim_.settle();
  servers_[0].write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    sim_.loop.advance(seconds(4));
    servers_[0].write("x");
    sim_.settle();
  }
  EXPECT_FALSE(outcome.is_done);
  sim_.loop.advance(seconds(5));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kTimeout);
  EXPECT_EQ(outcome.body, "xxxxxxxxxx");
}

TEST_F(ClientTest, WatchMayBeSilentForEver) {
  client();
  Outcome outcome;
  auto exchange = get(outcome, "/", {.head_timeout = seconds(30), .body_idle_timeout = std::nullopt});
  sim_.settle();
  servers_[0].write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  sim_.loop.advance(minutes(60 * 24));
  EXPECT_FALSE(outcome.is_done);
  servers_[0].write("2\r\nhi\r\n");
  sim_.settle();
  EXPECT_EQ(outcome.body, "hi");
}

TEST_F(ClientTest, MoreThanTheConnectionsWaitInLine) {
  client([](ClientConfig& config) { config.connections_max = 2; });
  std::deque<Outcome> outcomes(5);
  std::vector<std::unique_ptr<Exchange>> exchanges;
  for (std::size_t i = 0; i < outcomes.size(); ++i) exchanges.push_back(get(outcomes[i], concat("/", i)));
  sim_.settle();
  ASSERT_EQ(servers_.size(), 2U);
  for (int turn = 0; turn < 3; ++turn) {
    for (Wire& server : servers_) {
      if (!server.received.empty()) server.write(kEmptyAnswer);
    }
    sim_.settle();
  }
  EXPECT_EQ(servers_.size(), 2U);
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.log, "head done ");
  EXPECT_LT(servers_[0].received.find("GET /0"), servers_[0].received.find("GET /2"));
  EXPECT_LT(servers_[1].received.find("GET /1"), servers_[1].received.find("GET /3"));
}

TEST_F(ClientTest, AbandonedExchangeMakesRoomAndIsSilent) {
  client([](ClientConfig& config) { config.connections_max = 1; });
  Outcome first;
  Outcome second;
  Outcome third;
  auto a = get(first, "/1");
  auto b = get(second, "/2");
  auto c = get(third, "/3");
  sim_.settle();
  b.reset();
  a.reset();
  sim_.settle();
  EXPECT_TRUE(servers_[0].is_closed);
  ASSERT_EQ(servers_.size(), 2U);
  EXPECT_TRUE(servers_[1].received.starts_with("GET /3"));
  EXPECT_EQ(first.log + second.log, "");
}

TEST_F(ClientTest, ExchangeAbandonedAfterItsEndLeavesTheConnection) {
  client();
  warm_up();
  EXPECT_FALSE(servers_[0].is_closed);
}

TEST_F(ClientTest, KeepingNoIdleConnectionIsOneConnectionForEachRequest) {
  client([](ClientConfig& config) { config.idle_connections_max = 0; });
  for (std::size_t i = 1; i <= 2; ++i) {
    Outcome outcome;
    auto exchange = get(outcome);
    sim_.settle();
    EXPECT_EQ(sim_.network.connects_seen(), i);
    ASSERT_EQ(servers_.size(), i);
    servers_.back().write(kEmptyAnswer);
    sim_.settle();
    EXPECT_EQ(outcome.log, "head done ");
    EXPECT_TRUE(servers_.back().is_closed);
  }
}

TEST_F(ClientTest, IdleConnectionsAreLimited) {
  client([](ClientConfig& config) { config.idle_connections_max = 2; });
  std::deque<Outcome> outcomes(5);
  std::vector<std::unique_ptr<Exchange>> exchanges;
  for (Outcome& outcome : outcomes) exchanges.push_back(get(outcome));
  sim_.settle();
  ASSERT_EQ(servers_.size(), 5U);
  for (Wire& server : servers_) server.write(kEmptyAnswer);
  sim_.settle();
  std::size_t open = 0;
  for (const Wire& server : servers_) open += server.is_closed ? 0 : 1;
  EXPECT_EQ(open, 2U);
}

}  // namespace
}  // namespace margay::http
