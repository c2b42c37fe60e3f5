#include "datastore/watch/cluster_watch.h"

#include <set>
#include <string>

#include "base/core/random.h"
#include "base/loop/sim_loop.h"
#include "base/telemetry/capture_sink.h"
#include "base/telemetry/wall_clock.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/kubernetes.h"
#include "gtest/gtest.h"
#include "test/support/fake_kube_client.h"

namespace margay::watch {
namespace {

using model::Kind;
using model::ObjectKey;
using std::chrono::seconds;

json::Value pool(const std::string& cidr) { return json::Object{{"spec", json::Object{{"cidr", cidr}}}}; }

class ClusterWatchTest : public testing::Test {
 protected:
  ClusterWatchTest() {
    watch_.add<model::IpPool>(
        {}, {[this](const ObjectKey& key, const auto& value) {
          seen_.insert(key.to_string() + (value == nullptr ? " gone" : " " + value->spec.cidr.to_string()));
        }});
    watch_.add<model::Namespace>({}, {[this](const ObjectKey& key, const auto&) { seen_.insert(key.to_string()); }});
  }
  // A server without a kind.
  void lack(const std::string& plural) {
    client_.on_request = [plural](std::string_view, const kube::ResourceType& type) -> std::optional<kube::ApiError> {
      if (type.plural != plural) return std::nullopt;
      return kube::ApiError{.code = ErrorCode::kNotFound, .message = "no such resource", .http_status = 404};
    };
  }

