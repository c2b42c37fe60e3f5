// The local socket's answers, with a speaker in virtual time behind them; and the tables made of them.
#include "bgp/main/local_api.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/core/text.h"
#include "base/json/value.h"
#include "base/loop/sim_network.h"
#include "bgp/main/tables.h"
#include "bgp/speaker/speaker_fixture.h"

namespace margay::bgpd {
namespace {

using testing::HasSubstr;

// What a client has got, and how fast it takes it.
struct Client {
  http::Response response{.status = 0, .headers = {}, .body = {}};
  bool is_complete = false;
  bool is_slow = false;  // takes nothing until drained() is called
  std::size_t queued = 0, queued_most = 0;
  Callback<void()> on_drained;
  Task on_closed;
  void drained() {
    queued = 0;
    if (on_drained) on_drained();
  }
};

class FakeResponder final : public http::Responder {
 public:
  explicit FakeResponder(std::shared_ptr<Client> client) : client_(std::move(client)) {}
  void send(http::Response response) override {
    client_->response = std::move(response);
    client_->is_complete = true;
  }
  void start(http::ResponseHead head) override { client_->response.status = head.status; }
  void write(std::string bytes) override {
    client_->response.body += bytes;
    if (client_->is_slow) client_->queued += bytes.size();
    client_->queued_most = std::max(client_->queued_most, client_->queued);
  }
  void finish() override { client_->is_complete = true; }
  void abort() override {}
  [[nodiscard]] bool is_open() const override { return true; }
  [[nodiscard]] std::size_t queued_bytes() const override { return client_->queued; }
  void on_drained(Callback<void()> task) override { client_->on_drained = std::move(task); }
  void on_closed(Task task) override { client_->on_closed = std::move(task); }
  void on_input_end(Task) override {}

 private:
  std::shared_ptr<Client> client_;
};

class LocalApiTest : public testing::Test {
 protected:
  void SetUp() override {
    b_.config.local_routes = {bgp::local("10.2.0.0/26")};
    a_.add_peer(b_).name = "bee";
    b_.add_peer(a_);
    a_.metrics = &metrics_;
    a_.start();
    b_.start();
    ASSERT_TRUE(loop_.run_until([this] { return a_.sink.routes.size() == 1; }, std::chrono::seconds(30)));
    api_ = std::make_unique<LocalApi>(LocalApi::Parts{loop_, network_, a_.speaker(), metrics_, [this] {
                                                        ++reloads_;
                                                        return problems_;
                                                      }});
  }
  std::shared_ptr<Client> begin(std::string method, std::string target, bool is_slow = false) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    auto client = std::make_shared<Client>();
    client->is_slow = is_slow;
    api_->serve(request, std::make_unique<FakeResponder>(client));
    return client;
  }
  http::Response ask(std::string method, std::string target) {
    const auto client = begin(std::move(method), std::move(target));
    EXPECT_TRUE(loop_.run_until([&] { return client->is_complete; }, std::chrono::seconds(1)));
    return client->response;
  }
  json::Value get(std::string target) {
    const http::Response response = ask("GET", std::move(target));
    EXPECT_EQ(response.status, 200);
    return json::parse(response.body).value();
  }

