#include "ctl/verbs/request_trace.h"

#include <string>
#include <utility>

#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "gtest/gtest.h"

namespace margay::verbs {
namespace {

// Keeps the events of the last exchange for the test to fire.
class FakeHttp final : public http::Client {
 public:
  explicit FakeHttp(http::ExchangeEvents& events) : events_(events) {}
  std::unique_ptr<http::Exchange> start(http::Request, http::ExchangeOptions, http::ExchangeEvents events) override {
    events_ = std::move(events);
    return nullptr;
  }

 private:
  http::ExchangeEvents& events_;
};

class RequestTrace : public ::testing::Test {
 protected:
  void start(TraceLevel level, http::Request request) {
    TraceOptions options{level, "https://api:6443", [this](std::string_view line) { screen_ += concat(line, '\n'); }};
    client_ = traced(std::make_unique<FakeHttp>(events_), loop_, std::move(options));
    (void)client_->start(std::move(request), {},
                         {.on_head = [](http::ResponseHead) {},
                          .on_body = [this](std::string_view bytes) { body_ += bytes; },
                          .on_done = [](Status) {}});
  }
  void answer(int status, std::initializer_list<std::string_view> pieces) {
    loop_.advance(std::chrono::milliseconds(3));
    http::ResponseHead head{status, {}};
    head.headers.add("Content-Type", "application/json");
    events_.on_head(std::move(head));
    for (const std::string_view piece : pieces) events_.on_body(piece);
    events_.on_done(ok_status());
  }
  static http::Request request(std::string method, std::string target, std::string body = "") {
    http::Request made{std::move(method), std::move(target), {}, std::move(body)};
    made.headers.add("Authorization", "Bearer top.secret");
    made.headers.add("Accept", "application/json");
    return made;
  }

  loop::SimLoop loop_;
  http::ExchangeEvents events_;
  std::unique_ptr<http::Client> client_;
  std::string screen_;
  std::string body_;
};

TEST_F(RequestTrace, TheFirstLevelIsALineARequestWithStatusAndTime) {
  start(TraceLevel::kRequests, request("GET", "/api/v1/nodes?limit=500"));
  EXPECT_EQ(screen_, "");
  answer(200, {"{\"a\"", ":1}\n"});
  EXPECT_EQ(screen_, "GET https://api:6443/api/v1/nodes?limit=500: 200 OK in 3 ms\n");
  EXPECT_EQ(body_, "{\"a\":1}\n") << "the answer itself passes as it is";
}

TEST_F(RequestTrace, TheSecondLevelShowsHeadersAndBodiesButNoCredentials) {
  start(TraceLevel::kBodies, request("POST", "/api/v1/nodes", R"({"kind":"Node"})"));
  answer(201, {"{\"a\"", ":1}\n{\"b\":2}"});
  EXPECT_EQ(screen_,
            "> POST /api/v1/nodes\n"
            "> Authorization: Bearer ***\n"
            "> Accept: application/json\n"
            "> {\"kind\":\"Node\"}\n"
            "POST https://api:6443/api/v1/nodes: 201 Created in 3 ms\n"
            "< Content-Type: application/json\n"
            "< {\"a\":1}\n"
            "< {\"b\":2}\n");
}

TEST_F(RequestTrace, ARequestWithoutAnAnswerSaysWhy) {
  start(TraceLevel::kRequests, request("GET", "/version"));
  events_.on_done(Error{ErrorCode::kUnavailable, "connection refused"});
  EXPECT_EQ(screen_, "GET https://api:6443/version: connection refused in 0 ms\n");
}

TEST_F(RequestTrace, ABodyCutShortSaysSo) {
  start(TraceLevel::kRequests, request("GET", "/version"));
  events_.on_head({200, {}});
  events_.on_done(Error{ErrorCode::kUnavailable, "closed"});
  EXPECT_EQ(screen_,
            "GET https://api:6443/version: 200 OK in 0 ms\n"
            "GET https://api:6443/version: cut short: closed\n");
}

TEST_F(RequestTrace, NothingOfASecretIsShownInAnyForm) {
  constexpr std::string_view kSecret =
      R"({"kind":"Secret","metadata":{"name":"bgp","annotations":{)"
      R"("kubectl.kubernetes.io/last-applied-configuration":"hush","a":"b"}},"data":{"rack":"hush"},)"
      R"("stringData":{"x":"hush"}})";
  const std::string target = "/api/v1/namespaces/kube-system/secrets/bgp?dryRun=All";
  start(TraceLevel::kBodies, request("PUT", target, std::string(kSecret)));
  answer(200, {kSecret});
  EXPECT_EQ(screen_.find("hush"), std::string::npos) << screen_;
  EXPECT_NE(screen_.find(R"("data":{"rack":"***"})"), std::string::npos) << screen_;
  EXPECT_NE(screen_.find(R"("a":"b")"), std::string::npos) << "what is not secret is shown: " << screen_;

  start(TraceLevel::kBodies, request("PATCH", target, R"([{"op":"add","path":"/data/rack","value":"hush"}])"));
  answer(200, {concat(R"({"items":[)", kSecret, "]}")});
  start(TraceLevel::kBodies, request("GET", "/api/v1/secrets?watch=true"));
  answer(200, {concat(R"({"type":"ADDED","object":)", kSecret, "}\n")});
  start(TraceLevel::kBodies, request("GET", "/api/v1/secrets"));
  answer(200, {kSecret.substr(0, kSecret.size() - 4)});
  EXPECT_EQ(screen_.find("hush"), std::string::npos) << screen_;
  EXPECT_NE(screen_.find(" bytes of Secrets, not shown)"), std::string::npos) << screen_;
}

TEST_F(RequestTrace, LongLinesAreCut) {
  start(TraceLevel::kBodies, request("GET", "/api/v1/pods"));
  answer(200, {std::string(1'500'000, 'x'), std::string(1'500'000, 'y'), "\n{}"});
  EXPECT_LT(screen_.size(), 10'000U);
  EXPECT_NE(screen_.find(" … (3000000 bytes)\n< {}\n"), std::string::npos);
  EXPECT_EQ(body_.size(), 3'000'003U);
}

}  // namespace
}  // namespace margay::verbs