  loop::SimLoop loop_;
  SeededRandom random_{1};
  test::FakeKubeClient client_{loop_, random_};
  telemetry::CaptureSink sink_;
  telemetry::LogOutput output_{sink_, telemetry::no_clock, telemetry::Level::kInfo};
  std::set<std::string> seen_;
  int turns_ = 0;
  bool in_sync_ = false;
  ClusterWatch watch_{{loop_, random_, client_, telemetry::Logger(output_)}, [this](bool in_sync) {
                        ++turns_;
                        in_sync_ = in_sync;
                      }};
};

TEST_F(ClusterWatchTest, InSyncOnceAllKindsAre) {
  client_.put(resource_of(Kind::kIpPool), {"", "a"}, pool("10.0.0.0/16"));
  client_.put(resource_of(Kind::kNamespace), {"", "default"});
  client_.on_request = [](std::string_view, const kube::ResourceType& type) -> std::optional<kube::ApiError> {
    if (type.plural != "namespaces") return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kUnavailable, .message = "away", .http_status = 503};
  };
  watch_.start();
  loop_.advance(seconds(2));
  EXPECT_TRUE(seen_.contains("IPPool/a 10.0.0.0/16"));
  EXPECT_FALSE(in_sync_);
  EXPECT_FALSE(watch_.is_in_sync());
  client_.on_request = {};
  loop_.advance(seconds(60));
  EXPECT_TRUE(in_sync_);
  EXPECT_TRUE(watch_.is_in_sync());
  EXPECT_TRUE(seen_.contains("Namespace/default"));
}

TEST_F(ClusterWatchTest, WhatComesTogetherIsOneTurn) {
  watch_.start();
  loop_.advance(seconds(1));
  ASSERT_TRUE(in_sync_);
  const int before = turns_;
  for (int i = 0; i < 10; ++i) {
    client_.put(resource_of(Kind::kIpPool), {"", "a"}, pool("10." + std::to_string(i) + ".0.0/16"));
  }
  loop_.advance(seconds(1));
  EXPECT_LE(turns_ - before, 2) << "not one for each change";
  EXPECT_TRUE(seen_.contains("IPPool/a 10.9.0.0/16"));
  client_.erase(resource_of(Kind::kIpPool), {"", "a"});
  loop_.advance(seconds(1));
  EXPECT_TRUE(seen_.contains("IPPool/a gone"));
}

TEST_F(ClusterWatchTest, AKindThatIsNotThereCountsAsEmptyUntilItIs) {
  lack("ippools");
  watch_.start();
  loop_.advance(seconds(2));
  EXPECT_TRUE(in_sync_);
  EXPECT_TRUE(sink_.has("counts as empty"));
  EXPECT_TRUE(watch_.states().front().is_absent);
  client_.on_request = {};
  client_.put(resource_of(Kind::kIpPool), {"", "a"}, pool("10.0.0.0/16"));
  loop_.advance(seconds(60));
  EXPECT_TRUE(seen_.contains("IPPool/a 10.0.0.0/16"));
  EXPECT_FALSE(watch_.states().front().is_absent);
  EXPECT_TRUE(in_sync_);
}

TEST_F(ClusterWatchTest, AVersionIsSaidOnceTheConsumersHaveIt) {
  const auto version = [this] { return watch_.states().front().version; };
  watch_.start();
  loop_.advance(seconds(1));
  const std::string before = version();
  EXPECT_NE(before, "");
  client_.put(resource_of(Kind::kIpPool), {"", "a"}, pool("10.0.0.0/16"));
  EXPECT_TRUE(loop_.run_until([&] { return version() != before; }, seconds(1)));
  EXPECT_EQ(version(), "") << "the watch has seen it, the consumers have not";
  EXPECT_FALSE(seen_.contains("IPPool/a 10.0.0.0/16"));
  loop_.advance(seconds(1));
  EXPECT_NE(version(), "");
  EXPECT_TRUE(seen_.contains("IPPool/a 10.0.0.0/16"));
}

TEST_F(ClusterWatchTest, AKindOfOneScopeIsWatchedOnceForAll) {
  std::string first, second, other;
  const auto into = [](std::string& text) {
    return Consume<model::Namespace>([&text](const model::ObjectKey& key, const auto&) { text += key.name; });
  };
  watch_.add<model::Namespace>({}, {into(first)});
  const std::size_t kinds = watch_.states().size();
  watch_.add<model::Namespace>({}, {into(second)});
  EXPECT_EQ(watch_.states().size(), kinds);
  watch_.add<model::Namespace>({.label_selector = "a=b"}, {into(other)});
  EXPECT_EQ(watch_.states().size(), kinds + 1);
  client_.put(resource_of(Kind::kNamespace), {"", "n"});
  watch_.start();
  loop_.advance(seconds(1));
  EXPECT_EQ(first, "n");
  EXPECT_EQ(second, "n");
  EXPECT_EQ(other, "");
}

TEST_F(ClusterWatchTest, NothingWaitsForAnOptionalKind) {
  watch_.add<model::Secret>({.name_space = "kube-system", .is_optional = true}, {});
  client_.on_request = [](std::string_view, const kube::ResourceType& type) -> std::optional<kube::ApiError> {
    if (type.plural != "secrets") return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kPermissionDenied, .message = "forbidden", .http_status = 403};
  };
  watch_.start();
  loop_.advance(seconds(2));
  EXPECT_TRUE(in_sync_);
  EXPECT_TRUE(watch_.states().back().is_absent);
  EXPECT_EQ(watch_.states().back().error, "forbidden");
}

TEST_F(ClusterWatchTest, AnObjectThatCannotBeReadIsNamedUntilItCan) {
  client_.put(resource_of(Kind::kIpPool), {"", "a"}, pool("nonsense"));
  watch_.start();
  loop_.advance(seconds(1));
  EXPECT_TRUE(in_sync_);
  EXPECT_TRUE(watch_.invalid().contains({Kind::kIpPool, "", "a"}));
  client_.put(resource_of(Kind::kIpPool), {"", "a"}, pool("10.0.0.0/16"));
  loop_.advance(seconds(1));
  EXPECT_TRUE(watch_.invalid().empty());
  EXPECT_TRUE(seen_.contains("IPPool/a 10.0.0.0/16"));
}

}  // namespace
}  // namespace margay::watch