  loop::SimLoop loop_;
  loop::SimNetwork network_{loop_, 1};
  bgp::session::SimInternet internet_{loop_, 1};
  bgp::Node a_{loop_, internet_, "10.0.0.1", Asn(64512)};
  bgp::Node b_{loop_, internet_, "10.0.0.2", Asn(64513)};
  telemetry::Registry metrics_;
  std::vector<std::string> problems_;
  int reloads_ = 0;
  std::unique_ptr<LocalApi> api_;
};

TEST_F(LocalApiTest, PeersHaveTheFieldsThatAreKept) {
  const json::Value answer = get("/peers");
  const json::Value& peer = answer.find("peers")->as_array()->at(0);
  EXPECT_EQ(peer.string_at({"address"}), "10.0.0.2");
  EXPECT_EQ(*peer.find("asNumber"), json::Value(64513));
  EXPECT_EQ(peer.string_at({"state"}), "Established");
  EXPECT_EQ(*peer.find("prefixesReceived"), json::Value(1));
  EXPECT_EQ(*peer.find("prefixesAccepted"), json::Value(1));
  EXPECT_EQ(*peer.find("prefixesSent"), json::Value(0));
  for (const char* name : {"uptimeSeconds", "lastError", "session", "messagesSent"}) {
    EXPECT_NE(peer.find(name), nullptr) << name;
  }
  const std::string table = peers_table(answer);
  EXPECT_THAT(table, HasSubstr("10.0.0.2  bee   64513  Established"));
}

TEST_F(LocalApiTest, RoutesHaveTheFieldsThatAreKept) {
  const json::Value answer = get("/routes");
  const json::Value& route = answer.find("routes")->as_array()->at(0);
  EXPECT_EQ(route.string_at({"prefix"}), "10.2.0.0/26");
  EXPECT_EQ(route.string_at({"nextHop"}), "10.0.0.2");
  EXPECT_EQ(route.string_at({"peer"}), "10.0.0.2");
  EXPECT_EQ(*route.find("best"), json::Value(true));
  EXPECT_EQ(route.string_at({"asPath"}), "64513");
  for (const char* name : {"localPref", "med", "communities", "reason"}) EXPECT_NE(route.find(name), nullptr) << name;
  EXPECT_THAT(routes_table(answer), HasSubstr(">  10.2.0.0/26  10.0.0.2  10.0.0.2"));
  EXPECT_EQ(get("/routes?peer=10.0.0.2&in").find("routes")->as_array()->size(), 1U);
  EXPECT_EQ(get("/routes?peer=10.0.0.2&out").find("routes")->as_array()->size(), 0U);
  EXPECT_EQ(get("/routes?prefix=10.9.0.0/16").find("routes")->as_array()->size(), 0U);
}

TEST_F(LocalApiTest, RoutesOfAPrefixOfWhatIsInsideAndOfWhatHoldsIt) {
  const auto count = [this](const std::string& query) {
    return get(concat("/routes?", query)).find("routes")->as_array()->size();
  };
  EXPECT_EQ(count("prefix=10.2.0.0%2F26"), 1U);
  EXPECT_EQ(count("prefix=10.2.0.0%2F16"), 0U);
  EXPECT_EQ(count("prefix=10.2.0.0%2F16&match=inside"), 1U);
  EXPECT_EQ(count("prefix=10.2.0.7&match=inside"), 0U);
  EXPECT_EQ(count("prefix=10.2.0.7&match=holding"), 1U);
  EXPECT_EQ(count("prefix=10.2.0.7"), 0U);
  EXPECT_EQ(ask("GET", "/routes?prefix=10.2.0.7&match=near").status, 400);
}

TEST_F(LocalApiTest, ManyRoutesAreWrittenAsTheClientTakesThem) {
  for (std::uint32_t i = 0; i < 5000; ++i) {
    bgp::rib::LocalRoute route;
    route.prefix = IpPrefix::host(IpAddress::v4(0x0b000000 + i));
    b_.config.local_routes.push_back(std::move(route));
  }
  b_.apply();
  ASSERT_TRUE(loop_.run_until([this] { return a_.sink.routes.size() == 5001; }, std::chrono::seconds(30)));
  const auto client = begin("GET", "/routes", true);
  EXPECT_EQ(client->response.body.find("10.2.0.0"), std::string::npos) << "nothing from inside the request";
  int times_drained = 0;
  while (!client->is_complete) {
    loop_.run_until_idle();
    ASSERT_LT(++times_drained, 100);
    client->drained();
  }
  EXPECT_GT(times_drained, 3);
  EXPECT_LT(client->queued_most, 512U * 1024) << "a piece beyond what it waits at";
  const auto routes = json::parse(client->response.body, {.bytes_max = 64 << 20});
  ASSERT_TRUE(routes.ok()) << routes.error().message;
  EXPECT_EQ(routes->find("routes")->as_array()->size(), 5001U);
}

TEST_F(LocalApiTest, AClientThatGoesEndsItsAnswer) {
  const auto client = begin("GET", "/routes", true);
  ASSERT_TRUE(client->on_closed);
  client->on_closed();
  loop_.run_until_idle();
  EXPECT_FALSE(client->is_complete);
  EXPECT_EQ(client.use_count(), 1) << "nobody holds the responder any more";
}

TEST_F(LocalApiTest, AdminsCanResetAndRefresh) {
  EXPECT_EQ(ask("POST", "/refresh?peer=10.0.0.2").status, 200);
  EXPECT_EQ(ask("POST", "/refresh?peer=10.0.0.2&out").status, 200);
  EXPECT_TRUE(a_.is_up(b_));
  EXPECT_EQ(ask("POST", "/reset?peer=10.0.0.2&text=why%20not").status, 200);
  EXPECT_FALSE(a_.is_up(b_));
}

TEST_F(LocalApiTest, ReloadTellsWhatIsWrong) {
  EXPECT_EQ(ask("POST", "/reload").status, 200);
  problems_ = {"bgp.yaml:3:4: no"};
  const http::Response response = ask("POST", "/reload");
  EXPECT_EQ(response.status, 422);
  EXPECT_THAT(response.body, HasSubstr("bgp.yaml:3:4: no"));
  EXPECT_EQ(reloads_, 2);
}

TEST_F(LocalApiTest, MetricsAreServed) {
  loop_.advance(std::chrono::seconds(2));
  EXPECT_THAT(ask("GET", "/metrics").body, HasSubstr("margay_bgp_peers{state=\"Established\"} 1"));
}

TEST_F(LocalApiTest, APeerThatIsNotThereIsNamedBesideThoseThatAre) {
  for (const char* target : {"/routes?peer=10.9.9.9", "/routes?peer=10.9.9.9&in", "/routes?peer=10.9.9.9&out"}) {
    EXPECT_THAT(ask("GET", target).body, HasSubstr("no peer 10.9.9.9; there is 10.0.0.2")) << target;
  }
  EXPECT_THAT(ask("POST", "/reset?peer=10.9.9.9").body, HasSubstr("no peer 10.9.9.9; there is 10.0.0.2"));
}

TEST_F(LocalApiTest, WrongQuestionsAreAnswered) {
  const std::tuple<const char*, const char*, int> cases[] = {
      {"GET", "/nothing", 404},
      {"POST", "/peers", 404},
      {"GET", "/routes?in", 400},
      {"GET", "/routes?peer=x", 400},
      {"GET", "/routes?prefix=x", 400},
      {"POST", "/reset", 400},
      {"POST", "/reset?peer=10.9.9.9", 404},
      {"GET", "/%zz", 400},
      {"GET", "/routes?peer=10.9.9.9", 404},
      {"GET", "/routes?peer=10.9.9.9&in", 404},
      {"GET", "/routes?peer=10.9.9.9&out", 404},
  };
  for (const auto& [method, target, status] : cases) {
    const http::Response response = ask(method, target);
    EXPECT_EQ(response.status, status) << target;
    EXPECT_THAT(response.body, HasSubstr("\"error\"")) << target;
  }
}

}  // namespace
}  // namespace margay::bgpd
