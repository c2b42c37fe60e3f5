// The server on an API server in memory that is slow, away, busy or in conflict, in simulated time.
#include "agent/cni/cni_server.h"

#include <memory>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/file/temp_dir.h"
#include "base/loop/sim_loop.h"
#include "datastore/watch/resource_of.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policy/translate/translate.h"
#include "test/support/fake_kube_client.h"

namespace margay::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Told {
  int status = 0;
  std::string body;
  [[nodiscard]] bool is_there() const { return status != 0; }
};

class OneAnswer final : public http::Responder {
 public:
  explicit OneAnswer(std::shared_ptr<Told> told) : told_(std::move(told)) {}
  void send(http::Response response) override {
    told_->status = response.status;
    told_->body = std::move(response.body);
  }
  void start(http::ResponseHead) override {}
  void write(std::string) override {}
  void finish() override {}
  void abort() override {}
  [[nodiscard]] bool is_open() const override { return true; }
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
  void on_drained(Callback<void()>) override {}
  void on_closed(Task) override {}
  void on_input_end(Task) override {}

 private:
  std::shared_ptr<Told> told_;
};

class TestReadiness final : public EndpointReadiness {
 public:
  explicit TestReadiness(loop::Loop& loop) : loop_(loop) {}
  std::unique_ptr<ReadinessWait> wait(const NewEndpoint& endpoint, Duration timeout,
                                      Callback<void(Status)> done) override {
    last = endpoint;
    auto out = std::make_unique<Wait>();
    out->done = std::move(done);
    out->timer = loop_.make_timer([this, raw = out.get()] {
      std::exchange(raw->done, nullptr)(missing.empty() ? ok_status() : Status(Error{ErrorCode::kTimeout, missing}));
    });
    out->timer->arm(missing.empty() ? milliseconds(1) : timeout);
    return out;
  }
  NewEndpoint last;
  std::string missing;

 private:
  struct Wait final : ReadinessWait {
    Callback<void(Status)> done;
    std::unique_ptr<loop::Timer> timer;
  };
  loop::Loop& loop_;
};

class CniServerTest : public testing::Test {
 protected:
  CniServerTest() {
    add_pool("four", "10.0.0.0/16", 26);
    facts_.mark_in_sync();
    begin();
  }

  void advance(Duration by) { loop_.advance(by); }

  void begin() {
    server_.reset();
    book_ = std::make_unique<addresses::AddressBook>(addresses::AddressBook::Parts{loop_, client_, {}}, config());
    book_->start();
    server_ =
        std::make_unique<CniServer>(CniServer::Parts{.loop = loop_,
                                                     .client = client_,
                                                     .facts = facts_,
                                                     .book = *book_,
                                                     .readiness = readiness_,
                                                     .attached = attached_,
                                                     .spool_folder = folder_.at("releases"),
                                                     .interfaces_folder = folder_.at("interfaces"),
                                                     .on_pod_news = [this](const PodNews& news) { news_ = news; },
                                                     .on_exhausted =
                                                         [this](const auto& pools, const std::string& who) {
                                                           for (const auto& pool : pools) {
                                                             exhausted_.push_back(concat(pool.name, " for ", who));
                                                           }
                                                         }});
    advance(seconds(1));
    server_->start();
  }

  ipam::AllocatorConfig config() {
    ipam::AllocatorConfig out = facts_.allocator_config();
    out.spare_min = 0;
    return out;
  }

  void add_pool(const std::string& name, std::string_view cidr, int length) {
    auto pool = std::make_shared<model::IpPool>();
    pool->metadata.name = name;
    pool->spec.cidr = IpPrefix::parse(cidr).value();
    pool->spec.block_size = length;
    facts_.set({model::Kind::kIpPool, "", name}, std::shared_ptr<const model::IpPool>(pool));
  }

  void add_pod(const std::string& name) {
    json::Value object;
    object["spec"]["nodeName"] = "node-1";
    client_.put(watch::resource_of(model::Kind::kPod), {"default", name}, object);
    auto pod = std::make_shared<model::Pod>();
    pod->metadata.name = name;
    pod->metadata.name_space = SharedText("default");
    pod->spec.node_name = SharedText("node-1");
    facts_.set({model::Kind::kPod, "default", name}, std::shared_ptr<const model::Pod>(pod));
  }

