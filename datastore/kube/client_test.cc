// Whole calls over a simulated network, in virtual time.
#include <gtest/gtest.h>

#include "base/core/text.h"
#include "base/telemetry/capture_sink.h"
#include "datastore/kube/sim_api.h"

namespace margay::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kUrl = "http://10.0.0.1:6443";
constexpr const char* kEndpoint = "tcp://10.0.0.1:6443";
constexpr const char* kStatus = R"({"kind":"Status","reason":"X","message":"because"})";

struct ClientTest : testing::Test {
  void start(const ClientOptions& options = {}) { client = world.client(connection, options); }
  void run(const std::function<bool()>& condition, Duration limit = std::chrono::hours(1)) {
    ASSERT_TRUE(world.loop.run_until(condition, limit));
  }
  ApiResult<json::Value> get(Outcome<json::Value>& outcome) {
    outcome.operation = client->get(kPools, {"", "a"}, outcome.done());
    EXPECT_FALSE(outcome.is_over()) << "from inside the call";
    EXPECT_TRUE(world.loop.run_until([&] { return outcome.is_over(); }, std::chrono::hours(1)));
    return *outcome.result;
  }

  SimWorld world;
  SimServer server{world.loop, world.network, kEndpoint};
  ConnectionConfig connection = world.config(kUrl);
  std::unique_ptr<Client> client;
};

TEST_F(ClientTest, ARequestCarriesWhatTheServerNeeds) {
  connection.token = "secret";
  connection.servers[0].path_prefix = "/k8s/clusters/c-1";
  start({.user_agent = "netctl/1"});
  server.always(200, R"({"kind":"IPPool"})");
  Outcome<json::Value> outcome;
  ASSERT_TRUE(get(outcome).ok());
  ASSERT_EQ(server.requests.size(), 1U);
  const http::Request& request = server.requests[0];
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/k8s/clusters/c-1/apis/projectcalico.org/v3/ippools/a");
  EXPECT_EQ(request.headers.get("Host"), "10.0.0.1:6443");
  EXPECT_EQ(request.headers.get("Authorization"), "Bearer secret");
  EXPECT_EQ(request.headers.get("Accept"), "application/json");
  EXPECT_EQ(request.headers.get("User-Agent"), "netctl/1");
}

TEST_F(ClientTest, WritesUseTheirMethodPathAndBody) {
  start();
  server.always(201, "{}");
  const json::Value object = json::Object{{"kind", "Pod"}};
  Outcome<json::Value> outcomes[6];
  const ObjectName name{"ns", "a"};
  outcomes[0].operation = client->create(kPods, "ns", object, {}, outcomes[0].done());
  outcomes[1].operation = client->update(kPods, name, object, {.dry_run = true}, outcomes[1].done());
  outcomes[2].operation = client->update_status(kPods, name, object, {}, outcomes[2].done());
  outcomes[3].operation = client->patch(kPods, name, "", PatchType::kApply, "a: 1",
                                        {.field_manager = "me", .force = true}, outcomes[3].done());
  outcomes[4].operation = client->remove(kPods, name, {.uid = "u"}, outcomes[4].done());
  outcomes[5].operation = client->remove(kPods, name, {}, outcomes[5].done());
  for (const auto& outcome : outcomes) run([&] { return outcome.is_over(); });
  std::vector<std::string> seen;
  for (const http::Request& r : server.requests) {
    seen.push_back(concat(r.method, " ", r.target, " ", r.headers.get("Content-Type"), " ", r.body));
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<std::string>{
                      "DELETE /api/v1/namespaces/ns/pods/a  ",
                      concat("DELETE /api/v1/namespaces/ns/pods/a application/json ",
                             R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"u"}})"),
                      "PATCH /api/v1/namespaces/ns/pods/a?fieldManager=me&force=true application/apply-patch+yaml a: 1",
                      R"(POST /api/v1/namespaces/ns/pods application/json {"kind":"Pod"})",
                      R"(PUT /api/v1/namespaces/ns/pods/a/status application/json {"kind":"Pod"})",
                      R"(PUT /api/v1/namespaces/ns/pods/a?dryRun=All application/json {"kind":"Pod"})"}));
}

