// What stream.h promises, on every kind of network.
#include "base/loop/stream.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/loop/network_fixture.h"
#include "gtest/gtest.h"

namespace margay::loop {
namespace {

using std::chrono::seconds;

struct Side {
  std::unique_ptr<Stream> stream;
  std::string received;
  int drained = 0;
  int closed = 0;
  int lost = 0;
  std::optional<Status> reason;

  Stream::Events events() {
    return {.on_data = [this](std::string_view bytes) { received.append(bytes); },
            .on_drained = [this] { ++drained; },
            .on_closed =
                [this](Status status) {
                  ++closed;
                  reason = std::move(status);
                },
            .on_lost = [this](const Error&) { ++lost; }};
  }
};

std::string random_text(std::size_t size, std::uint64_t seed) {
  SeededRandom random(seed);
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>(random.next());
  return text;
}

class Streams : public testing::TestWithParam<NetworkKind> {
 protected:
  // Makes both sides, without starting them.
  void connect() {
    auto listener = net_.network().listen(net_.to_listen(), net_.server_tls(),
                                          [this](auto stream) { server_.stream = std::move(stream); });
    ASSERT_TRUE(listener.ok()) << listener.error().message;
    listener_ = std::move(listener).value();
    attempt_ = net_.network().connect(listener_->local(), net_.client_tls(), seconds(10), [this](auto stream) {
      ASSERT_TRUE(stream.ok()) << stream.error().message;
      client_.stream = std::move(stream).value();
    });
    ASSERT_TRUE(net_.run([this] { return client_.stream != nullptr && server_.stream != nullptr; }));
  }
  void connect_and_start() {
    connect();
    client_.stream->start(client_.events());
    server_.stream->start(server_.events());
  }

