// The client and the reflector against margay-apiserver with injected faults (datastore/server/faults.h): what a caller
// is told, and that a cache misses and repeats nothing. In one process, over a simulated network, in virtual time.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/http/client.h"
#include "base/http/server.h"
#include "base/loop/sim_network.h"
#include "datastore/kube/make_client.h"
#include "datastore/server/server_harness.h"
#include "datastore/watch/watch_driver.h"

namespace margay::test {
namespace {

using kube::ApiResult;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const kube::ResourceType kConfigMaps{"", "v1", "configmaps", "ConfigMap", true};
constexpr std::string_view kPath = "/api/v1/namespaces/default/configmaps";
constexpr const char* kUrl = "http://10.0.0.1:80";

// Keeps what it is handed, and refuses what cannot be.
class Sink final : public watch::ObjectSink {
 public:
  FieldErrors decode(json::View object) override {
    value_ = object["data"]["v"].string().value_or("");
    return {};
  }
  void put(const kube::ObjectName& name) override {
    EXPECT_TRUE(values_seen.insert(value_).second) << name.name << " was handed over with " << value_ << " before";
    present[name.name] = value_;
    log.push_back(concat(name.name, "=", value_));
  }
  void remove(const kube::ObjectName& name) override {
    EXPECT_EQ(present.erase(name.name), 1U) << name.name << " was not there";
    log.push_back(concat("-", name.name));
  }
  void on_in_sync() override { ++in_syncs; }

  std::map<std::string, std::string> present;
  std::set<std::string> values_seen;
  std::vector<std::string> log;
  int in_syncs = 0;

 private:
  std::string value_;
};

class Faults : public testing::Test {
 protected:
  Faults() {
    http_ = http::make_server(
        loop(), network_, {},
        [this](http::Request request, const http::PeerInfo& peer, std::unique_ptr<http::Responder> responder) {
          ++requests_;
          server_.server().handle(std::move(request), peer, std::move(responder));
        });
    EXPECT_TRUE(http_->listen(*loop::Endpoint::parse("tcp://10.0.0.1:80"), nullptr).ok());
    kube::ConnectionConfig config;
    config.servers = *kube::parse_servers(kUrl);
    client_ = kube::make_client(loop(), network_, random_, config, {});
  }

  loop::SimLoop& loop() { return server_.loop; }
  void inject(std::string_view rules) {
    const auto& answer = server_.call("PUT", "/debug/faults", concat("{\"rules\":[", rules, "]}"));
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
  // Each value is written once in a test, so that a repetition shows.
  std::string next_value() { return concat("v", ++writes_); }
  static json::Value config_map(std::string_view name, std::string_view value) {
    return *json::parse(concat(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")", name,
                               R"("},"data":{"v":")", value, R"("}})"));
  }
  // Not over the network; the rules of the tests that use it leave updates and deletions alone.
  void write(const std::string& name) {
    const std::string value = next_value();
    const std::string body = json::dump(config_map(name, value));
    const int status = truth_.contains(name) ? server_.call("PUT", concat(kPath, "/", name), body).status
                                             : server_.call("POST", kPath, body).status;
    ASSERT_TRUE(status == 200 || status == 201) << status;
    truth_[name] = value;
  }
  void erase(const std::string& name) {
    ASSERT_EQ(server_.call("DELETE", concat(kPath, "/", name)).status, 200);
    truth_.erase(name);
  }
  void watch() {
    driver_.emplace(watch::WatchEnvironment{.loop = loop(), .random = random_, .client = *client_},
                    watch::WatchSource{.type = kConfigMaps}, sink_, nullptr);
    driver_->start();
  }
  template <class T>
  ApiResult<T> wait_for(const std::optional<ApiResult<T>>& result) {
    for (int i = 0; i < 2000 && !result; ++i) loop().advance(milliseconds(100));
    EXPECT_TRUE(result.has_value()) << "no end";
    return result ? *result : ApiResult<T>(kube::ApiError{.message = "no end"});
  }
  ApiResult<json::Value> get(const std::string& name) {
    std::optional<ApiResult<json::Value>> result;
    const auto call = client_->get(kConfigMaps, {"default", name}, [&](auto value) { result = std::move(value); });
    return wait_for(result);
  }
  ApiResult<json::Value> create(const std::string& name) {
    std::optional<ApiResult<json::Value>> result;
    const auto call = client_->create(kConfigMaps, "default", config_map(name, next_value()), {},
                                      [&](auto value) { result = std::move(value); });
    return wait_for(result);
  }
  bool is_there(const std::string& name) { return server_.call("GET", concat(kPath, "/", name)).status == 200; }

