// KindWatch against an API server in memory: what the cache holds, under faults of every kind, in virtual time.
#include "datastore/watch/kind_watch.h"

#include <gtest/gtest.h>

#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "base/telemetry/capture_sink.h"
#include "test/support/fake_kube_client.h"

namespace margay::watch {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const kube::ResourceType kThings{"example.org", "v1", "things", "Thing", true};
const kube::ResourceType kOthers{"example.org", "v1", "others", "Other", true};

// What the server writes: a number that rises with every write; "bad" makes the object impossible to decode.
struct Thing {
  std::int64_t number = 0;
};

FieldErrors decode_thing(json::View object, Thing& out) {
  const auto number = object["number"].integer();
  if (!number) return {{FieldError::Kind::kTypeInvalid, "number", "is no number"}};
  out.number = *number;
  return {};
}

json::Value thing(std::int64_t number) { return json::Object{{"number", number}}; }
json::Value bad_thing(std::int64_t number) { return json::Object{{"number", concat("x", number)}}; }

struct KindWatchTest : testing::Test {
  KindWatch<Thing>& start(WatchSource source = {.type = kThings}) {
    source.reflector.page_size = 3;
    watch.emplace(WatchEnvironment{loop, random, server, telemetry::Logger(), &metrics}, std::move(source),
                  Decoder<Thing>{.decode = decode_thing, .on_invalid = [this](const InvalidObject& object) {
                                   invalid.push_back(object.name.name);
                                 }});
    watch->start();
    return *watch;
  }
  [[nodiscard]] std::map<kube::ObjectName, std::int64_t> cached() {
    std::map<kube::ObjectName, std::int64_t> found;
    watch->cache().for_each([&](const kube::ObjectName& name, const Thing& t) { found[name] = t.number; });
    return found;
  }
  // What the server has, as the cache should show it.
  [[nodiscard]] std::map<kube::ObjectName, std::int64_t> truth() const {
    std::map<kube::ObjectName, std::int64_t> found;
    for (const auto& [name, object] : server.objects(kThings)) {
      const std::int64_t* number = object.find("number")->as_integer();
      if (number != nullptr) found[name] = *number;
    }
    return found;
  }

