// The server on an API server in memory that is slow, away, busy or in conflict, in simulated time.
#include "agent/cni/cni_server.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/text.h"
#include "datastore/watch/resource_of.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policy/translate/translate.h"
#include "test/support/cni_server_fixture.h"

namespace margay::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

// A pool of one address: it is given again when its release is stored, not when DEL was answered.
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

}  // namespace
}  // namespace margay::agent