  NetworkUnderTest net_{GetParam()};
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Handle> attempt_;
  Side client_;
  Side server_;
};

INSTANTIATE_TEST_SUITE_P(Networks, Streams, testing::ValuesIn(kAllNetworks),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(Streams, BytesArriveInOrderBothWays) {
  connect_and_start();
  client_.stream->write("hello ");
  client_.stream->write("server");
  server_.stream->write("hello client");
  ASSERT_TRUE(net_.run([&] { return server_.received.size() == 12 && client_.received.size() == 12; }));
  EXPECT_EQ(server_.received, "hello server");
  EXPECT_EQ(client_.received, "hello client");
}

TEST_P(Streams, WhatWasWrittenBeforeStartIsNotLost) {
  connect();
  client_.stream->write("early");
  net_.settle();
  client_.stream->start(client_.events());
  EXPECT_EQ(server_.received, "");
  server_.stream->start(server_.events());
  ASSERT_TRUE(net_.run([&] { return server_.received == "early"; }));
}

TEST_P(Streams, LargeTransfersArriveWhole) {
  const std::string up = random_text(5'000'000, 1);
  const std::string down = random_text(3'000'000, 2);
  connect_and_start();
  client_.stream->write(up);
  for (std::size_t at = 0; at < down.size(); at += 1000) server_.stream->write(down.substr(at, 1000));
  ASSERT_TRUE(net_.run([&] { return server_.received.size() == up.size() && client_.received.size() == down.size(); }));
  EXPECT_TRUE(server_.received == up);
  EXPECT_TRUE(client_.received == down);
}

TEST_P(Streams, QueueIsCountedAndItsEndTold) {
  connect_and_start();
  server_.stream->pause_reading();
  client_.stream->write(std::string(20'000'000, 'x'));
  net_.settle();
  EXPECT_GT(client_.stream->queued_bytes(), 1'000'000U);
  EXPECT_EQ(client_.drained, 0);
  server_.stream->resume_reading();
  ASSERT_TRUE(net_.run([&] { return server_.received.size() == 20'000'000; }));
  ASSERT_TRUE(net_.run([&] { return client_.drained > 0; }));
  EXPECT_EQ(client_.stream->queued_bytes(), 0U);
}

TEST_P(Streams, PauseStopsTheFlowAndResumeLosesNothing) {
  const std::string text = random_text(1'000'000, 3);
  connect();
  client_.stream->start(client_.events());
  int calls = 0;
  auto events = server_.events();
  events.on_data = [&](std::string_view bytes) {
    server_.received.append(bytes);
    ++calls;
    server_.stream->pause_reading();
  };
  server_.stream->start(std::move(events));
  client_.stream->write(text);
  while (server_.received.size() < text.size()) {
    const int before = calls;
    ASSERT_TRUE(net_.run([&] { return calls > before; }));
    net_.loop().post([] {});
    EXPECT_EQ(calls, before + 1);
    server_.stream->resume_reading();
  }
  EXPECT_TRUE(server_.received == text);
}

TEST_P(Streams, PausedStreamHearsNothing) {
  connect_and_start();
  server_.stream->pause_reading();
  client_.stream->write("text");
  client_.stream->shutdown_write();
  net_.settle();
  EXPECT_EQ(server_.received, "");
  EXPECT_EQ(server_.closed, 0);
  server_.stream->resume_reading();
  ASSERT_TRUE(net_.run([&] { return server_.closed == 1; }));
  EXPECT_EQ(server_.received, "text");
}

TEST_P(Streams, ShutdownSendsWhatIsQueuedAndStillReceives) {
  connect_and_start();
  client_.stream->write(std::string(2'000'000, 'x'));
  client_.stream->shutdown_write();
  ASSERT_TRUE(net_.run([&] { return server_.closed == 1; }));
  EXPECT_TRUE(server_.reason->ok());
  EXPECT_EQ(server_.received.size(), 2'000'000U);
  server_.stream->write("late answer");
  ASSERT_TRUE(net_.run([&] { return client_.received == "late answer"; }));
  EXPECT_EQ(client_.closed, 0);
  server_.stream->shutdown_write();
  ASSERT_TRUE(net_.run([&] { return client_.closed == 1; }));
  EXPECT_TRUE(client_.reason->ok());
  EXPECT_EQ(server_.closed, 1);
}

TEST_P(Streams, WriterHearsOfItsQueueAfterThePeerStoppedSending) {
  connect_and_start();
  client_.stream->pause_reading();
  client_.stream->shutdown_write();
  ASSERT_TRUE(net_.run([&] { return server_.closed == 1; }));
  server_.stream->write(std::string(20'000'000, 'x'));
  net_.settle();
  EXPECT_EQ(server_.drained, 0);
  client_.stream->resume_reading();
  ASSERT_TRUE(net_.run([&] { return client_.received.size() == 20'000'000 && server_.drained > 0; }));
  EXPECT_EQ(server_.lost, 0);
}

TEST_P(Streams, PeerThatStoppedSendingAndThenWentIsLost) {
  connect_and_start();
  client_.stream->shutdown_write();
  ASSERT_TRUE(net_.run([&] { return server_.closed == 1; }));
  net_.settle();
  EXPECT_EQ(server_.lost, 0) << "it may still read";
  client_.stream.reset();
  for (int i = 0; i < 1000 && server_.lost == 0; ++i) {
    server_.stream->write("x");
    net_.settle();
  }
  server_.stream->write("to nobody");
  net_.settle();
  EXPECT_EQ(server_.lost, 1);
  EXPECT_EQ(server_.closed, 1);
  EXPECT_EQ(server_.stream->queued_bytes(), 0U);
}

TEST_P(Streams, DestroyedPeerIsNoticed) {
  connect_and_start();
  server_.stream.reset();
  ASSERT_TRUE(net_.run([&] { return client_.closed == 1; }));
  client_.stream->write("to nobody");
  net_.settle();
  EXPECT_EQ(client_.closed, 1);
}

TEST_P(Streams, MayBeDestroyedInsideOnData) {
  connect();
  client_.stream->start(client_.events());
  int calls = 0;
  auto events = server_.events();
  events.on_data = [&, text = std::string(100, 'x')](std::string_view) {
    ++calls;
    server_.stream.reset();
    EXPECT_EQ(text.size(), 100U);
  };
  server_.stream->start(std::move(events));
  client_.stream->write(std::string(1'000'000, 'x'));
  ASSERT_TRUE(net_.run([&] { return client_.closed == 1; }));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(server_.closed, 0);
}

TEST_P(Streams, MayBeDestroyedInsideOnClosedAndOnDrained) {
  connect();
  auto events = client_.events();
  events.on_drained = [&] { client_.stream.reset(); };
  client_.stream->start(std::move(events));
  bool is_gone = false;
  auto server_events = server_.events();
  server_events.on_closed = [&](const Status&) {
    server_.stream.reset();
    is_gone = true;
  };
  server_.stream->start(std::move(server_events));
  client_.stream->write("x");
  ASSERT_TRUE(net_.run([&] { return is_gone; }));
  EXPECT_EQ(client_.stream, nullptr);
}

TEST_P(Streams, NoCallbackRunsAfterDestruction) {
  connect_and_start();
  client_.stream->write(std::string(100'000, 'x'));
  server_.stream->write("x");
  client_.stream.reset();
  net_.settle();
  EXPECT_EQ(client_.drained, 0);
  EXPECT_EQ(client_.received, "");
  EXPECT_EQ(client_.closed, 0);
}

TEST_P(Streams, AbandonedAttemptNeverCallsBack) {
  auto listener = net_.network().listen(net_.to_listen(), net_.server_tls(), [](auto) {});
  ASSERT_TRUE(listener.ok());
  bool is_called = false;
  auto attempt = net_.network().connect(listener.value()->local(), net_.client_tls(), seconds(10),
                                        [&](auto) { is_called = true; });
  EXPECT_FALSE(is_called);
  attempt.reset();
  net_.settle();
  EXPECT_FALSE(is_called);
}

TEST_P(Streams, NobodyListeningIsUnavailable) {
  connect();
  const Endpoint endpoint = listener_->local();
  listener_.reset();
  std::optional<Error> error;
  auto attempt = net_.network().connect(endpoint, net_.client_tls(), seconds(10),
                                        [&](auto stream) { error = stream.ok() ? Error{} : stream.error(); });
  EXPECT_FALSE(error);
  ASSERT_TRUE(net_.run([&] { return error.has_value(); }));
  EXPECT_EQ(error->code, ErrorCode::kUnavailable);
  EXPECT_NE(error->message.find(endpoint.to_string()), std::string::npos) << error->message;
}

TEST_P(Streams, ListenerMayEndWhenItHandsOver) {
  bool is_accepted = false;
  std::unique_ptr<Listener> listener;
  listener = std::move(net_.network().listen(net_.to_listen(), net_.server_tls(), [&](auto) {
               is_accepted = true;
               listener.reset();
             })).value();
  std::unique_ptr<Stream> kept;
  auto attempt = net_.network().connect(listener->local(), net_.client_tls(), seconds(10), [&](auto stream) {
    if (stream) kept = std::move(stream).value();
  });
  ASSERT_TRUE(net_.run([&] { return is_accepted; }));
  EXPECT_EQ(listener, nullptr);
}

TEST_P(Streams, ManyConnectionsAtOnce) {
  constexpr int kCount = 60;
  std::vector<std::unique_ptr<Stream>> accepted;
  auto listener = net_.network().listen(net_.to_listen(), net_.server_tls(), [&](std::unique_ptr<Stream> stream) {
    Stream& echo = *stream;
    stream->start({.on_data = [&echo](std::string_view bytes) { echo.write(std::string(bytes)); },
                   .on_drained = {},
                   .on_closed = {}});
    accepted.push_back(std::move(stream));
  });
  ASSERT_TRUE(listener.ok());
  std::vector<Side> sides(kCount);
  std::vector<std::unique_ptr<Handle>> attempts;
  for (Side& side : sides) {
    attempts.push_back(
        net_.network().connect(listener.value()->local(), net_.client_tls(), seconds(10), [&side](auto stream) {
          ASSERT_TRUE(stream.ok());
          side.stream = std::move(stream).value();
          side.stream->start(side.events());
          side.stream->write("ping");
        }));
  }
  for (Side& side : sides) ASSERT_TRUE(net_.run([&] { return side.received == "ping"; }));
  EXPECT_EQ(accepted.size(), sides.size());
}

}  // namespace
}  // namespace margay::loop