  loop::SimLoop loop;
  SeededRandom random{1};
  test::FakeKubeClient server{loop, random};
  telemetry::Registry metrics;
  std::optional<KindWatch<Thing>> watch;
  std::vector<std::string> invalid;
};

TEST_F(KindWatchTest, TheCacheFollowsTheServer) {
  for (int i = 0; i < 10; ++i) server.put(kThings, {"ns", concat("t", i)}, thing(i));
  start();
  loop.run_until_idle();
  EXPECT_TRUE(watch->cache().is_in_sync());
  EXPECT_EQ(cached(), truth());
  EXPECT_EQ(server.requests("list"), 4) << "pages of three";
  server.put(kThings, {"ns", "t3"}, thing(33));
  server.put(kThings, {"ns", "new"}, thing(100));
  server.put(kOthers, {"ns", "other"}, thing(7));
  server.erase(kThings, {"ns", "t4"});
  loop.run_until_idle();
  EXPECT_EQ(cached(), truth());
  EXPECT_EQ(cached().size(), 10U);
  EXPECT_EQ(server.requests("watch"), 1);
}

TEST_F(KindWatchTest, OneNamespaceAndOneSelectorOnly) {
  json::Value labelled = thing(1);
  labelled["metadata"]["labels"]["app"] = "web";
  server.put(kThings, {"a", "yes"}, labelled);
  server.put(kThings, {"a", "no"}, thing(2));
  server.put(kThings, {"b", "elsewhere"}, labelled);
  start({.type = kThings, .name_space = "a", .reflector = {.label_selector = "app=web"}});
  loop.run_until_idle();
  EXPECT_EQ(cached(), (std::map<kube::ObjectName, std::int64_t>{{{"a", "yes"}, 1}}));
  server.put(kThings, {"a", "no"}, labelled);
  server.put(kThings, {"a", "yes"}, thing(3));
  loop.run_until_idle();
  EXPECT_EQ(cached(), (std::map<kube::ObjectName, std::int64_t>{{{"a", "no"}, 1}}));
}

TEST_F(KindWatchTest, InSyncIsSaidOnceAndForEmptyKindsToo) {
  start();
  int ready = 0;
  const auto consumer = watch->cache().subscribe([&] { ++ready; });
  loop.run_until_idle();
  EXPECT_EQ(ready, 1);
  EXPECT_TRUE(consumer->take().is_in_sync);
  server.compact();
  server.end_watches(std::nullopt);
  loop.advance(minutes(1));
  EXPECT_EQ(ready, 1);
}

TEST_F(KindWatchTest, ObjectsThatCannotBeDecodedCountAsAbsentAndAreReported) {
  server.put(kThings, {"ns", "good"}, thing(1));
  server.put(kThings, {"ns", "bad"}, bad_thing(1));
  start();
  loop.run_until_idle();
  EXPECT_TRUE(watch->cache().is_in_sync());
  EXPECT_EQ(cached(), (std::map<kube::ObjectName, std::int64_t>{{{"ns", "good"}, 1}}));
  EXPECT_EQ(invalid, std::vector<std::string>{"bad"});
  server.put(kThings, {"ns", "good"}, bad_thing(2));
  server.put(kThings, {"ns", "bad"}, thing(2));
  loop.run_until_idle();
  EXPECT_EQ(cached(), (std::map<kube::ObjectName, std::int64_t>{{{"ns", "bad"}, 2}}));
  EXPECT_EQ(invalid, (std::vector<std::string>{"bad", "good"}));
  server.compact();
  server.put(kThings, {"ns", "x"}, thing(3));
  loop.run_until_idle();
  server.end_watches(std::nullopt);
  loop.advance(minutes(2));
  EXPECT_EQ(invalid.size(), 2U) << "once for each version";
}

TEST_F(KindWatchTest, TheServersEndOfAWatchLosesAndRepeatsNothing) {
  start();
  std::vector<std::string> seen;
  const auto consumer = watch->cache().subscribe([] {});
  for (int i = 0; i < 20; ++i) {
    server.put(kThings, {"ns", "a"}, thing(i));
    loop.advance(seconds(1));
    server.end_watches(std::nullopt);
    loop.advance(seconds(1));
    for (const auto& change : consumer->take().changes) seen.push_back(concat(change.name.name, change.value->number));
  }
  EXPECT_EQ(seen.size(), 20U);
  EXPECT_EQ(server.requests("list"), 1);
}

TEST_F(KindWatchTest, AfterTheHistoryIsGoneWhatVanishedIsRemovedAndTheRestIsNotRepeated) {
  for (int i = 0; i < 5; ++i) server.put(kThings, {"ns", concat("t", i)}, thing(i));
  start();
  std::vector<std::string> seen;
  const auto consumer = watch->cache().subscribe([] {});
  loop.run_until_idle();
  consumer->take();
  int failures = 0;
  server.on_request = [&](std::string_view verb, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    if (verb != "watch" || ++failures > 1) return std::nullopt;
    server.erase(kThings, {"ns", "t1"});  // while we are away
    server.put(kThings, {"ns", "t2"}, thing(22));
    server.compact();
    return kube::ApiError{.code = ErrorCode::kUnavailable, .message = "away"};
  };
  server.end_watches(kube::ApiError{.code = ErrorCode::kUnavailable, .message = "cut"});
  loop.advance(minutes(1));
  for (const auto& change : consumer->take().changes) {
    seen.push_back(change.value ? concat(change.name.name, "=", change.value->number) : concat("-", change.name.name));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"-t1", "t2=22"}));
}

TEST_F(KindWatchTest, AFailingServerIsReportedAndNothingIsRemoved) {
  server.put(kThings, {"ns", "a"}, thing(1));
  start();
  loop.run_until_idle();
  server.on_request = [](std::string_view, const kube::ResourceType&) {
    return std::optional(
        kube::ApiError{.code = ErrorCode::kPermissionDenied, .message = "forbidden", .http_status = 403});
  };
  server.end_watches(kube::ApiError{.code = ErrorCode::kGone, .message = "gone"});
  loop.advance(minutes(10));
  ASSERT_NE(watch->driver().last_error(), nullptr);
  EXPECT_EQ(watch->driver().last_error()->message, "forbidden");
  EXPECT_EQ(cached(), truth()) << "fail static";
  const int lists = server.requests("list");
  EXPECT_LT(lists, 80) << "with backoff";
  server.on_request = nullptr;
  loop.advance(minutes(2));
  EXPECT_EQ(watch->driver().last_error(), nullptr);
}