TEST_F(ClientTest, NamesThatCannotBeFailWithoutARequest) {
  start();
  Outcome<json::Value> get_without_name;
  Outcome<json::Value> create_without_namespace;
  get_without_name.operation = client->get(kPools, {"", ""}, get_without_name.done());
  create_without_namespace.operation = client->create(kPods, "", {}, {}, create_without_namespace.done());
  EXPECT_FALSE(get_without_name.is_over()) << "from inside the call";
  run([&] { return get_without_name.is_over() && create_without_namespace.is_over(); });
  EXPECT_EQ(get_without_name.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(create_without_namespace.error().message, "Pod needs a namespace");
  EXPECT_TRUE(server.requests.empty());
}

TEST_F(ClientTest, ListHandsOverItemsAsTheyArrive) {
  start();
  std::unique_ptr<http::Responder> responder;
  server.answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    responder = std::move(r);
    responder->start({.status = 200, .headers = {}});
    responder->write(R"({"kind":"PodList","items":[{"a":1},{"b")");
  };
  std::vector<std::string> items;
  Outcome<ListMeta> outcome;
  outcome.operation =
      client->list(kPods, "", {.limit = 2},
                   {.on_item = [&](std::string_view item) { items.emplace_back(item); }, .on_done = outcome.done()});
  run([&] { return items.size() == 1; });
  EXPECT_EQ(items[0], R"({"a":1})");
  responder->write(R"(:2}],"metadata":{"resourceVersion":"7","continue":"c","remainingItemCount":9}})");
  responder->finish();
  run([&] { return outcome.is_over(); });
  ASSERT_TRUE(outcome.result->ok()) << outcome.error().message;
  EXPECT_EQ(items.at(1), R"({"b":2})");
  EXPECT_EQ((*outcome.result)->resource_version, "7");
  EXPECT_EQ((*outcome.result)->continue_token, "c");
  EXPECT_EQ((*outcome.result)->remaining_item_count, 9);
}

TEST_F(ClientTest, AListCutShortAfterAnItemIsNotSentAgain) {
  start();
  server.answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    r->start({.status = 200, .headers = {}});
    r->write(R"({"items":[{"a":1},)");
    server.held.push_back(std::move(r));
  };
  int items = 0;
  Outcome<ListMeta> outcome;
  outcome.operation =
      client->list(kPods, "", {}, {.on_item = [&](std::string_view) { ++items; }, .on_done = outcome.done()});
  run([&] { return items == 1; });
  server.held[0]->abort();
  run([&] { return outcome.is_over(); });
  EXPECT_EQ(outcome.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(server.requests.size(), 1U);
  EXPECT_EQ(items, 1);
}

TEST_F(ClientTest, AListThatFailedBeforeItsFirstItemIsSentAgain) {
  start();
  server.answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    if (server.requests.size() == 1) {
      r->start({.status = 200, .headers = {}});
      r->write(R"({"kind":"PodList",)");
      r->abort();
      return;
    }
    r->send({.status = 200, .headers = {}, .body = R"({"kind":"PodList","items":[{}]})"});
  };
  int items = 0;
  Outcome<ListMeta> outcome;
  outcome.operation =
      client->list(kPods, "", {}, {.on_item = [&](std::string_view) { ++items; }, .on_done = outcome.done()});
  run([&] { return outcome.is_over(); });
  EXPECT_TRUE(outcome.result->ok());
  EXPECT_EQ(items, 1);
  EXPECT_EQ(server.requests.size(), 2U);
}

struct SeenWatch {
  std::vector<std::pair<WatchEvent::Kind, std::string>> events;
  int opened = 0;
  Outcome<std::monostate> outcome;

  WatchEvents callbacks() {
    return {.on_open = [this] { ++opened; },
            .on_event = [this](const WatchEvent& e) { events.emplace_back(e.kind, std::string(e.object_json)); },
            .on_done = outcome.done()};
  }
};

