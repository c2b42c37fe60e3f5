// Several servers, over a simulated network, in virtual time.
#include <gtest/gtest.h>

#include "base/core/text.h"
#include "base/telemetry/capture_sink.h"
#include "datastore/kube/sim_api.h"

namespace margay::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct FailoverTest : testing::Test {
  std::unique_ptr<SimServer> make_server(int number) {
    auto server = std::make_unique<SimServer>(world.loop, world.network, concat("tcp://10.0.0.", number, ":6443"));
    server->always(200, concat(R"({"server":)", number, "}"));
    return server;
  }
  FailoverTest() {
    for (int i = 1; i <= 3; ++i) servers.push_back(make_server(i));
    client = world.client(world.config("http://10.0.0.1:6443,http://10.0.0.2:6443,http://10.0.0.3:6443"));
  }
  // Which server answered a get; 0: none.
  int ask() {
    Outcome<json::Value> outcome;
    outcome.operation = client->get(kPools, {"", "a"}, outcome.done());
    EXPECT_TRUE(world.loop.run_until([&] { return outcome.is_over(); }, std::chrono::minutes(5)));
    if (!outcome.is_over() || !outcome.result->ok()) return 0;
    const json::Value* number = (*outcome.result)->find("server");
    return number == nullptr ? 0 : static_cast<int>(*number->as_integer());
  }

  SimWorld world;
  std::vector<std::unique_ptr<SimServer>> servers;
  std::unique_ptr<Client> client;
};

TEST_F(FailoverTest, TheFirstServerIsUsedWhileItIsWell) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(), 1);
  world.loop.advance(seconds(60));
  EXPECT_EQ(servers[0]->probes + servers[1]->probes + servers[2]->probes, 0) << "nothing is in doubt";
}

TEST_F(FailoverTest, AServerThatIsGoneIsLeftAtOnceAndForGood) {
  EXPECT_EQ(ask(), 1);
  servers[0].reset();
  const TimePoint begun = world.loop.now();
  EXPECT_EQ(ask(), 2);
  EXPECT_LT(world.loop.now() - begun, Duration(seconds(1)));
  servers[0] = make_server(1);
  world.loop.advance(seconds(30));
  EXPECT_GT(servers[0]->probes, 0);
  EXPECT_EQ(ask(), 2) << "sticky";
  const int probes = servers[0]->probes;
  world.loop.advance(seconds(60));
  EXPECT_EQ(servers[0]->probes, probes) << "all are well again";
}

TEST_F(FailoverTest, WhatHappensIsLoggedAndCounted) {
  telemetry::CaptureSink sink;
  telemetry::LogOutput output(
      sink, [] { return WallTime{}; }, telemetry::Level::kInfo);
  telemetry::Registry metrics;
  client = world.client(world.config("http://10.0.0.1:6443,http://10.0.0.2:6443"),
                        {.log = telemetry::Logger(output), .metrics = &metrics});
  EXPECT_EQ(ask(), 1);
  servers[0].reset();
  EXPECT_EQ(ask(), 2);
  ASSERT_EQ(sink.lines().size(), 1U);
  EXPECT_NE(sink.lines()[0].find("from=http://10.0.0.1:6443 to=http://10.0.0.2:6443"), std::string::npos)
      << sink.lines()[0];
  const auto requests = [&](const char* code) {
    return metrics.counter({"margay_kube_requests_total", "", ""}, {{"method", "GET"}, {"code", code}}).value();
  };
  EXPECT_EQ(requests("200"), 2U);
  EXPECT_EQ(requests("none"), 1U);
  EXPECT_EQ(metrics.counter({"margay_kube_failovers_total", "", ""}).value(), 1U);
  EXPECT_EQ(metrics.counter({"margay_kube_retries_total", "", ""}).value(), 1U);
}

TEST_F(FailoverTest, AServerThatProbesSaidIsGoneIsNotTried) {
  EXPECT_EQ(ask(), 1);
  servers[1].reset();
  servers[0].reset();
  EXPECT_EQ(ask(), 3);
}

TEST_F(FailoverTest, WithAllGoneTheFirstToComeBackIsUsed) {
  EXPECT_EQ(ask(), 1);
  for (auto& server : servers) server.reset();
  EXPECT_EQ(ask(), 0);
  world.loop.advance(seconds(20));
  servers[1] = make_server(2);
  EXPECT_EQ(ask(), 2);
}

TEST_F(FailoverTest, AServerThatAnswers500IsLeftWhenItSaysItIsNotReady) {
  servers[0]->always(500, "");
  servers[0]->is_ready = false;
  EXPECT_EQ(ask(), 2);
  servers[0]->always(200, "{}");
  servers[1]->always(500, "");  // one request fails, but the server is well
  world.loop.advance(seconds(5));
  EXPECT_EQ(ask(), 0);
  EXPECT_GT(servers[1]->requests.size(), 1U) << "it is ready, so it is asked again";
}