  std::shared_ptr<Told> ask(const std::string& verb, const std::string& container, const std::string& pod = "",
                            bool plan_first = false, const std::string& interface = "eth0") {
    auto told = std::make_shared<Told>();
    json::Object body;
    body["container"] = container;
    body["interface"] = interface;
    body["planFirst"] = plan_first;
    if (!pod.empty()) {
      body["podNamespace"] = "default";
      body["podName"] = pod;
    }
    server_->serve({"POST", "/v1/" + verb, {}, json::dump(json::Value(std::move(body)))},
                   std::make_unique<OneAnswer>(told));
    return told;
  }

  void api_is_away() {
    client_.on_request = [](std::string_view, const kube::ResourceType&) {
      return std::optional<kube::ApiError>({.code = ErrorCode::kUnavailable, .message = "no connection"});
    };
  }
  void api_is_back() { client_.on_request = nullptr; }

  std::size_t stored_addresses() {
    std::size_t count = 0;
    for (const auto& [name, object] : client_.objects(watch::resource_of(model::Kind::kIpamBlock))) {
      for (const json::Value& slot : *object.find({"spec", "allocations"})->as_array()) count += !slot.is_null();
    }
    return count;
  }
  std::size_t handles() { return client_.objects(watch::resource_of(model::Kind::kIpamHandle)).size(); }

  loop::SimLoop loop_;
  SeededRandom random_{1};
  file::TempDir folder_ = file::TempDir::make().value();
  test::FakeKubeClient client_{loop_, random_};
  ClusterFacts facts_{"node-1"};
  TestReadiness readiness_{loop_};
  AttachedEndpoints attached_{facts_};
  std::unique_ptr<addresses::AddressBook> book_;
  std::unique_ptr<CniServer> server_;
  PodNews news_;
  std::vector<std::string> exhausted_;
};

TEST_F(CniServerTest, AddNotesThePodAndReadySaysWhenTheKernelHasIt) {
  add_pod("web");
  const auto added = ask("add", "c1", "web");
  advance(milliseconds(10));
  ASSERT_EQ(added->status, 200) << added->body;
  const auto ready = ask("ready", "c1", "web");
  advance(milliseconds(50));
  EXPECT_EQ(ready->status, 200) << ready->body;
  EXPECT_EQ(readiness_.last.addresses.size(), 1U);
  EXPECT_EQ(readiness_.last.key.name, "node--1-k8s-web-eth0");
  const auto pod = client_.objects(watch::resource_of(model::Kind::kPod)).at({"default", "web"});
  EXPECT_EQ(pod.string_at({"metadata", "annotations", "cni.projectcalico.org/podIP"}),
            readiness_.last.addresses.front().to_string());
  const auto deleted = ask("del", "c1", "web");
  advance(seconds(1));
  EXPECT_EQ(deleted->status, 200);
  EXPECT_EQ(stored_addresses(), 0U);
  EXPECT_EQ(handles(), 0U);
}

TEST_F(CniServerTest, WhatTheInterfaceNeedsIsToldBeforeTheApiServerAnswers) {
  client_.faults.answer_delay_max = milliseconds(500);
  add_pod("web");
  const auto planned = ask("add", "c1", "web", /*plan_first=*/true);
  ASSERT_EQ(planned->status, 200) << "at once: " << planned->body;
  const json::Value plan = json::parse(planned->body).value();
  EXPECT_EQ(json::dump(*plan.find("families")), R"(["IPv4"])");
  EXPECT_FALSE(plan.string_at({"hostInterface"}).empty());
  EXPECT_EQ(plan.find("addresses"), nullptr);
  const auto early = ask("addresses", "c1", "web");
  EXPECT_FALSE(early->is_there());
  advance(seconds(10));
  ASSERT_EQ(early->status, 200) << early->body;
  EXPECT_EQ(json::parse(early->body)->find("addresses")->as_array()->size(), 1U);
  // Asked for when they are there already, and once only.
  (void)ask("add", "c2", "", /*plan_first=*/true);
  advance(seconds(10));
  const auto late = ask("addresses", "c2");
  EXPECT_EQ(late->status, 200) << late->body;
  EXPECT_EQ(ask("addresses", "c2")->status, 404);
}