TEST_F(KindWatchTest, LogsAndMetricsTellWhatHappens) {
  telemetry::CaptureSink sink;
  telemetry::LogOutput output(
      sink, [] { return WallTime{}; }, telemetry::Level::kInfo);
  server.put(kThings, {"ns", "bad"}, bad_thing(1));
  server.on_request = [&](std::string_view, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    if (server.requests("list") > 3) return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kUnavailable, .message = "etcd is away"};
  };
  KindWatch<Thing> logged({loop, random, server, telemetry::Logger(output), &metrics}, {.type = kThings},
                          {.decode = decode_thing});
  logged.start();
  loop.advance(minutes(1));
  const telemetry::Labels labels = {{"resource", "things.example.org"}};
  EXPECT_EQ(metrics.counter({"margay_watch_failures_total", "", ""}, labels).value(), 3U);
  EXPECT_EQ(metrics.counter({"margay_watch_invalid_objects_total", "", ""}, labels).value(), 1U);
  EXPECT_EQ(metrics.gauge({"margay_watch_in_sync", "", ""}, labels).value(), 1);
  EXPECT_EQ(metrics.gauge({"margay_watch_objects", "", ""}, labels).value(), 1);
  ASSERT_FALSE(sink.lines().empty());
  EXPECT_NE(sink.lines()[0].find("cannot list"), std::string::npos) << sink.lines()[0];
  EXPECT_NE(sink.lines()[0].find("etcd is away"), std::string::npos);
  EXPECT_NE(sink.lines().back().find("in sync"), std::string::npos);
  EXPECT_LE(sink.lines().size(), 3U) << "failures in quick succession are one line";
}

TEST_F(KindWatchTest, AKindThatIsNotServedIsToldOnceUntilItIs) {
  telemetry::CaptureSink sink;
  telemetry::LogOutput output(
      sink, [] { return WallTime{}; }, telemetry::Level::kInfo);
  const auto refuse = [](std::string_view, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    return kube::ApiError{.code = ErrorCode::kNotFound, .message = "no such kind", .http_status = 404};
  };
  server.on_request = refuse;
  KindWatch<Thing> logged({loop, random, server, telemetry::Logger(output), &metrics}, {.type = kThings},
                          {.decode = decode_thing});
  logged.start();
  loop.advance(minutes(60));
  EXPECT_GT(server.requests("list"), 10) << "it may be served some day";
  EXPECT_EQ(sink.lines().size(), 1U);
  server.on_request = nullptr;
  loop.advance(minutes(2));
  EXPECT_NE(sink.lines().back().find("in sync"), std::string::npos);
}

// A server with one of two versions, which is changed to the other under the watch.
TEST_F(KindWatchTest, AnOlderVersionIsReadWhereTheNewerIsNotServed) {
  std::string served = "v1beta1";
  server.on_request = [&](std::string_view, const kube::ResourceType& type) -> std::optional<kube::ApiError> {
    if (type.version == served) return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kNotFound, .message = "no such version", .http_status = 404};
  };
  kube::ResourceType old = kThings;
  old.version = "v1beta1";
  for (const kube::ResourceType& type : {old, kThings}) server.put(type, {"ns", "a"}, thing(1));
  int failures = 0;
  KindWatch<Thing> things({loop, random, server, telemetry::Logger(), &metrics},
                          {.type = kThings, .old_version = "v1beta1"}, {.decode = decode_thing});
  things.set_on_failure([&](const kube::ApiError&) { ++failures; });
  things.start();
  loop.advance(seconds(1));
  EXPECT_EQ(things.cache().size(), 1U);
  EXPECT_EQ(things.driver().source().type.version, "v1beta1");
  EXPECT_EQ(failures, 0) << "it does not count as missing in between";
  served = "v1";
  server.end_watches(std::nullopt);
  loop.advance(minutes(1));
  EXPECT_EQ(things.driver().source().type.version, "v1");
  EXPECT_EQ(things.driver().last_error(), nullptr);
  served = "none";
  server.end_watches(std::nullopt);
  loop.advance(minutes(10));
  EXPECT_GT(failures, 0);
  EXPECT_EQ(things.cache().size(), 1U) << "fail static";
  served = "v1beta1";
  loop.advance(minutes(2));
  EXPECT_EQ(things.driver().source().type.version, "v1beta1");
  EXPECT_EQ(things.driver().last_error(), nullptr);
}

