// Flow control and lifetimes of the client.
#include "base/http/client.h"

#include <deque>
#include <memory>
#include <string>

#include "base/core/text.h"
#include "base/http/sim_fixture.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class ClientFlow : public testing::Test, protected ClientBed {};

TEST_F(ClientFlow, PauseHoldsBackTheServerAndLosesNothing) {
  sim_.network.conditions.window_bytes = 10'000;
  client();
  Outcome outcome;
  std::unique_ptr<Exchange> exchange;
  auto events = outcome.events();
  int calls = 0;
  events.on_body = [&](std::string_view bytes) {
    ++calls;
    outcome.body.append(bytes);
    exchange->pause();
  };
  exchange = client_->start({.method = "GET", .target = "/", .headers = {}, .body = {}},
                            {.head_timeout = seconds(1), .body_idle_timeout = seconds(1)}, std::move(events));
  sim_.settle();
  std::string expected;
  std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 50; ++i) {
    const std::string chunk(1000, static_cast<char>('a' + i % 26));
    answer += concat("3e8\r\n", chunk, "\r\n");
    expected += chunk;
  }
  servers_[0].write(answer + "0\r\n\r\n");
  sim_.loop.advance(minutes(5));
  EXPECT_EQ(calls, 1);
  EXPECT_GT(servers_[0].stream->queued_bytes(), 30'000U);
  while (!outcome.is_done) {
    const int before = calls;
    exchange->resume();
    EXPECT_EQ(calls, before) << "not from inside resume()";
    sim_.settle();
    ASSERT_LE(calls, before + 1);
  }
  EXPECT_FALSE(outcome.error);
  EXPECT_TRUE(outcome.body == expected);
}

TEST_F(ClientFlow, PausedExchangeHearsOfTheEndAfterItsBody) {
  client();
  Outcome outcome;
  auto exchange = get(outcome);
  exchange->pause();
  sim_.settle();
  servers_[0].write("HTTP/1.1 200 OK\r\n\r\nrest");
  servers_[0].stream->shutdown_write();
  sim_.settle();
  EXPECT_EQ(outcome.log, "");
  exchange->resume();
  sim_.settle();
  EXPECT_EQ(outcome.log, "head body done ");
  EXPECT_FALSE(outcome.error);
}

TEST_F(ClientFlow, PauseAndResumeInsideACallbackGoOn) {
  client();
  Outcome outcome;
  std::unique_ptr<Exchange> exchange;
  auto events = outcome.events();
  events.on_body = [&](std::string_view bytes) {
    outcome.body.append(bytes);
    exchange->pause();
    exchange->resume();
  };
  exchange = client_->start({}, {}, std::move(events));
  sim_.settle();
  servers_[0].write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
  sim_.settle();
  EXPECT_EQ(outcome.body, "ab");
  EXPECT_TRUE(outcome.is_done);
}

TEST_F(ClientFlow, NextRequestMayStartInsideOnDoneOnTheSameConnection) {
  client();
  Outcome first;
  Outcome second;
  std::unique_ptr<Exchange> next;
  auto events = first.events();
  events.on_done = [&](const Status&) { next = get(second, "/second"); };
  auto exchange = client_->start({}, {}, std::move(events));
  sim_.settle();
  servers_[0].write(kEmptyAnswer);
  sim_.settle();
  ASSERT_EQ(servers_.size(), 1U);
  EXPECT_NE(servers_[0].received.find("GET /second"), std::string::npos);
  servers_[0].write(kEmptyAnswer);
  sim_.settle();
  EXPECT_EQ(second.log, "head done ");
}

// What is destroyed, in which callback.
struct DestroyCase {
  const char* name;
  const char* when;
  bool is_client;
};

class ClientDestroy : public ClientFlow, public testing::WithParamInterface<DestroyCase> {};

INSTANTIATE_TEST_SUITE_P(
    Everywhere, ClientDestroy,
    testing::Values(DestroyCase{"ExchangeInHead", "head", false}, DestroyCase{"ExchangeInBody", "body", false},
                    DestroyCase{"ExchangeInDone", "done", false}, DestroyCase{"ClientInHead", "head", true},
                    DestroyCase{"ClientInBody", "body", true}, DestroyCase{"ClientInDone", "done", true}),
    [](const auto& kind) { return kind.param.name; });

TEST_P(ClientDestroy, EndsEverythingQuietly) {
  client();
  Outcome other;
  auto waiting = get(other);
  std::string log;
  std::unique_ptr<Exchange> exchange;
  const auto act = [&](std::string_view now) {
    log += concat(now, ' ');
    if (now != GetParam().when) return;
    if (GetParam().is_client) client_.reset();
    exchange.reset();
  };
  const std::string owned(100, 'x');
  exchange = client_->start({}, {},
                            {.on_head =
                                 [&, owned](const ResponseHead&) {
                                   act("head");
                                   EXPECT_EQ(owned.size(), 100U);
                                 },
                             .on_body =
                                 [&, owned](std::string_view) {
                                   act("body");
                                   EXPECT_EQ(owned.size(), 100U);
                                 },
                             .on_done =
                                 [&, owned](const Status&) {
                                   act("done");
                                   EXPECT_EQ(owned.size(), 100U);
                                 }});
  sim_.settle();
  servers_[1].write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
  sim_.settle();
  EXPECT_TRUE(log.ends_with(concat(GetParam().when, ' '))) << log;
  EXPECT_EQ(other.log, "");
  EXPECT_EQ(servers_[0].is_closed && servers_[1].is_closed, GetParam().is_client);
}

TEST_F(ClientFlow, ClientMayEndBeforeItsExchanges) {
  client();
  Outcome outcome;
  auto exchange = get(outcome);
  client_.reset();
  sim_.settle();
  exchange->pause();
  exchange->resume();
  exchange.reset();
  EXPECT_EQ(outcome.log, "");
}

TEST_F(ClientFlow, FailuresTellTheWholeLineWhichMayAskAgain) {
  client([](ClientConfig& config) { config.connections_max = 2; });
  sim_.network.conditions.is_refusing = true;
  int failures = 0;
  std::vector<std::unique_ptr<Exchange>> exchanges;
  std::function<void()> start = [&] {
    exchanges.push_back(client_->start({}, {}, {.on_head = {}, .on_body = {}, .on_done = [&](const Status&) {
                                                  if (++failures < 20) start();
                                                }}));
  };
  for (int i = 0; i < 5; ++i) start();
  sim_.settle();
  EXPECT_EQ(failures, 24);
}

}  // namespace
}  // namespace margay::http
