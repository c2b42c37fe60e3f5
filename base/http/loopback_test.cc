// Client and server over real sockets on this machine.
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <set>
#include <string>

#include "base/core/text.h"
#include "base/http/client.h"
#include "base/http/server.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

using std::chrono::seconds;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/margay-http-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TemporaryFolder() { (void)::rmdir(path_.c_str()); }
  [[nodiscard]] std::string file(std::string_view name) const { return concat(path_, '/', name); }

 private:
  std::string path_;
};

struct Outcome {
  bool is_done = false;
  int status = 0;
  std::string body;
  std::optional<Error> error;
};

ExchangeEvents collect(Outcome& outcome) {
  return {.on_head = [&outcome](ResponseHead head) { outcome.status = head.status; },
          .on_body = [&outcome](std::string_view bytes) { outcome.body.append(bytes); },
          .on_done =
              [&outcome](Status status) {
                outcome.is_done = true;
                if (!status.ok()) outcome.error = status.error();
              }};
}

class Loopback : public testing::TestWithParam<bool> {
 protected:
  loop::Endpoint serve(Handler handler) {
    server_ = make_server(loop_, network_, {}, std::move(handler));
    const loop::Endpoint wanted = GetParam() ? loop::Endpoint{loop::Endpoint::Kind::kUnix, "", 0, folder_.file("s")}
                                             : loop::Endpoint{loop::Endpoint::Kind::kTcp, "127.0.0.1", 0, ""};
    auto bound = server_->listen(wanted, nullptr);
    EXPECT_TRUE(bound.ok()) << bound.error().message;
    return bound.value();
  }

  bool run(const std::function<bool()>& condition) { return loop_.run_until(condition, seconds(20)); }

  TemporaryFolder folder_;
  loop::AsioLoop loop_;
  loop::AsioNetwork network_{loop_};
  std::unique_ptr<Server> server_;
};

INSTANTIATE_TEST_SUITE_P(Sockets, Loopback, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Unix" : "Tcp"; });

TEST_P(Loopback, RequestIsAnswered) {
  const loop::Endpoint endpoint = serve([](Request request, const PeerInfo&, std::unique_ptr<Responder> responder) {
    responder->send({.status = 201, .headers = {}, .body = concat(request.method, request.target, request.body)});
  });
  auto client = make_client(loop_, network_, {.endpoint = endpoint, .tls = {}, .host_header = {}});
  Outcome outcome;
  auto exchange =
      client->start({.method = "POST", .target = "/a?b", .headers = {}, .body = "text"}, {}, collect(outcome));
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
  auto client = make_client(loop_, network_, {.endpoint = endpoint, .tls = {}, .host_header = {}});
  for (int i = 0; i < 50; ++i) {
    Outcome outcome;
    auto exchange = client->start({}, {}, collect(outcome));
    ASSERT_TRUE(run([&] { return outcome.is_done; }));
    EXPECT_EQ(outcome.status, 200);
  }
  EXPECT_EQ(peers.size(), 1U);
}

TEST_P(Loopback, StreamArrivesPieceByPieceAndItsEndIsNoticed) {
  std::unique_ptr<Responder> watch;
  bool is_closed = false;
  const loop::Endpoint endpoint = serve([&](Request, const PeerInfo&, std::unique_ptr<Responder> responder) {
    watch = std::move(responder);
    watch->on_closed([&] { is_closed = true; });
    watch->start({.status = 200, .headers = {}});
  });
  auto client = make_client(loop_, network_, {.endpoint = endpoint, .tls = {}, .host_header = {}});
  Outcome outcome;
  auto exchange = client->start({}, {}, collect(outcome));
  ASSERT_TRUE(run([&] { return outcome.status == 200; }));
  for (int i = 0; i < 10; ++i) {
    watch->write(concat("event ", i, '\n'));
    ASSERT_TRUE(run([&] { return outcome.body.ends_with(concat("event ", i, '\n')); }));
  }
  EXPECT_TRUE(watch->is_open());
  exchange.reset();
  ASSERT_TRUE(run([&] { return is_closed; }));
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
  auto client = make_client(loop_, network_, {.endpoint = endpoint, .tls = {}, .host_header = {}});
  Outcome outcome;
  auto exchange = client->start({.method = "PUT", .target = "/", .headers = {}, .body = large}, {}, collect(outcome));
  ASSERT_TRUE(run([&] { return outcome.is_done; }));
  EXPECT_FALSE(outcome.error) << outcome.error->message;
  EXPECT_EQ(outcome.body.size(), 10 * large.size());
}

TEST_P(Loopback, NobodyThereIsUnavailable) {
  loop::Endpoint endpoint = serve({});
  server_.reset();
  auto client = make_client(loop_, network_, {.endpoint = endpoint, .tls = {}, .host_header = {}});
  Outcome outcome;
  auto exchange = client->start({}, {}, collect(outcome));
  ASSERT_TRUE(run([&] { return outcome.is_done; }));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kUnavailable);
}

TEST_P(Loopback, StopLetsTheAnswerUnderWayFinish) {
  std::unique_ptr<Responder> pending;
  const loop::Endpoint endpoint =
      serve([&](Request, const PeerInfo&, std::unique_ptr<Responder> responder) { pending = std::move(responder); });
  auto client = make_client(loop_, network_, {.endpoint = endpoint, .tls = {}, .host_header = {}});
  Outcome outcome;
  auto exchange = client->start({}, {}, collect(outcome));
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
  auto client = make_client(loop_, network_, {.endpoint = endpoint, .tls = {}, .host_header = {}});
  Outcome outcome;
  auto exchange = client->start({.method = "GET", .target = "/", .headers = {}, .body = ""}, {}, collect(outcome));
  ASSERT_TRUE(run([&] { return outcome.is_done; }));
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.body.size(), kPieces * kPieceSize);
  EXPECT_LT(queued_max, 2 * kPieceSize);
}

}  // namespace
}  // namespace margay::http