TEST_F(CniServerTest, CalculationKnowsTheEndpointBeforeTheApiServerDoes) {
  std::vector<std::string> known;
  attached_.on_change = [&known](const model::ObjectKey& key, const AttachedEndpoints::Endpoint& endpoint) {
    const std::size_t addresses = endpoint == nullptr ? 0 : endpoint->spec.ip_networks.size();
    known.push_back(concat(key.name, endpoint == nullptr ? ": none" : concat(": ", addresses)));
  };
  add_pod("web");
  (void)ask("add", "c1", "web", /*plan_first=*/true);
  EXPECT_THAT(known, IsEmpty()) << "nothing has been written yet";
  // Blocks are written, and then nothing any more.
  client_.on_request = [](std::string_view verb, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    if (verb != "patch") return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kPermissionDenied, .message = "403"};
  };
  advance(milliseconds(10));
  EXPECT_THAT(known, ElementsAre("web: 1"));
  const auto ready = ask("ready", "c1", "web");
  advance(seconds(1));
  EXPECT_EQ(ready->status, 503) << ready->body;
  // As the plugin does then.
  (void)ask("del", "c1", "web");
  EXPECT_THAT(known, ElementsAre("web: 1", "web: none"));
}

TEST_F(CniServerTest, WhyThereAreNoAddressesIsToldToWhoAsksForThem) {
  api_is_away();
  (void)ask("add", "c1", "", /*plan_first=*/true);
  advance(seconds(31));
  const auto told = ask("addresses", "c1");
  EXPECT_EQ(told->status, 504);
  EXPECT_THAT(told->body, HasSubstr("waited 30s"));
  // Who deletes does not ask any more.
  (void)ask("add", "c2", "", /*plan_first=*/true);
  advance(seconds(1));
  const auto waiting = ask("addresses", "c2");
  (void)ask("del", "c2");
  EXPECT_EQ(waiting->status, 500) << "it is being deleted";
  EXPECT_EQ(ask("addresses", "c2")->status, 404);
  api_is_back();
  advance(minutes(1));
  EXPECT_EQ(stored_addresses(), 0U);
}

TEST_F(CniServerTest, AnAnnotationThatIsRefusedForAMomentIsWrittenAgain) {
  add_pod("web");
  client_.on_request = [left = 3](std::string_view verb,
                                  const kube::ResourceType&) mutable -> std::optional<kube::ApiError> {
    if (verb != "patch" || left-- <= 0) return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kConflict, .message = "409"};
  };
  (void)ask("add", "c1", "web");
  advance(milliseconds(10));
  const auto ready = ask("ready", "c1", "web");
  advance(seconds(3));
  EXPECT_EQ(ready->status, 200) << ready->body;
}

TEST_F(CniServerTest, WhatIsMissingInTheKernelIsSaidInTime) {
  add_pod("web");
  readiness_.missing = "policy is not in the kernel";
  (void)ask("add", "c1", "web");
  advance(milliseconds(100));
  const auto ready = ask("ready", "c1", "web");
  advance(seconds(19));
  EXPECT_FALSE(ready->is_there());
  advance(seconds(2));
  EXPECT_EQ(ready->status, 504);
  EXPECT_THAT(ready->body, HasSubstr("policy is not in the kernel"));
}

TEST_F(CniServerTest, ManyAtOnceShareTheWritesOfTheirBlock) {
  client_.faults.answer_delay_max = milliseconds(500);
  std::vector<std::shared_ptr<Told>> told;
  for (int i = 0; i < 60; ++i) told.push_back(ask("add", concat("c", i)));
  advance(seconds(10));
  for (const auto& each : told) EXPECT_EQ(each->status, 200) << each->body;
  EXPECT_EQ(stored_addresses(), 60U);
  // Claiming the block takes one update, then the first address, then all others; the rest is room for chance.
  EXPECT_LE(client_.requests("update"), 4);
}