TEST_F(FailoverTest, AHangingServerIsLeftWhenItsProbesHang) {
  servers[0]->answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    servers[0]->held.push_back(std::move(r));
  };
  servers[0]->is_ready = std::nullopt;
  const TimePoint begun = world.loop.now();
  EXPECT_EQ(ask(), 2);
  EXPECT_LT(world.loop.now() - begun, Duration(seconds(40)));
}

TEST_F(FailoverTest, TheClientMayEndWhenAWatchOnADeadServerFails) {
  servers[0]->answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    r->start({.status = 200, .headers = {}});
    servers[0]->held.push_back(std::move(r));
  };
  servers[0]->is_ready = std::nullopt;
  int ends = 0;
  std::vector<OperationPtr> watches;
  for (int i = 0; i < 3; ++i) {
    watches.push_back(client->watch(kPods, "", {.resource_version = "1"},
                                    {.on_open = {},
                                     .on_event = [](const WatchEvent&) {},
                                     .on_done =
                                         [&](const ApiResult<std::monostate>&) {
                                           ++ends;
                                           client.reset();
                                         }}));
  }
  world.loop.advance(std::chrono::minutes(5));
  EXPECT_EQ(ends, 1) << "with the client everything ends silently";
}

TEST_F(FailoverTest, AWatchOnADeadServerFailsThoughItsConnectionStaysOpen) {
  servers[0]->answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    r->start({.status = 200, .headers = {}});
    servers[0]->held.push_back(std::move(r));
  };
  Outcome<std::monostate> outcome;
  outcome.operation = client->watch(kPods, "", {.resource_version = "1"},
                                    {.on_open = {}, .on_event = [](const WatchEvent&) {}, .on_done = outcome.done()});
  world.loop.advance(std::chrono::minutes(10));
  EXPECT_FALSE(outcome.is_over()) << "a quiet watch on a server that answers its probes";
  EXPECT_GT(servers[0]->probes, 10);

  servers[0]->is_ready = std::nullopt;
  const TimePoint begun = world.loop.now();
  ASSERT_TRUE(world.loop.run_until([&] { return outcome.is_over(); }, std::chrono::minutes(5)));
  EXPECT_EQ(outcome.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(outcome.error().message, "http://10.0.0.1:6443: the server does not answer any more");
  EXPECT_LT(world.loop.now() - begun, Duration(seconds(45)));
  EXPECT_EQ(ask(), 2);
}

TEST_F(FailoverTest, AServerThatIsNotReadyKeepsItsWatches) {
  std::unique_ptr<http::Responder> responder;
  servers[0]->answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    r->start({.status = 200, .headers = {}});
    responder = std::move(r);
  };
  int events = 0;
  Outcome<std::monostate> outcome;
  outcome.operation =
      client->watch(kPods, "", {.resource_version = "1"},
                    {.on_open = {}, .on_event = [&](const WatchEvent&) { ++events; }, .on_done = outcome.done()});
  servers[0]->is_ready = false;  // it is about to shut down in order
  world.loop.advance(std::chrono::minutes(1));
  EXPECT_FALSE(outcome.is_over());
  responder->write(R"({"type":"ADDED","object":{}})");
  world.loop.run_until_idle();
  EXPECT_EQ(events, 1);
  EXPECT_EQ(ask(), 2) << "what is new goes elsewhere";
}

TEST_F(FailoverTest, ADroppedWatchDoesNotCondemnTheServer) {
  servers[0]->answer = [&](const http::Request& request, std::unique_ptr<http::Responder> r) {
    if (request.target.find("watch=") == std::string::npos)
      return r->send({.status = 200, .headers = {}, .body = R"({"server":1})"});
    r->start({.status = 200, .headers = {}});
    r->write(R"({"type":"ADDED","object":{}})");
    servers[0]->held.push_back(std::move(r));
  };
  int events = 0;
  Outcome<std::monostate> outcome;
  outcome.operation = client->watch(
      kPods, "", {}, {.on_open = {}, .on_event = [&](const WatchEvent&) { ++events; }, .on_done = outcome.done()});
  ASSERT_TRUE(world.loop.run_until([&] { return events == 1; }, seconds(1)));
  servers[0]->held[0]->abort();
  ASSERT_TRUE(world.loop.run_until([&] { return outcome.is_over(); }, seconds(1)));
  servers[0]->requests.clear();
  EXPECT_EQ(ask(), 1);
}

TEST_F(FailoverTest, ManyCallsSurviveServersThatComeAndGo) {
  SeededRandom random(9);
  int good = 0;
  for (int round = 0; round < 200; ++round) {
    const std::size_t index = random.below(3);
    const bool others_are_there = servers[(index + 1) % 3] != nullptr || servers[(index + 2) % 3] != nullptr;
    if (servers[index] == nullptr) {
      servers[index] = make_server(static_cast<int>(index + 1));
    } else if (others_are_there) {
      servers[index].reset();
    }
    good += ask() != 0 ? 1 : 0;
    world.loop.advance(milliseconds(random.below(3000)));
  }
  EXPECT_EQ(good, 200) << "one server was always there";
}

}  // namespace
}  // namespace margay::kube
