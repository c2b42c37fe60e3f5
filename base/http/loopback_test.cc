// Client and server against each other on every kind of network.
#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/http/client.h"
#include "base/http/server.h"
#include "base/http/sim_fixture.h"
#include "base/loop/network_fixture.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

using std::chrono::seconds;

class Loopback : public testing::TestWithParam<loop::NetworkKind> {
 protected:
  loop::Endpoint serve(Handler handler) {
    server_ = make_server(net_.loop(), net_.network(), {}, std::move(handler));
    auto bound = server_->listen(net_.to_listen(), net_.server_tls());
    EXPECT_TRUE(bound.ok()) << bound.error().message;
    return bound.value();
  }
  std::unique_ptr<Client> client_of(const loop::Endpoint& endpoint) {
    ClientConfig config{.endpoint = endpoint, .tls = {}, .host_header = {}};
    if (net_.client_tls() != nullptr) config.tls = *net_.client_tls();
    return make_client(net_.loop(), net_.network(), config);
  }
  bool run(const std::function<bool()>& condition) { return net_.run(condition); }

  loop::NetworkUnderTest net_{GetParam()};
  std::unique_ptr<Server> server_;
};

INSTANTIATE_TEST_SUITE_P(Networks, Loopback, testing::ValuesIn(loop::kAllNetworks),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(Loopback, RequestIsAnswered) {
  const loop::Endpoint endpoint = serve([](Request request, const PeerInfo&, std::unique_ptr<Responder> responder) {
    responder->send({.status = 201, .headers = {}, .body = concat(request.method, request.target, request.body)});
  });
  auto client = client_of(endpoint);
  Outcome outcome;
  auto exchange =
      client->start({.method = "POST", .target = "/a?b", .headers = {}, .body = "text"}, {}, outcome.events());
  ASSERT_TRUE(run([&] { return outcome.is_done; }));
  EXPECT_EQ(outcome.status, 201);
  EXPECT_EQ(outcome.body, "POST/a?btext");
  EXPECT_FALSE(outcome.error);
}

TEST_P(Loopback, KeptAliveConnectionIsUsedAgain) {
  std::set<std::string> peers;
  const loop::Endpoint endpoint = serve([&](Request, const PeerInfo& peer, std::unique_ptr<Responder> responder) {
    peers.insert(peer.name);
    responder->send({});
  });
  auto client = client_of(endpoint);
  for (int i = 0; i < 50; ++i) {
    Outcome outcome;
    auto exchange = client->start({}, {}, outcome.events());
    ASSERT_TRUE(run([&] { return outcome.is_done; }));
    EXPECT_EQ(outcome.status, 200);
  }
  EXPECT_EQ(peers.size(), 1U);
}

TEST_P(Loopback, StreamArrivesPieceByPieceAndItsEndIsNoticed) {
  std::unique_ptr<Responder> watch;
  bool is_closed = false;
  bool is_input_over = false;
  const loop::Endpoint endpoint = serve([&](Request, const PeerInfo&, std::unique_ptr<Responder> responder) {
    watch = std::move(responder);
    watch->on_closed([&] { is_closed = true; });
    watch->on_input_end([&] { is_input_over = true; });
    watch->start({.status = 200, .headers = {}});
  });
  auto client = client_of(endpoint);
  Outcome outcome;
  auto exchange = client->start({}, {}, outcome.events());
  ASSERT_TRUE(run([&] { return outcome.status == 200; }));
  for (int i = 0; i < 10; ++i) {
    watch->write(concat("event ", i, '\n'));
    ASSERT_TRUE(run([&] { return outcome.body.ends_with(concat("event ", i, '\n')); }));
  }
  EXPECT_TRUE(watch->is_open());
  exchange.reset();
  ASSERT_TRUE(run([&] { return is_input_over || is_closed; }));
  for (int i = 0; i < 1000 && !is_closed; ++i) {
    watch->write("to nobody");
    net_.settle();
  }
  EXPECT_TRUE(is_closed);
  EXPECT_FALSE(watch->is_open());
  EXPECT_FALSE(outcome.is_done);
}

TEST_P(Loopback, LargeBodiesPassBothWays) {
  const std::string large(2'000'000, 'x');
  const loop::Endpoint endpoint = serve([&](Request request, const PeerInfo&, std::unique_ptr<Responder> responder) {
    responder->start({.status = 200, .headers = {}});
    for (int i = 0; i < 10; ++i) responder->write(request.body);
    responder->finish();
  });
  auto client = client_of(endpoint);
  Outcome outcome;
  auto exchange = client->start({.method = "PUT", .target = "/", .headers = {}, .body = large}, {}, outcome.events());
  ASSERT_TRUE(run([&] { return outcome.is_done; }));
  EXPECT_FALSE(outcome.error) << outcome.error->message;
  EXPECT_EQ(outcome.body.size(), 10 * large.size());
}

TEST_P(Loopback, NobodyThereIsUnavailable) {
  loop::Endpoint endpoint = serve({});
  server_.reset();
  auto client = client_of(endpoint);
  Outcome outcome;
  auto exchange = client->start({}, {}, outcome.events());
  ASSERT_TRUE(run([&] { return outcome.is_done; }));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kUnavailable);
}