TEST_F(CniServerTest, DelWithTheApiServerAwayIsWrittenDownAndDoneMuchLater) {
  (void)ask("add", "c1");
  advance(seconds(1));
  ASSERT_EQ(stored_addresses(), 1U);
  api_is_away();
  const auto deleted = ask("del", "c1");
  advance(seconds(4));
  EXPECT_EQ(deleted->status, 200);
  EXPECT_THAT(deleted->body, HasSubstr("later"));
  std::vector<std::string> problems;
  EXPECT_EQ(ReleaseSpool(folder_.at("releases")).list(&problems).size(), 1U);
  advance(minutes(10));
  EXPECT_EQ(stored_addresses(), 1U);
  api_is_back();
  advance(minutes(1));
  EXPECT_EQ(stored_addresses(), 0U);
  EXPECT_TRUE(ReleaseSpool(folder_.at("releases")).list(&problems).empty());
}

TEST_F(CniServerTest, DelWaitsTwoMillisecondsForTheApiServerAndThenANoteIsEnough) {
  std::vector<std::string> problems;
  ReleaseSpool spool(folder_.at("releases"));
  (void)ask("add", "c1");
  advance(seconds(1));
  const auto at_once = ask("del", "c1");
  advance(milliseconds(1));
  EXPECT_EQ(at_once->body, "{}");
  (void)ask("add", "c2");
  advance(seconds(1));
  client_.faults.answer_delay_max = milliseconds(500);
  const auto later = ask("del", "c2");
  advance(milliseconds(1));
  EXPECT_FALSE(later->is_there());
  advance(milliseconds(1));
  EXPECT_EQ(later->status, 200);
  EXPECT_THAT(later->body, HasSubstr("later"));
  EXPECT_EQ(spool.list(&problems).size(), 1U);
  EXPECT_EQ(stored_addresses(), 1U) << "nobody else is given it";
  advance(seconds(10));
  EXPECT_EQ(stored_addresses(), 0U);
  EXPECT_TRUE(spool.list(&problems).empty());
}

// A pool of one address: it is given again when its release is stored, not when DEL was answered.
TEST_F(CniServerTest, AnAddressWhoseReleaseIsOnItsWayIsNotGivenAgain) {
  add_pool("six", "fd00::/128", 128);
  (void)ask("add", "c1");
  advance(seconds(1));
  client_.on_request = [](std::string_view verb, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    if (verb != "update") return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kUnavailable, .message = "no connection"};
  };
  const auto deleted = ask("del", "c1");
  advance(milliseconds(10));
  EXPECT_EQ(deleted->status, 200);
  const auto early = ask("add", "c2");
  advance(seconds(40));
  EXPECT_NE(early->status, 200) << early->body;
  api_is_back();
  advance(minutes(1));
  const auto added = ask("add", "c3");
  advance(seconds(5));
  EXPECT_EQ(added->status, 200) << added->body;
  EXPECT_EQ(stored_addresses(), 2U) << "one of each family";
}

TEST_F(CniServerTest, ANoteOutlivesTheAgentThatAnsweredByIt) {
  (void)ask("add", "c1");
  advance(seconds(1));
  client_.faults.answer_delay_max = minutes(10);
  const auto deleted = ask("del", "c1");
  advance(milliseconds(5));
  EXPECT_EQ(deleted->status, 200);
  client_.faults.answer_delay_max = {};
  begin();
  advance(minutes(1));
  EXPECT_EQ(stored_addresses(), 0U);
  std::vector<std::string> problems;
  EXPECT_TRUE(ReleaseSpool(folder_.at("releases")).list(&problems).empty());
}

TEST_F(CniServerTest, WhatPolicySeesOfAContainerGoesTooWhenTheApiServerIsBack) {
  const auto note = [this] {
    const auto pod = client_.objects(watch::resource_of(model::Kind::kPod)).at({"default", "web"});
    return std::string(pod.string_at({"metadata", "annotations", "cni.projectcalico.org/podIP"}));
  };
  const auto endpoints = [this] { return client_.objects(watch::resource_of(model::Kind::kWorkloadEndpoint)).size(); };
  add_pod("web");
  (void)ask("add", "c1", "web");
  (void)ask("add", "c2");
  advance(seconds(1));
  ASSERT_FALSE(note().empty());
  ASSERT_EQ(endpoints(), 1U);
  // Addresses can be released, but nothing else be written.
  client_.on_request = [](std::string_view, const kube::ResourceType& type) -> std::optional<kube::ApiError> {
    if (type.plural == "ipamblocks" || type.plural == "ipamhandles") return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kUnavailable, .message = "no connection"};
  };
  const auto first = ask("del", "c1", "web"), second = ask("del", "c2");
  advance(seconds(1));
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(second->status, 200);
  EXPECT_EQ(stored_addresses(), 0U);
  advance(minutes(10));
  EXPECT_FALSE(note().empty());
  api_is_back();
  advance(minutes(1));
  EXPECT_EQ(note(), "");
  EXPECT_EQ(endpoints(), 0U);
  std::vector<std::string> problems;
  EXPECT_TRUE(ReleaseSpool(folder_.at("releases")).list(&problems).empty());
}