TEST(ObjectReader, RefusesWhatHasNoName) {
  for (const char* odd :
       {"{}", "{", "{\"metadata\":7}", "{\"metadata\":{\"name\":7}}", "{\"metadata\":{\"name\":\"\"}}"}) {
    ObjectReader reader;
    EXPECT_FALSE(reader.read(odd).ok()) << odd;
    EXPECT_TRUE(reader.read(R"({"metadata":{"name":"a","resourceVersion":"5"}})").ok()) << "after " << odd;
  }
  ObjectReader reader;
  const auto bookmark = reader.read(R"({"metadata":{"resourceVersion":"5"}})", true);
  ASSERT_TRUE(bookmark.ok());
  EXPECT_EQ(bookmark->version, "5");
}

// Random histories on the server's side, faults of every kind on the way: at the end the cache has what the server has,
// and no consumer ever saw a value older than one it had seen before.
class RandomHistory : public KindWatchTest, public testing::WithParamInterface<int> {
 protected:
  void change_something() {
    const kube::ObjectName name{"ns", concat("t", random.below(12))};
    switch (random.below(8)) {
      case 0:
      case 1: server.erase(kThings, name); break;
      case 2: server.put(kThings, name, bad_thing(++number_)); break;
      case 3: server.put(kOthers, name, thing(++number_)); break;
      default: server.put(kThings, name, thing(++number_)); break;
    }
  }
  void disturb() {
    switch (random.below(6)) {
      case 0: server.compact(); break;
      case 1: server.end_watches(std::nullopt); break;
      case 2: server.end_watches(kube::ApiError{.code = ErrorCode::kUnavailable, .message = "cut"}); break;
      case 3:
        server.end_watches(kube::ApiError{.code = ErrorCode::kGone, .message = "gone", .http_status = 410});
        break;
      default: server.send_bookmarks(); break;
    }
  }
  void take(std::size_t max) {
    for (const auto& change : consumer_->take(max).changes) {
      if (change.value == nullptr) {
        EXPECT_EQ(seen_.erase(change.name), 1U) << "a deletion of what it never had";
        continue;
      }
      auto& newest = newest_[change.name];
      EXPECT_GT(change.value->number, newest) << change.name.name << ": older than before, or repeated";
      newest = change.value->number;
      seen_[change.name] = newest;
    }
  }

  std::unique_ptr<Consumer<Thing>> consumer_;
  std::map<kube::ObjectName, std::int64_t> seen_;
  std::map<kube::ObjectName, std::int64_t> newest_;
  std::int64_t number_ = 0;
};

TEST_P(RandomHistory, EndsEqualToTheServerAndNeverGoesBack) {
  for (int round = 0; round < 25; ++round) {
    random = SeededRandom(static_cast<std::uint64_t>(GetParam() * 1000 + round));
    SCOPED_TRACE(concat("seed ", GetParam() * 1000 + round));
    for (int i = 0; i < 20; ++i) change_something();
    server.faults = {.call_fails = 0.2,
                     .list_is_cut = 0.2,
                     .watch_is_cut = 0.02,
                     .watch_is_gone = 0.1,
                     .event_is_doubled = 0.2,
                     .first_list_is_stale = 0.5,
                     .pages_are_shuffled = true,
                     .answer_delay_max = random.below(2) == 0 ? Duration::zero() : Duration(milliseconds(300))};
    start();
    seen_.clear();
    newest_.clear();
    consumer_ = watch->cache().subscribe([] {});
    for (int step = 0; step < 300; ++step) {
      const std::uint64_t choice = random.below(10);
      if (choice < 6) change_something();
      if (choice == 6) disturb();
      if (choice > 6) take(random.below(5));
      loop.advance(milliseconds(random.below(200)));
    }
    server.faults = {};
    loop.advance(minutes(5));
    take(1000);
    ASSERT_TRUE(watch->cache().is_in_sync());
    ASSERT_EQ(cached(), truth());
    ASSERT_EQ(seen_, truth());
    consumer_.reset();
    watch.reset();
    loop.run_until_idle();
    EXPECT_EQ(server.watch_count(), 0U) << "destroying it ends its watch";
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, testing::Range(1, 9));

}  // namespace
}  // namespace margay::watch