TEST_F(ClientTest, AWatchStreamsEventsUntilTheServerEndsIt) {
  start();
  std::unique_ptr<http::Responder> responder;
  server.answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    responder = std::move(r);
    responder->start({.status = 200, .headers = {}});
  };
  SeenWatch watch;
  watch.outcome.operation =
      client->watch(kPods, "", {.resource_version = "5", .server_timeout = seconds(300)}, watch.callbacks());
  run([&] { return watch.opened == 1; });
  EXPECT_EQ(server.requests[0].target,
            "/api/v1/pods?watch=true&resourceVersion=5&allowWatchBookmarks=true&timeoutSeconds=300");
  responder->write(R"({"type":"ADDED","object":{"a":1}})"
                   "\n"
                   R"({"type":"MODIFIED","obj)");
  run([&] { return watch.events.size() == 1; });
  responder->write(R"(ect":{"a":2}}{"type":"BOOKMARK","object":{}})"
                   "\n"
                   R"({"type":"DELETED","object":{"a":3}})");
  responder->finish();
  run([&] { return watch.outcome.is_over(); });
  EXPECT_TRUE(watch.outcome.result->ok());
  using Kind = WatchEvent::Kind;
  EXPECT_EQ(watch.events, (std::vector<std::pair<Kind, std::string>>{{Kind::kAdded, R"({"a":1})"},
                                                                     {Kind::kModified, R"({"a":2})"},
                                                                     {Kind::kBookmark, "{}"},
                                                                     {Kind::kDeleted, R"({"a":3})"}}));
}

TEST_F(ClientTest, AWatchEndsWithWhatWentWrong) {
  struct Case {
    const char* why;
    int status;
    const char* body;
    bool is_cut;
    ErrorCode code;
    std::size_t events;
  };
  const std::vector<Case> cases = {
      {"history gone, as an event", 200,
       R"({"type":"ADDED","object":{}}{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})",
       false, ErrorCode::kGone, 1},
      {"history gone, as an answer", 410, kStatus, false, ErrorCode::kGone, 0},
      {"throttled: not retried", 429, kStatus, false, ErrorCode::kUnavailable, 0},
      {"server error: not retried", 500, kStatus, false, ErrorCode::kUnavailable, 0},
      {"forbidden", 403, kStatus, false, ErrorCode::kPermissionDenied, 0},
      {"cut inside an event", 200, R"({"type":"ADDED","object":{}}{"type":"ADD)", true, ErrorCode::kUnavailable, 1},
      {"ended inside an event", 200, R"({"type":"ADDED","object":{}}{"type":"ADD)", false, ErrorCode::kUnavailable, 1},
      {"unknown type", 200, R"({"type":"RENAMED","object":{}})", false, ErrorCode::kInvalid, 0},
      {"not JSON", 200, "<html>", false, ErrorCode::kInvalid, 0},
  };
  for (const Case& c : cases) {
    start();
    server.requests.clear();
    server.answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
      r->start({.status = c.status, .headers = {}});
      r->write(c.body);
      if (!c.is_cut) return r->finish();
      server.held.push_back(std::move(r));
    };
    SeenWatch watch;
    watch.outcome.operation = client->watch(kPods, "", {.resource_version = "5"}, watch.callbacks());
    if (c.is_cut) {
      run([&] { return watch.events.size() == c.events; });
      server.held.back()->abort();
    }
    run([&] { return watch.outcome.is_over(); });
    ASSERT_FALSE(watch.outcome.result->ok()) << c.why;
    EXPECT_EQ(watch.outcome.error().code, c.code) << c.why;
    EXPECT_EQ(watch.events.size(), c.events) << c.why;
    EXPECT_EQ(server.requests.size(), 1U) << c.why;
    EXPECT_EQ(watch.opened, c.status == 200 ? 1 : 0) << c.why;
  }
}