TEST_F(CniServerTest, NameThatIsUsedAgainWaitsForTheReleaseOfItsLastLife) {
  (void)ask("add", "box");
  advance(seconds(1));
  api_is_away();
  (void)ask("del", "box");
  advance(minutes(1));
  const auto in_vain = ask("add", "box");
  advance(seconds(31));
  EXPECT_EQ(in_vain->status, 504);
  EXPECT_THAT(in_vain->body, HasSubstr("the release of the container's earlier addresses"));
  api_is_back();
  const auto added = ask("add", "box");
  advance(seconds(20));
  EXPECT_EQ(added->status, 200) << added->body;
  advance(minutes(5));
  EXPECT_EQ(stored_addresses(), 1U) << "the new one's";
  EXPECT_EQ(handles(), 1U);
  EXPECT_EQ(client_.objects(watch::resource_of(model::Kind::kWorkloadEndpoint)).size(), 1U);
  // Written down by the plugin, while the agent was away.
  ASSERT_TRUE(ReleaseSpool(folder_.at("releases")).put({"k8s-pod-network", "box", "eth0", "", ""}).ok());
  const auto again = ask("add", "box");
  advance(seconds(20));
  EXPECT_EQ(again->status, 200) << again->body;
  EXPECT_EQ(stored_addresses(), 1U);
  std::vector<std::string> problems;
  EXPECT_TRUE(ReleaseSpool(folder_.at("releases")).list(&problems).empty());
}

TEST_F(CniServerTest, AddressesThatComeFromNoBlockAreChecked) {
  add_pod("web");
  auto pod = std::make_shared<model::Pod>(*facts_.find_pod("default", "web"));
  pod->metadata.annotations.set("cni.projectcalico.org/ipAddrsNoIpam", R"(["10.9.9.9"])");
  const auto set = [&] { facts_.set({model::Kind::kPod, "default", "web"}, std::shared_ptr<const model::Pod>(pod)); };
  set();
  const auto ask_with = [this](const std::string& verb) {
    auto told = std::make_shared<Told>();
    server_->serve({"POST",
                    "/v1/" + verb,
                    {},
                    R"({"container":"c1","podNamespace":"default","podName":"web","allowNoIpam":true})"},
                   std::make_unique<OneAnswer>(told));
    return told;
  };
  EXPECT_EQ(ask_with("add")->status, 200);
  advance(seconds(1));
  EXPECT_EQ(ask_with("check")->status, 404) << "the pod does not say that it is this container's";
  pod = std::make_shared<model::Pod>(*pod);
  pod->metadata.annotations.set("cni.projectcalico.org/containerID", "c1");
  set();
  const auto checked = ask_with("check");
  EXPECT_EQ(checked->status, 200);
  EXPECT_THAT(checked->body, HasSubstr("10.9.9.9/32"));
  EXPECT_EQ(stored_addresses(), 0U);
}

TEST_F(CniServerTest, WhatWasWrittenDownSurvivesARestart) {
  (void)ask("add", "c1");
  advance(seconds(1));
  api_is_away();
  (void)ask("del", "c1");
  advance(seconds(5));
  begin();
  api_is_back();
  advance(minutes(1));
  EXPECT_EQ(stored_addresses(), 0U);
}