  server::ServerHarness server_{server::ApiServerConfig{server::Access::open(), true}};
  SeededRandom random_{7};
  loop::SimNetwork network_{server_.loop, 1};
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<kube::Client> client_;
  int requests_ = 0;
  int writes_ = 0;
  std::map<std::string, std::string> truth_;
  Sink sink_;
  std::optional<watch::WatchDriver> driver_;
};

TEST_F(Faults, SlowAnswersAreWaitedForAndTooSlowOnesAskedForAgain) {
  write("a");
  inject(R"({"verb":"get","name":"a","count":3,"action":"delay","delayMs":4000})");
  const TimePoint before = loop().now();
  EXPECT_TRUE(get("a").ok());
  EXPECT_GE(loop().now() - before, seconds(4));
  inject(R"({"verb":"get","name":"a","count":1,"action":"delay","delayMs":40000})");
  EXPECT_TRUE(get("a").ok()) << "after half a minute the client asks again";
}

TEST_F(Faults, TooManyRequestsWaitsAsLongAsToldAlsoWithAWrite) {
  inject(R"({"verb":"create","resource":"configmaps","count":2,"action":"status","status":429,"retryAfterSeconds":7})");
  const TimePoint before = loop().now();
  const auto created = create("a");
  ASSERT_TRUE(created.ok()) << created.error().message;
  EXPECT_GE(loop().now() - before, seconds(14));
  EXPECT_TRUE(is_there("a"));
}

TEST_F(Faults, ServerErrorsAreTriedAgainForReadsAndToldForWrites) {
  write("a");
  inject(R"({"verb":"get","name":"a","count":2,"action":"status","status":500})");
  EXPECT_TRUE(get("a").ok());
  inject(R"({"verb":"create","resource":"configmaps","count":1,"action":"status","status":500})");
  const int before = requests_;
  const auto created = create("b");
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(created.error().http_status, 500);
  EXPECT_EQ(created.error().reason, "InternalError");
  EXPECT_NE(created.error().message.find("injected fault"), std::string::npos) << created.error().message;
  EXPECT_EQ(requests_, before + 1) << "not again: it may have happened";
}

TEST_F(Faults, ConflictIsTheCallersBusiness) {
  inject(R"({"verb":"create","resource":"configmaps","count":1,"action":"status","status":409})");
  const auto created = create("a");
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().code, ErrorCode::kConflict);
  EXPECT_EQ(created.error().reason, "Conflict");
  EXPECT_TRUE(create("a").ok());
}

TEST_F(Faults, CutConnectionsAreTriedAgainForReadsAndToldForWrites) {
  write("a");
  inject(R"({"verb":"get","name":"a","count":2,"action":"drop"})");
  EXPECT_TRUE(get("a").ok());
  inject(R"({"verb":"create","resource":"configmaps","count":1,"action":"drop"})");
  const auto created = create("b");
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(created.error().http_status, 0) << "no answer";
  EXPECT_NE(created.error().message.find(kUrl), std::string::npos) << created.error().message;
}

TEST_F(Faults, TruncatedAnswersSayWhatWasCutAndAreNeverHalfAnObject) {
  write("a");
  for (const int bytes : {0, 1, 20, 150}) {
    inject(concat(R"({"verb":"get","name":"a","action":"truncate","bytes":)", bytes, "}"));
    std::optional<ApiResult<json::Value>> result;
    const auto call = client_->get(kConfigMaps, {"default", "a"}, [&](auto value) { result = std::move(value); });
    const auto cut = wait_for(result);
    ASSERT_FALSE(cut.ok()) << bytes;
    EXPECT_EQ(cut.error().code, ErrorCode::kUnavailable) << cut.error().message;
    EXPECT_NE(cut.error().message.find("cut short"), std::string::npos) << bytes << ": " << cut.error().message;
    inject("");
    EXPECT_TRUE(get("a").ok());
  }
}

TEST_F(Faults, DroppedWatchesMissAndRepeatNoChange) {
  write("a");
  watch();
  loop().advance(seconds(1));
  // Watches of one second, over and over, with a change every 300 ms.
  inject(R"({"verb":"watch","action":"dropWatch","afterMs":1000})");
  server_.call("POST", "/debug/faults/drop-watches");
  std::vector<std::string> expected = {"a=v1"};
  for (int i = 0; i < 60; ++i) {
    const std::string name = concat("n", i % 5);
    if (i % 7 == 6 && truth_.contains(name)) {
      erase(name);
      expected.push_back(concat("-", name));
    } else {
      write(name);
      expected.push_back(concat(name, "=", truth_[name]));
    }
    loop().advance(milliseconds(300));
  }
  inject("");
  loop().advance(minutes(2));
  EXPECT_EQ(sink_.log, expected);
  EXPECT_EQ(sink_.present, truth_);
  EXPECT_EQ(sink_.in_syncs, 1);
  EXPECT_GT(requests_, 15) << "they were dropped again and again";
}

TEST_F(Faults, WatchesCutInsideAnEventMissAndRepeatNoChange) {
  watch();
  loop().advance(seconds(1));
  std::vector<std::string> expected;
  for (int bytes = 1; bytes < 1200; bytes += 83) {
    inject(concat(R"({"verb":"watch","count":2,"action":"truncate","bytes":)", bytes, "}"));
    server_.call("POST", "/debug/faults/drop-watches");
    for (int i = 0; i < 3; ++i) {
      write(concat("n", i));
      expected.push_back(concat("n", i, "=", truth_[concat("n", i)]));
      loop().advance(seconds(2));
    }
    loop().advance(minutes(1));
  }
  inject("");
  loop().advance(minutes(2));
  EXPECT_EQ(sink_.log, expected);
}

TEST_F(Faults, GoneHistoryIsListedAgainWithoutLossOrRepetition) {
  for (int i = 0; i < 5; ++i) write(concat("n", i));
  watch();
  loop().advance(seconds(1));
  ASSERT_EQ(sink_.in_syncs, 1);
  for (int round = 0; round < 5; ++round) {
    inject(R"({"verb":"watch","count":1,"action":"status","status":410})");
    server_.call("POST", "/debug/faults/drop-watches");
    write("n1");
    erase(concat("n", round == 1 ? 4 : round));
    write(concat("new", round));
    write(concat("n", round == 1 ? 4 : round));
    loop().advance(minutes(1));
    EXPECT_EQ(sink_.present, truth_) << round;
  }
  EXPECT_EQ(driver_->last_error(), nullptr);
}

TEST_F(Faults, ListsCutShortAreNeverTakenForWholeOnes) {
  for (int i = 0; i < 5; ++i) write(concat("n", i));
  inject(R"({"verb":"list","resource":"configmaps","count":4,"action":"truncate","bytes":700})");
  watch();
  loop().advance(milliseconds(50));
  EXPECT_EQ(sink_.in_syncs, 0);
  ASSERT_NE(driver_->last_error(), nullptr);
  EXPECT_NE(driver_->last_error()->message.find("cut short"), std::string::npos) << driver_->last_error()->message;
  loop().advance(minutes(2));
  EXPECT_EQ(sink_.in_syncs, 1);
  EXPECT_EQ(sink_.present, truth_);
}

// All of them at once, by chance; each seed is another story.
TEST_F(Faults, AnyMixtureEndsWithWhatTheServerHas) {
  watch();
  SeededRandom random(20260822);
  inject(R"({"verb":"watch","probability":0.3,"action":"status","status":410},)"
         R"({"verb":"watch","probability":0.3,"action":"dropWatch","afterMs":700},)"
         R"({"verb":"watch","probability":0.4,"action":"truncate","bytes":900},)"
         R"({"verb":"list","probability":0.2,"action":"status","status":429,"retryAfterSeconds":1},)"
         R"({"verb":"list","probability":0.2,"action":"status","status":500},)"
         R"({"verb":"list","probability":0.3,"action":"truncate","bytes":500},)"
         R"({"verb":"list","probability":0.3,"action":"drop"},)"
         R"({"verb":"list","probability":0.3,"action":"delay","delayMs":900})");
  for (int i = 0; i < 300; ++i) {
    const std::string name = concat("n", random.below(8));
    if (truth_.contains(name) && random.below(3) == 0) {
      erase(name);
    } else {
      write(name);
    }
    loop().advance(milliseconds(static_cast<std::int64_t>(random.below(1500))));
  }
  inject("");
  loop().advance(minutes(5));
  EXPECT_EQ(sink_.present, truth_);
  EXPECT_EQ(sink_.in_syncs, 1);
}

}  // namespace
}  // namespace margay::test