TEST_F(ClientTest, AWatchThatTheServerForgetsToEndTimesOut) {
  start();
  server.answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    r->start({.status = 200, .headers = {}});
    server.held.push_back(std::move(r));
  };
  SeenWatch watch;
  watch.outcome.operation = client->watch(kPods, "", {.server_timeout = seconds(300)}, watch.callbacks());
  EXPECT_FALSE(world.loop.run_until([&] { return watch.outcome.is_over(); }, seconds(329)));
  EXPECT_TRUE(world.loop.run_until([&] { return watch.outcome.is_over(); }, seconds(2)));
  EXPECT_EQ(watch.outcome.error().code, ErrorCode::kTimeout);
}

TEST_F(ClientTest, ReadsAreSentAgainWhileTheServerIsInTrouble) {
  start();
  server.answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    if (server.requests.size() == 1) return r->send({.status = 500, .headers = {}, .body = kStatus});
    if (server.requests.size() == 2) return r->abort();
    if (server.requests.size() == 3) return r->send({.status = 503, .headers = {}, .body = ""});
    r->send({.status = 200, .headers = {}, .body = "{}"});
  };
  Outcome<json::Value> outcome;
  EXPECT_TRUE(get(outcome).ok());
  EXPECT_EQ(server.requests.size(), 4U);
}

TEST_F(ClientTest, ReadsGiveUpAfterAFewAttemptsWithTheLastError) {
  start();
  server.always(500, kStatus);
  Outcome<json::Value> outcome;
  EXPECT_FALSE(get(outcome).ok());
  EXPECT_EQ(outcome.error().http_status, 500);
  EXPECT_EQ(outcome.error().message, "because");
  EXPECT_EQ(server.requests.size(), 6U);
  EXPECT_LT(world.loop.now().time_since_epoch(), Duration(seconds(15)));
}

TEST_F(ClientTest, WritesAreSentAgainOnlyWhenTheServerCannotHaveDoneThem) {
  struct Case {
    const char* why;
    std::function<void(std::unique_ptr<http::Responder>)> first_answer;
    std::size_t requests;
  };
  const std::vector<Case> cases = {
      {"throttled", [](auto r) { r->send({.status = 429, .headers = {}, .body = ""}); }, 2},
      {"server error", [](auto r) { r->send({.status = 500, .headers = {}, .body = ""}); }, 1},
      {"lost after it was sent", [](auto r) { r->abort(); }, 1},
      {"conflict", [](auto r) { r->send({.status = 409, .headers = {}, .body = ""}); }, 1},
  };
  for (const Case& c : cases) {
    start();
    server.requests.clear();
    server.answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
      if (server.requests.size() == 1) return c.first_answer(std::move(r));
      r->send({.status = 201, .headers = {}, .body = "{}"});
    };
    Outcome<json::Value> outcome;
    outcome.operation = client->create(kPools, "", {}, {}, outcome.done());
    run([&] { return outcome.is_over(); });
    EXPECT_EQ(server.requests.size(), c.requests) << c.why;
    EXPECT_EQ(outcome.result->ok(), c.requests == 2) << c.why;
  }
}

TEST_F(ClientTest, AWriteWhoseConnectionIsRefusedIsSentOnceTheServerIsThere) {
  start();
  server.always(201, "{}");
  world.network.conditions.is_refusing = true;
  Outcome<json::Value> outcome;
  outcome.operation = client->create(kPools, "", {}, {}, outcome.done());
  world.loop.advance(milliseconds(400));
  EXPECT_FALSE(outcome.is_over());
  world.network.conditions.is_refusing = false;
  run([&] { return outcome.is_over(); });
  EXPECT_TRUE(outcome.result->ok()) << outcome.error().message;
  EXPECT_EQ(server.requests.size(), 1U);
}

TEST_F(ClientTest, RetryAfterIsObeyed) {
  start();
  http::Headers headers;
  headers.set("Retry-After", "7");
  server.always(429, kStatus, headers);
  Outcome<json::Value> outcome;
  outcome.operation = client->get(kPools, {"", "a"}, outcome.done());
  run([&] { return server.requests.size() == 1; });
  const TimePoint first = world.loop.now();
  run([&] { return server.requests.size() == 2; });
  EXPECT_GE(world.loop.now() - first, Duration(seconds(7)));
}