TEST_F(CniServerTest, AddWithTheApiServerAwayFailsInTimeAndLeavesNothing) {
  api_is_away();
  const auto added = ask("add", "c1");
  advance(seconds(31));
  EXPECT_EQ(added->status, 504);
  EXPECT_THAT(added->body, HasSubstr("waited 30s"));
  api_is_back();
  advance(minutes(1));
  EXPECT_EQ(stored_addresses(), 0U);
  EXPECT_EQ(handles(), 0U);
}

TEST_F(CniServerTest, BusyServerAndLostRacesAreWaitedOut) {
  (void)ask("add", "c0");
  advance(seconds(1));
  int calls = 0;
  client_.on_request = [&calls](std::string_view verb, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    if (++calls % 3 == 0) return kube::ApiError{.code = ErrorCode::kUnavailable, .message = "429", .http_status = 429};
    if (verb == "update" && calls % 2 == 0) return kube::ApiError{.code = ErrorCode::kConflict, .message = "409"};
    return std::nullopt;
  };
  std::vector<std::shared_ptr<Told>> told;
  for (int i = 1; i <= 10; ++i) told.push_back(ask("add", concat("c", i)));
  advance(seconds(20));
  for (const auto& each : told) EXPECT_EQ(each->status, 200) << each->body;
  EXPECT_EQ(stored_addresses(), 11U);
}

TEST_F(CniServerTest, HalfOfADualStackRequestIsNone) {
  add_pool("six", "fd00::/127", 127);
  (void)ask("add", "c1");
  (void)ask("add", "c2");
  advance(seconds(1));
  ASSERT_EQ(stored_addresses(), 4U);
  const auto third = ask("add", "c3");
  advance(seconds(5));
  EXPECT_EQ(third->status, 503);
  EXPECT_THAT(third->body, HasSubstr("No IPs available in pools: [fd00::/127]"));
  EXPECT_EQ(stored_addresses(), 4U);
}

TEST_F(CniServerTest, ExhaustedPoolsAreToldOnPodAndPool) {
  add_pool("six", "fd00::/128", 128);
  (void)ask("add", "c1");
  advance(seconds(1));
  EXPECT_THAT(exhausted_, IsEmpty());
  add_pod("web");
  const auto refused = ask("add", "c2", "web");
  advance(seconds(5));
  EXPECT_EQ(refused->status, 503);
  EXPECT_THAT(exhausted_, ElementsAre("six for default/web"));
  EXPECT_EQ(news_.reason, "AddressesExhausted");
  EXPECT_EQ(news_.pod_name, "web");
  EXPECT_THAT(news_.message, HasSubstr("fd00::/128"));
}

TEST_F(CniServerTest, SlowServerIsWaitedFor) {
  client_.faults.answer_delay_max = milliseconds(500);
  std::vector<std::shared_ptr<Told>> told;
  for (int i = 0; i < 20; ++i) told.push_back(ask("add", concat("c", i)));
  advance(seconds(5));
  for (const auto& each : told) EXPECT_EQ(each->status, 200) << each->body;
  told.clear();
  for (int i = 0; i < 20; ++i) told.push_back(ask("del", concat("c", i)));
  advance(seconds(5));
  for (const auto& each : told) EXPECT_EQ(each->status, 200) << each->body;
  EXPECT_EQ(stored_addresses(), 0U);
}

TEST_F(CniServerTest, SecondInterfaceOfAContainerIsRefusedAndTheFirstKeepsItsAddress) {
  (void)ask("add", "c1");
  advance(seconds(1));
  const auto refused = ask("add", "c1", "", false, "eth1");
  EXPECT_EQ(refused->status, 400);
  EXPECT_THAT(refused->body, HasSubstr("c1 has eth0"));
  const auto deleted = ask("del", "c1", "", false, "eth1");
  advance(seconds(1));
  EXPECT_EQ(deleted->status, 200) << "what was not made is gone";
  EXPECT_EQ(stored_addresses(), 1U);
  begin();
  EXPECT_EQ(ask("add", "c1", "", false, "eth1")->status, 400) << "a next life of the agent knows it, too";
  (void)ask("del", "c1", "", false, "eth1");
  advance(seconds(1));
  EXPECT_EQ(stored_addresses(), 1U);
  (void)ask("del", "c1");
  advance(seconds(1));
  EXPECT_EQ(stored_addresses(), 0U);
  const auto again = ask("add", "c1", "", false, "eth1");
  advance(seconds(1));
  EXPECT_EQ(again->status, 200) << "the name is free again: " << again->body;
}

