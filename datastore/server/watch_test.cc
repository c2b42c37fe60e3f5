// Lists and watches, as a client sees them.
#include "base/core/text.h"
#include "datastore/server/server_harness.h"
#include "gtest/gtest.h"

namespace margay::server {
namespace {

using std::chrono::seconds;
using Events = std::vector<std::string>;

class WatchTest : public testing::Test {
 protected:
  void SetUp() override { make(); }
  void make(store::MemoryStoreConfig config = {}) {
    server = std::make_unique<ServerHarness>(ApiServerConfig{}, std::move(config));
    ASSERT_EQ(server->call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", kFooCrd).status, 201);
  }
  void create(std::string_view name, std::string_view metadata = "") {
    ASSERT_EQ(server->call("POST", kFoos, foo(name, metadata)).status, 201);
  }
  void label(std::string_view name, std::string_view value) {
    server->call("PATCH", concat(kFoos, "/", name), concat(R"({"metadata":{"labels":{"x":)", value, "}}}"),
                 {{"Content-Type", "application/merge-patch+json"}});
  }
  AnswerPtr watch(std::string_view query) {
    AnswerPtr answer = server->begin("GET", concat(kFoos, "?watch=1", query));
    server->loop.run_until_idle();
    return answer;
  }
  std::string version() {
    return std::string(server->call("GET", kFoos).json().string_at({"metadata", "resourceVersion"}));
  }
  static Events names(const json::Value& list) {
    Events out;
    for (const json::Value& item : *list.find("items")->as_array())
      out.emplace_back(item.string_at({"metadata", "name"}));
    return out;
  }

  std::unique_ptr<ServerHarness> server;
};

TEST_F(WatchTest, PagesComeFromTheFirstOnesSnapshot) {
  for (const char* name : {"a", "b", "c"}) create(name);
  const json::Value first = server->call("GET", concat(kFoos, "?limit=2")).json();
  EXPECT_EQ(names(first), (Events{"a", "b"}));
  EXPECT_EQ(*first.find({"metadata", "remainingItemCount"}), json::Value(1));
  create("b2");
  create("d");
  const json::Value second =
      server->call("GET", concat(kFoos, "?limit=2&continue=", first.string_at({"metadata", "continue"}))).json();
  EXPECT_EQ(names(second), Events{"c"});
  EXPECT_EQ(second.string_at({"metadata", "resourceVersion"}), first.string_at({"metadata", "resourceVersion"}));
  EXPECT_EQ(second.find({"metadata", "continue"}), nullptr);
}

TEST_F(WatchTest, ForgottenPageIsExpiredAndSaysHowToGoOn) {
  make({.history = {.changes_max = 2, .bytes_max = 1'000'000}, .snapshot_path = "", .on_snapshot_error = {}});
  for (const char* name : {"a", "b", "c"}) create(name);
  const std::string token(server->call("GET", concat(kFoos, "?limit=1")).json().string_at({"metadata", "continue"}));
  for (const char* name : {"d", "e", "f"}) create(name);
  const Answer expired = server->call("GET", concat(kFoos, "?limit=1&continue=", token));
  EXPECT_EQ(expired.status, 410);
  EXPECT_EQ(expired.json().string_at({"reason"}), "Expired");
  const std::string inconsistent(expired.json().string_at({"metadata", "continue"}));
  ASSERT_FALSE(inconsistent.empty());
  EXPECT_EQ(names(server->call("GET", concat(kFoos, "?limit=9&continue=", inconsistent)).json()),
            (Events{"b", "c", "d", "e", "f"}));
}

TEST_F(WatchTest, SelectorsFilterLists) {
  create("a", R"(,"labels":{"x":"1"})");
  create("b", R"(,"labels":{"x":"2"})");
  create("c");
  const auto list = [&](std::string_view query) {
    return names(server->call("GET", concat(kFoos, "?", query)).json());
  };
  EXPECT_EQ(list("labelSelector=x%3D1"), Events{"a"});
  EXPECT_EQ(list("labelSelector=x"), (Events{"a", "b"}));
  EXPECT_EQ(list("labelSelector=%21x"), Events{"c"});
  EXPECT_EQ(list("fieldSelector=metadata.name%3Db"), Events{"b"});
  EXPECT_EQ(list("fieldSelector=metadata.name%21%3Db,metadata.namespace%3Ddefault"), (Events{"a", "c"}));
  EXPECT_EQ(list("labelSelector=x&limit=1"), Events{"a"});
  EXPECT_EQ(server->call("GET", concat(kFoos, "?fieldSelector=spec.cidr%3D1")).status, 400);
  EXPECT_EQ(server->call("GET", concat(kFoos, "?labelSelector=a%20b%20c")).status, 400);
}

TEST_F(WatchTest, VersionsOfAListAreObeyed) {
  create("a");
  const std::string then = version();
  create("b");
  const auto list = [&](std::string_view query) -> Answer& { return server->call("GET", concat(kFoos, "?", query)); };
  EXPECT_EQ(names(list(concat("resourceVersionMatch=Exact&resourceVersion=", then)).json()), Events{"a"});
  EXPECT_EQ(names(list(concat("resourceVersion=", then)).json()), (Events{"a", "b"}));
  EXPECT_EQ(names(list(concat("limit=5&resourceVersion=", then)).json()), Events{"a"});
  EXPECT_EQ(names(list("resourceVersion=0").json()), (Events{"a", "b"}));
  EXPECT_EQ(list("resourceVersion=9999999999999999").status, 504);
  EXPECT_EQ(list("resourceVersion=abc").status, 400);
  EXPECT_EQ(list("resourceVersionMatch=Exact").status, 422);
  EXPECT_EQ(list("resourceVersionMatch=Exact&resourceVersion=0").status, 422);
  EXPECT_EQ(list("resourceVersionMatch=Bogus&resourceVersion=1").status, 422);
  EXPECT_EQ(list("continue=abc").status, 400);
  EXPECT_EQ(list("limit=x").status, 400);
}

TEST_F(WatchTest, LongListIsStreamedAndWaitsForASlowReader) {
  for (int i = 0; i < 1200; ++i) create(concat("n", 10'000 + i));
  const AnswerPtr answer = server->begin("GET", kFoos);
  answer->queued = 100'000'000;
  server->loop.run_until_idle();
  EXPECT_FALSE(answer->is_complete);
  const std::size_t so_far = answer->body.size();
  EXPECT_GT(so_far, 0U);
  create("z");  // is not part of the snapshot
  answer->queued = 0;
  answer->on_drained();
  server->loop.run_until_idle();
  EXPECT_TRUE(answer->is_complete);
  EXPECT_EQ(answer->json().find("items")->as_array()->size(), 1200U);
}

TEST_F(WatchTest, ClientThatLeavesDuringAListCostsNothingMore) {
  for (int i = 0; i < 1200; ++i) create(concat("n", 10'000 + i));
  const AnswerPtr answer = server->begin("GET", kFoos);
  answer->queued = 100'000'000;
  server->loop.run_until_idle();
  answer->on_closed();
  server->loop.run_until_idle();
  EXPECT_FALSE(answer->is_complete);
}

TEST_F(WatchTest, WithoutAVersionThePresentComesFirst) {
  create("a");
  create("b");
  for (const char* query : {"", "&resourceVersion=0"}) {
    const AnswerPtr answer = watch(query);
    EXPECT_EQ(answer->events(), (Events{"ADDED a", "ADDED b"}));
    answer->on_closed();
  }
}

TEST_F(WatchTest, ClientThatStoppedSendingGetsThePresentAndTheEnd) {
  for (int i = 0; i < 1200; ++i) create(concat("n", 10'000 + i));
  const AnswerPtr listing = server->begin("GET", concat(kFoos, "?watch=1"));
  listing->queued = 100'000'000;
  server->loop.run_until_idle();
  listing->on_input_end();
  EXPECT_FALSE(listing->is_complete) << "the present is not all there yet";
  listing->queued = 0;
  listing->on_drained();
  server->loop.run_until_idle();
  EXPECT_TRUE(listing->is_complete);
  EXPECT_EQ(listing->events().size(), 1200U);
  const AnswerPtr watching = watch("");
  EXPECT_FALSE(watching->is_complete);
  watching->on_input_end();
  EXPECT_TRUE(watching->is_complete);
}

TEST_F(WatchTest, FromAVersionOnlyWhatFollows) {
  create("a");
  const AnswerPtr answer = watch(concat("&resourceVersion=", version()));
  EXPECT_TRUE(answer->events().empty());
  create("b");
  label("b", "\"1\"");
  server->call("DELETE", concat(kFoos, "/b"));
  EXPECT_EQ(answer->events(), (Events{"ADDED b", "MODIFIED b", "DELETED b"}));
}

TEST_F(WatchTest, SelectorMakesChangesAppearAndDisappear) {
  create("a");
  const AnswerPtr answer = watch("&labelSelector=x%3D1");
  EXPECT_TRUE(answer->events().empty());
  label("a", "\"1\"");
  label("a", "\"2\"");
  label("a", "\"1\"");
  server->call("PATCH", concat(kFoos, "/a"), R"({"spec":{"n":9}})", {{"Content-Type", "application/merge-patch+json"}});
  server->call("DELETE", concat(kFoos, "/a"));
  EXPECT_EQ(answer->events(), (Events{"ADDED a", "DELETED a", "ADDED a", "MODIFIED a", "DELETED a"}));
}

TEST_F(WatchTest, ForgottenVersionIsAnErrorEvent) {
  make({.history = {.changes_max = 2, .bytes_max = 1'000'000}, .snapshot_path = "", .on_snapshot_error = {}});
  const std::string then = version();
  for (const char* name : {"a", "b", "c", "d"}) create(name);
  const AnswerPtr answer = watch(concat("&resourceVersion=", then));
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->is_complete);
  EXPECT_EQ(answer->events(), Events{"ERROR"});
  EXPECT_NE(answer->body.find("\"code\":410"), std::string::npos);
}

TEST_F(WatchTest, BookmarksComeEveryHalfMinuteAndBeforeTheEnd) {
  create("a");
  const AnswerPtr answer = watch(concat("&allowWatchBookmarks=true&timeoutSeconds=70&resourceVersion=", version()));
  create("b");
  const std::string now = version();
  server->loop.advance(seconds(31));
  ASSERT_EQ(answer->events(), (Events{"ADDED b", "BOOKMARK"}));
  EXPECT_NE(answer->body.find(concat("\"BOOKMARK\",\"object\":{\"kind\":\"Foo\",\"apiVersion\":\"example.org/"
                                     "v1\",\"metadata\":{\"resourceVersion\":\"",
                                     now, "\"")),
            std::string::npos)
      << answer->body;
  server->loop.advance(seconds(40));
  EXPECT_TRUE(answer->is_complete);
  EXPECT_EQ(answer->events().back(), "BOOKMARK");
  EXPECT_EQ(answer->events().size(), 4U);
}

TEST_F(WatchTest, WithoutBookmarksTheTimeoutJustEnds) {
  const AnswerPtr answer = watch(concat("&timeoutSeconds=5&resourceVersion=", version()));
  server->loop.advance(seconds(6));
  EXPECT_TRUE(answer->is_complete);
  EXPECT_EQ(answer->body, "");
}

TEST_F(WatchTest, InitialEventsEndWithAMarkedBookmark) {
  create("a");
  const AnswerPtr answer =
      watch("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=1");
  EXPECT_EQ(answer->events(), (Events{"ADDED a", "BOOKMARK"}));
  EXPECT_NE(answer->body.find("k8s.io/initial-events-end"), std::string::npos);
}

TEST_F(WatchTest, SlowReaderIsCutOff) {
  const AnswerPtr answer = watch(concat("&resourceVersion=", version()));
  answer->queued = 20'000'000;
  create("a");
  EXPECT_TRUE(answer->is_aborted);
  create("b");
  EXPECT_EQ(answer->events(), Events{"ADDED a"});
}

TEST_F(WatchTest, StopEndsWatchesInOrder) {
  const AnswerPtr answer = watch("");
  server->server().stop();
  server->loop.run_until_idle();
  EXPECT_TRUE(answer->is_complete);
  EXPECT_FALSE(answer->is_aborted);
}

TEST_F(WatchTest, TablesOfAWatchNameTheirColumnsOnce) {
  create("a");
  create("b");
  const AnswerPtr answer =
      server->begin("GET", concat(kFoos, "?watch=1"), "", {{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"}});
  server->loop.run_until_idle();
  const std::size_t first = answer->body.find("\"columnDefinitions\":[");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(answer->body.find("\"columnDefinitions\":[", first + 1), std::string::npos);
  EXPECT_NE(answer->body.find("\"columnDefinitions\":null", first), std::string::npos);
}

TEST_F(WatchTest, PodsAreSelectedByNode) {
  const auto pod = [&](std::string_view name, std::string_view node) {
    return server
        ->call("POST", "/api/v1/namespaces/default/pods",
               concat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")", name, R"("},"spec":{"nodeName":")",
                      node, R"(","containers":[{"name":"c","image":"i"}]}})"))
        .status;
  };
  ASSERT_EQ(pod("p1", "n1"), 201);
  ASSERT_EQ(pod("p2", "n2"), 201);
  const json::Value list = server->call("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn2").json();
  EXPECT_EQ(names(list), Events{"p2"});
}

}  // namespace
}  // namespace margay::server