TEST_F(ClientTest, AnErrorThatTryingAgainCannotHelpComesAtOnceWithItsCauses) {
  start();
  server.always(422, R"({"kind":"Status","reason":"Invalid","message":"m",
      "details":{"causes":[{"reason":"FieldValueInvalid","field":"spec.cidr","message":"no"}]}})");
  Outcome<json::Value> outcome;
  EXPECT_FALSE(get(outcome).ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::kInvalid);
  ASSERT_EQ(outcome.error().causes.size(), 1U);
  EXPECT_EQ(outcome.error().causes[0].field, "spec.cidr");
  EXPECT_EQ(server.requests.size(), 1U);
}

TEST_F(ClientTest, WarningsOfTheServerAreToldOnceEach) {
  std::vector<std::string> told;
  start({.on_warning = [&](const std::string& text) { told.push_back(text); }});
  http::Headers headers;
  headers.add("Warning", R"(299 - "unknown field \"spec.x\"")");
  headers.add("Warning", R"(299 - "old")");
  for (const int status : {200, 200, 404}) {
    server.always(status, kStatus, headers);
    Outcome<json::Value> outcome;
    EXPECT_EQ(get(outcome).ok(), status == 200);
  }
  EXPECT_EQ(told, (std::vector<std::string>{R"(unknown field "spec.x")", "old"}));
}

TEST_F(ClientTest, WarningsThatNobodyTakesAreLogged) {
  telemetry::CaptureSink sink;
  telemetry::LogOutput output(sink, telemetry::no_clock, telemetry::Level::kInfo);
  start({.log = telemetry::Logger(output)});
  http::Headers headers;
  headers.add("Warning", R"(299 - "old")");
  server.always(200, "{}", headers);
  Outcome<json::Value> outcome;
  ASSERT_TRUE(get(outcome).ok());
  EXPECT_EQ(sink.lines(), std::vector<std::string>{"level=warn msg=\"the API server warns\" warning=old"});
}

TEST_F(ClientTest, ARotatedTokenIsUsedAfterA401) {
  world.files["/token"] = "old";
  connection.token_file = "/token";
  start();
  server.answer = [&](const http::Request& request, std::unique_ptr<http::Responder> r) {
    const bool is_new = request.headers.get("Authorization") == "Bearer new";
    world.files["/token"] = "new";  // rotated while the old one was under way
    r->send({.status = is_new ? 201 : 401, .headers = {}, .body = "{}"});
  };
  Outcome<json::Value> outcome;
  outcome.operation = client->create(kPools, "", {}, {}, outcome.done());
  run([&] { return outcome.is_over(); });
  EXPECT_TRUE(outcome.result->ok());
  EXPECT_EQ(server.requests.size(), 2U);
  EXPECT_EQ(world.loop.now(), TimePoint{}) << "at once";
}

TEST_F(ClientTest, ATokenThatIsStillTheSameIsNotTriedTwice) {
  world.files["/token"] = "old";
  connection.token_file = "/token";
  start();
  server.always(401, kStatus);
  Outcome<json::Value> outcome;
  EXPECT_FALSE(get(outcome).ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(server.requests.size(), 1U);
}

TEST_F(ClientTest, ATokenThatKeepsChangingIsTriedTwiceAtMost) {
  connection.token_file = "/token";
  world.files["/token"] = "0";
  start();
  server.answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    world.files["/token"] = concat(server.requests.size());
    r->send({.status = 401, .headers = {}, .body = ""});
  };
  Outcome<json::Value> outcome;
  EXPECT_FALSE(get(outcome).ok());
  EXPECT_EQ(server.requests.size(), 2U);
}

