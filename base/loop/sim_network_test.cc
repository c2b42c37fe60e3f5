#include "base/loop/sim_network.h"

#include <optional>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "gtest/gtest.h"

namespace margay::loop {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Endpoint kEndpoint{Endpoint::Kind::kTcp, "10.0.0.1", 80, ""};

class SimNetworkTest : public testing::Test {
 protected:
  explicit SimNetworkTest(std::uint64_t seed = 1) : network_(loop_, seed) {
    listener_ =
        std::move(network_.listen(kEndpoint, nullptr, [this](auto stream) { server_ = std::move(stream); })).value();
  }
  void connect() {
    attempt_ = network_.connect(kEndpoint, nullptr, seconds(1), [this](auto stream) {
      client_ = std::move(stream).value();
      client_->start({.on_data = [this](std::string_view bytes) { pieces_.emplace_back(bytes); },
                      .on_drained = {},
                      .on_closed = [this](Status reason) { end_ = std::move(reason); }});
    });
    loop_.advance(network_.conditions.delay);
    server_->start({});
  }

  SimLoop loop_;
  SimNetwork network_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Handle> attempt_;
  std::unique_ptr<Stream> server_;
  std::unique_ptr<Stream> client_;
  std::vector<std::string> pieces_;
  std::optional<Status> end_;
};

TEST_F(SimNetworkTest, DelayHoldsForConnectingAndForBytes) {
  network_.conditions.delay = milliseconds(10);
  bool is_connected = false;
  auto attempt = network_.connect(kEndpoint, nullptr, seconds(1), [&](auto) { is_connected = true; });
  loop_.advance(milliseconds(9));
  EXPECT_FALSE(is_connected);
  loop_.advance(milliseconds(1));
  EXPECT_TRUE(is_connected);
  connect();
  server_->write("x");
  loop_.advance(milliseconds(9));
  EXPECT_TRUE(pieces_.empty());
  loop_.advance(milliseconds(1));
  EXPECT_EQ(pieces_.size(), 1U);
}

TEST_F(SimNetworkTest, PiecesAreSmallAndTheSameForTheSameSeed) {
  const std::string text(1000, 'x');
  std::vector<std::vector<std::size_t>> runs;
  for (const std::uint64_t seed : {5U, 5U, 6U}) {
    SimLoop loop;
    SimNetwork network(loop, seed);
    network.conditions.piece_bytes_max = 20;
    std::vector<std::size_t> sizes;
    std::unique_ptr<Stream> server;
    auto listener = network.listen(kEndpoint, nullptr, [&](auto stream) {
      server = std::move(stream);
      server->start({.on_data = [&](std::string_view bytes) { sizes.push_back(bytes.size()); },
                     .on_drained = {},
                     .on_closed = {}});
    });
    std::unique_ptr<Stream> client;
    auto attempt =
        network.connect(kEndpoint, nullptr, seconds(1), [&](auto stream) { client = std::move(stream).value(); });
    loop.run_until_idle();
    client->write(text);
    loop.run_until_idle();
    std::size_t sum = 0;
    for (const std::size_t size : sizes) {
      EXPECT_LE(size, 20U);
      sum += size;
    }
    EXPECT_EQ(sum, text.size());
    runs.push_back(sizes);
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_NE(runs[0], runs[2]);
}

TEST_F(SimNetworkTest, RefusesAndKeepsSilent) {
  std::optional<Error> error;
  const auto note = [&](Result<std::unique_ptr<Stream>> stream) { error = stream.error(); };
  network_.conditions.is_refusing = true;
  auto refused = network_.connect(kEndpoint, nullptr, seconds(1), note);
  loop_.run_until_idle();
  EXPECT_EQ(error->code, ErrorCode::kUnavailable);
  error.reset();
  network_.conditions = {.is_silent = true};
  auto silent = network_.connect(kEndpoint, nullptr, seconds(1), note);
  loop_.advance(milliseconds(999));
  EXPECT_FALSE(error);
  loop_.advance(milliseconds(1));
  EXPECT_EQ(error->code, ErrorCode::kTimeout);
  EXPECT_EQ(network_.connects_seen(), 2U);
}

TEST_F(SimNetworkTest, ResetLosesWhatIsUnderWay) {
  network_.conditions.delay = milliseconds(10);
  connect();
  server_->write("lost");
  loop_.advance(milliseconds(5));
  EXPECT_EQ(network_.connection_count(), 1U);
  network_.reset_all();
  loop_.advance(milliseconds(20));
  EXPECT_TRUE(pieces_.empty());
  ASSERT_TRUE(end_);
  EXPECT_EQ(end_->error().code, ErrorCode::kUnavailable);
}

TEST_F(SimNetworkTest, WindowHoldsTheWriterBack) {
  network_.conditions.window_bytes = 100;
  connect();
  client_->pause_reading();
  server_->write(std::string(1000, 'x'));
  loop_.run_until_idle();
  EXPECT_EQ(server_->queued_bytes(), 900U);
  client_->resume_reading();
  loop_.run_until_idle();
  EXPECT_EQ(server_->queued_bytes(), 0U);
}

TEST_F(SimNetworkTest, EndpointsAreTakenOnceAndPortsGivenOut) {
  EXPECT_EQ(network_.listen(kEndpoint, nullptr, [](auto) {}).error().code, ErrorCode::kAlreadyExists);
  listener_.reset();
  EXPECT_TRUE(network_.listen(kEndpoint, nullptr, [](auto) {}).ok());
  const Endpoint any{Endpoint::Kind::kTcp, "10.0.0.1", 0, ""};
  const auto a = network_.listen(any, nullptr, [](auto) {});
  const auto b = network_.listen(any, nullptr, [](auto) {});
  EXPECT_NE(a.value()->local().port, b.value()->local().port);
}

}  // namespace
}  // namespace margay::loop