TEST_F(CniServerTest, GarbageNamesItsInterfacesBeforeItsAddressesGo) {
  const auto collect = [this](bool names_only) {
    auto told = std::make_shared<Told>();
    server_->serve({"POST",
                    "/v1/gc",
                    {},
                    concat(R"({"network":"k8s-pod-network","validContainers":["c1"],"interfacesFirst":)",
                           names_only ? "true}" : "false}")},
                   std::make_unique<OneAnswer>(told));
    advance(seconds(1));
    return told->body;
  };
  for (const char* pod : {"web", "api"}) add_pod(pod);
  (void)ask("add", "c1", "web");
  (void)ask("add", "c2", "api");
  advance(seconds(1));
  // An earlier container of a pod: the interface is that of the one that is kept.
  (void)ask("add", "c0", "web");
  advance(seconds(1));
  ASSERT_EQ(stored_addresses(), 3U);
  EXPECT_EQ(collect(true), concat(R"({"interfaces":[")", policy::interface_name_of("default", "api"), R"("]})"));
  EXPECT_EQ(stored_addresses(), 3U) << "nothing was released";
  EXPECT_EQ(collect(false), R"({"released":["c0","c2"]})");
  EXPECT_EQ(stored_addresses(), 1U);
}

TEST(ContainerInterfacesTest, AreKnownToTheNextLifeAndCannotLeaveTheFolder) {
  const file::TempDir folder = file::TempDir::make().value();
  {
    ContainerInterfaces interfaces(folder.at("a/b"));
    interfaces.put("c1", "eth0");
    interfaces.put("../../x", "eth1");
    interfaces.put("c2", "eth0");
    interfaces.put("c2", "net1");
    interfaces.put("c3", "eth0");
    interfaces.remove("c3");
  }
  ContainerInterfaces interfaces(folder.at("a/b"));
  EXPECT_EQ(interfaces.find("c1"), "eth0");
  EXPECT_EQ(interfaces.find("../../x"), "eth1");
  EXPECT_EQ(interfaces.find("c2"), "net1");
  EXPECT_EQ(interfaces.find("c3"), "");
  EXPECT_EQ(interfaces.find("nobody"), "");
  EXPECT_EQ(ContainerInterfaces("").find("c1"), "");
}

TEST_F(CniServerTest, DelEndsAnAddUnderWay) {
  client_.faults.answer_delay_max = milliseconds(500);
  const auto added = ask("add", "c1");
  advance(milliseconds(100));
  const auto deleted = ask("del", "c1");
  advance(seconds(20));
  EXPECT_EQ(added->status, 500);
  EXPECT_EQ(deleted->status, 200);
  EXPECT_EQ(stored_addresses(), 0U);
  EXPECT_EQ(handles(), 0U);
}

TEST_F(CniServerTest, RequestsThatMakeNoSenseAreAnswered) {
  const auto told = std::make_shared<Told>();
  server_->serve({"POST", "/v2/add", {}, "{}"}, std::make_unique<OneAnswer>(told));
  EXPECT_EQ(told->status, 404);
  EXPECT_THAT(told->body, HasSubstr("v1"));
  server_->serve({"POST", "/v1/add", {}, "["}, std::make_unique<OneAnswer>(told));
  EXPECT_EQ(told->status, 400);
  EXPECT_EQ(ask("check", "c9")->status, 404);
  EXPECT_EQ(ask("ready", "c9")->status, 404);
}

TEST(ReleaseSpoolTest, NamesCannotLeaveTheFolder) {
  const file::TempDir folder = file::TempDir::make().value();
  ReleaseSpool spool(folder.at("a/b"));
  const PendingRelease release{"n", "../../x", "eth0", "", ""};
  ASSERT_TRUE(spool.put(release).ok());
  std::vector<std::string> problems;
  EXPECT_THAT(spool.list(&problems), testing::ElementsAre(release));
  spool.remove(release);
  EXPECT_TRUE(spool.list(&problems).empty());
  EXPECT_TRUE(problems.empty());
}

}  // namespace
}  // namespace margay::agent