TEST_F(ClientTest, TheRateLimitSpreadsCallsOverTime) {
  start({.requests_per_second = 10, .burst = 5});
  server.always(200, "{}");
  std::vector<Outcome<json::Value>> outcomes(25);
  for (auto& outcome : outcomes) outcome.operation = client->get(kPools, {"", "a"}, outcome.done());
  world.loop.run_until_idle();
  EXPECT_EQ(server.requests.size(), 5U);
  world.loop.advance(milliseconds(999));
  EXPECT_EQ(server.requests.size(), 14U);
  world.loop.advance(milliseconds(1001));
  EXPECT_EQ(server.requests.size(), 25U);
}

TEST_F(ClientTest, AWatchCountsOnceHoweverLongItLasts) {
  start({.requests_per_second = 1, .burst = 2});
  std::unique_ptr<http::Responder> responder;
  server.answer = [&](const http::Request& request, std::unique_ptr<http::Responder> r) {
    if (request.target.find("watch=") == std::string::npos)
      return r->send({.status = 200, .headers = {}, .body = "{}"});
    responder = std::move(r);
    responder->start({.status = 200, .headers = {}});
    for (int i = 0; i < 100; ++i) responder->write(R"({"type":"ADDED","object":{}})");
  };
  SeenWatch watch;
  watch.outcome.operation = client->watch(kPods, "", {}, watch.callbacks());
  Outcome<json::Value> outcome;
  outcome.operation = client->get(kPools, {"", "a"}, outcome.done());
  world.loop.run_until_idle();
  EXPECT_EQ(watch.events.size(), 100U);
  EXPECT_TRUE(outcome.is_over());
}

TEST_F(ClientTest, AServerThatNeverAnswersTimesOut) {
  start();
  Outcome<json::Value> outcome;
  EXPECT_FALSE(get(outcome).ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::kTimeout);
  EXPECT_LE(world.loop.now().time_since_epoch(), Duration(seconds(61)));
  Outcome<json::Value> write;
  const TimePoint begun = world.loop.now();
  server.requests.clear();
  write.operation = client->create(kPools, "", {}, {}, write.done());
  run([&] { return write.is_over(); });
  EXPECT_EQ(write.error().code, ErrorCode::kTimeout);
  EXPECT_EQ(server.requests.size(), 1U) << "it may have happened";
  EXPECT_LE(world.loop.now() - begun, Duration(seconds(31)));
}

TEST_F(ClientTest, AServerThatStopsInTheMiddleTimesOut) {
  start();
  server.answer = [&](const http::Request&, std::unique_ptr<http::Responder> r) {
    r->start({.status = 200, .headers = {}});
    r->write(R"({"items":[{"a":1},)");
    server.held.push_back(std::move(r));
  };
  Outcome<ListMeta> outcome;
  outcome.operation = client->list(kPods, "", {}, {.on_item = [](std::string_view) {}, .on_done = outcome.done()});
  run([&] { return outcome.is_over(); });
  EXPECT_EQ(outcome.error().code, ErrorCode::kTimeout);
}

TEST_F(ClientTest, ASlowServerIsWaitedFor) {
  start();
  world.network.conditions.delay = seconds(2);
  world.network.conditions.piece_bytes_max = 7;
  server.always(200, concat(R"({"a":")", std::string(3000, 'x'), "\"}"));
  Outcome<json::Value> outcome;
  EXPECT_TRUE(get(outcome).ok()) << outcome.error().message;
  EXPECT_EQ(server.requests.size(), 1U);
}

TEST_F(ClientTest, AnswersThatAreNoObjectsAreErrors) {
  for (const char* body : {"", "[]", "7", "{", "{\"a\":1,\"a\":2}", "<html>"}) {
    start();
    server.requests.clear();
    server.always(200, body);
    Outcome<json::Value> outcome;
    EXPECT_FALSE(get(outcome).ok()) << body;
    EXPECT_EQ(outcome.error().code, ErrorCode::kInvalid) << body;
    EXPECT_EQ(outcome.error().message.find("the server's answer"), 0U) << outcome.error().message;
    EXPECT_EQ(server.requests.size(), 1U) << body;
  }
}