TEST_P(Loopback, StopLetsTheAnswerUnderWayFinish) {
  std::unique_ptr<Responder> pending;
  const loop::Endpoint endpoint =
      serve([&](Request, const PeerInfo&, std::unique_ptr<Responder> responder) { pending = std::move(responder); });
  auto client = client_of(endpoint);
  Outcome outcome;
  auto exchange = client->start({}, {}, outcome.events());
  ASSERT_TRUE(run([&] { return pending != nullptr; }));
  bool is_stopped = false;
  server_->stop(seconds(10), [&] { is_stopped = true; });
  pending->send({.status = 200, .headers = {}, .body = "late"});
  ASSERT_TRUE(run([&] { return is_stopped; }));
  EXPECT_EQ(outcome.body, "late");
}

TEST_P(Loopback, WriterGoesOnWhenItsQueueIsEmpty) {
  constexpr int kPieces = 64;
  constexpr std::size_t kPieceSize = 256 * 1024;
  std::unique_ptr<Responder> kept;
  int written = 0;
  std::size_t queued_max = 0;
  const auto write_more = [&] {
    while (written < kPieces && kept->queued_bytes() == 0) {
      ++written;
      kept->write(std::string(kPieceSize, 'x'));
      queued_max = std::max(queued_max, kept->queued_bytes());
    }
    if (written == kPieces && kept->queued_bytes() == 0) std::exchange(kept, nullptr)->finish();
  };
  const loop::Endpoint endpoint = serve([&](const Request&, const PeerInfo&, std::unique_ptr<Responder> responder) {
    kept = std::move(responder);
    kept->on_drained([&] { write_more(); });
    kept->start({.status = 200, .headers = {}});
    write_more();
  });
  auto client = client_of(endpoint);
  Outcome outcome;
  auto exchange = client->start({.method = "GET", .target = "/", .headers = {}, .body = ""}, {}, outcome.events());
  ASSERT_TRUE(run([&] { return outcome.is_done; }));
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.body.size(), kPieces * kPieceSize);
  EXPECT_LT(queued_max, 2 * kPieceSize);
}

TEST_P(Loopback, SlowConsumerHoldsTheProducerBack) {
  constexpr std::size_t kPiece = 100'000;
  constexpr int kPieces = 200;
  std::unique_ptr<Responder> producer;
  int produced = 0;
  std::size_t queued_max = 0;
  const std::function<void()> produce = [&] {
    if (produced == kPieces) return producer->finish();
    ++produced;
    producer->write(std::string(kPiece, 'x'));
    queued_max = std::max(queued_max, producer->queued_bytes());
  };
  const loop::Endpoint endpoint = serve([&](Request, const PeerInfo&, std::unique_ptr<Responder> responder) {
    producer = std::move(responder);
    producer->on_drained([&] { produce(); });
    producer->start({.status = 200, .headers = {}});
  });
  auto client = client_of(endpoint);
  std::size_t received = 0;
  bool is_done = false;
  std::unique_ptr<Exchange> exchange;
  int pauses = 0;
  exchange = client->start({}, {},
                           {.on_head = {},
                            .on_body =
                                [&](std::string_view bytes) {
                                  received += bytes.size();
                                  if (++pauses > 3) return;
                                  exchange->pause();
                                  net_.loop().post([&] { exchange->resume(); });
                                },
                            .on_done = [&](const Status& outcome) { is_done = outcome.ok(); }});
  ASSERT_TRUE(run([&] { return is_done; }));
  EXPECT_EQ(received, kPiece * kPieces);
  EXPECT_LT(queued_max, 10 * kPiece);
  EXPECT_EQ(pauses > 3, true);
}

TEST_P(Loopback, ManyExchangesShareAFewConnections) {
  std::set<std::string> peers;
  const loop::Endpoint endpoint =
      serve([&](Request request, const PeerInfo& peer, std::unique_ptr<Responder> responder) {
        peers.insert(peer.name);
        responder->send({.status = 200, .headers = {}, .body = request.target});
      });
  auto client = client_of(endpoint);
  std::deque<Outcome> outcomes(300);
  std::vector<std::unique_ptr<Exchange>> exchanges;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    exchanges.push_back(client->start({.method = "GET", .target = concat("/", i), .headers = {}, .body = {}}, {},
                                      outcomes[i].events()));
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    ASSERT_TRUE(run([&] { return outcomes[i].is_done; })) << i;
    EXPECT_EQ(outcomes[i].body, concat("/", i));
  }
  EXPECT_LE(peers.size(), 8U);
}

}  // namespace
}  // namespace margay::http