TEST_F(ClientTest, AnswersOverTheLimitAreGivenUp) {
  start({.limits = {.object_bytes_max = 1000, .text_bytes_max = 2000, .item_bytes_max = 500}});
  server.always(200, concat(R"({"a":")", std::string(1500, 'x'), "\"}"));
  Outcome<json::Value> object;
  EXPECT_FALSE(get(object).ok());
  EXPECT_EQ(object.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(object.error().message, "the answer has more than 1000 bytes");
  Outcome<std::string> text;
  text.operation = client->get_path("/version", text.done());
  run([&] { return text.is_over(); });
  ASSERT_TRUE(text.result->ok());
  EXPECT_EQ((*text.result)->size(), 1508U);
  server.always(200, concat(R"({"items":[{"a":")", std::string(600, 'x'), "\"}]}"));
  Outcome<ListMeta> list;
  list.operation = client->list(kPods, "", {}, {.on_item = [](std::string_view) {}, .on_done = list.done()});
  run([&] { return list.is_over(); });
  EXPECT_EQ(list.error().message, "list answer, byte 10, items[0]: an item of more than 500 bytes");
}

TEST_F(ClientTest, AnAbandonedCallIsNeverHeardOfAgain) {
  start();
  server.always(200, "{}");
  for (int turns = 0; turns < 12; ++turns) {
    Outcome<json::Value> outcome;
    outcome.operation = client->get(kPools, {"", "a"}, outcome.done());
    for (int turn = 0; turn < turns && !outcome.is_over(); ++turn) {
      world.loop.run_until([n = 0]() mutable { return ++n > 1; }, Duration::zero());
    }
    const bool was_over = outcome.is_over();
    outcome.operation.reset();
    world.loop.advance(seconds(1));
    EXPECT_EQ(outcome.is_over(), was_over);
  }
}

TEST_F(ClientTest, AnOperationMayGoInItsOwnCallbacks) {
  start();
  server.answer = [&](const http::Request& request, std::unique_ptr<http::Responder> r) {
    r->start({.status = 200, .headers = {}});
    const bool is_watch = request.target.find("watch=") != std::string::npos;
    r->write(is_watch ? R"({"type":"ADDED","object":{}}{"type":"ADDED","object":{}})" : R"({"items":[{},{}]})");
    if (is_watch)
      server.held.push_back(std::move(r));
    else
      r->finish();
  };
  int items = 0;
  OperationPtr list;
  list = client->list(kPods, "", {},
                      {.on_item =
                           [&, alive = std::make_unique<int>(1)](std::string_view) {
                             list.reset();
                             items += *alive;
                           },
                       .on_done = [&](ApiResult<ListMeta>) { ADD_FAILURE() << "abandoned"; }});
  int events = 0;
  OperationPtr watch;
  watch = client->watch(kPods, "", {},
                        {.on_open = {},
                         .on_event =
                             [&, alive = std::make_unique<int>(1)](const WatchEvent&) {
                               watch.reset();
                               events += *alive;
                             },
                         .on_done = [&](ApiResult<std::monostate>) { ADD_FAILURE() << "abandoned"; }});
  int done = 0;
  OperationPtr get;
  server.requests.clear();
  get = client->get_path("/version", [&, alive = std::make_unique<int>(1)](const ApiResult<std::string>&) {
    get.reset();
    done += *alive;
  });
  world.loop.advance(seconds(5));
  EXPECT_EQ(items, 1);
  EXPECT_EQ(events, 1);
  EXPECT_EQ(done, 1);
}

TEST_F(ClientTest, TheClientMayGoInACallback) {
  start();
  server.always(200, "{}");
  Outcome<json::Value> other;
  other.operation = client->get(kPools, {"", "b"}, other.done());
  int done = 0;
  OperationPtr get = client->get(kPools, {"", "a"}, [&](const ApiResult<json::Value>&) {
    ++done;
    client.reset();
  });
  world.loop.advance(seconds(5));
  EXPECT_EQ(done, 1);
  get.reset();
  other.operation.reset();  // what it belonged to is gone
  world.loop.advance(seconds(5));
}

}  // namespace
}  // namespace margay::kube
