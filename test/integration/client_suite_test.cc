// The client's suite: one set of claims about the Kubernetes API protocol, run against margay-apiserver in memory,
// margay-apiserver on etcd, and a real kube-apiserver. All three must agree.

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "base/core/text.h"
#include "test/support/api_servers.h"
#include "test/support/sync_client.h"

namespace margay::test {
namespace {

using json::Object;
using json::Value;
using kube::ApiResult;
using kube::PatchType;
using kube::ResourceType;
using Kind = kube::WatchEvent::Kind;

const ResourceType kConfigMaps{"", "v1", "configmaps", "ConfigMap", true};
const ResourceType kNamespaces{"", "v1", "namespaces", "Namespace", false};
const ResourceType kPods{"", "v1", "pods", "Pod", true};
const ResourceType kPools{"projectcalico.org", "v3", "ippools", "IPPool", false};
const ResourceType kPolicies{"projectcalico.org", "v3", "networkpolicies", "NetworkPolicy", true};
const ResourceType kSets{"projectcalico.org", "v3", "globalnetworksets", "GlobalNetworkSet", false};

// One server for all tests of a parameter: starting kube-apiserver takes seconds. Tests use names of their own.
struct Servers {
  static ApiServer* get(const std::string& name, std::string* why) {
    static std::map<std::string, std::pair<std::unique_ptr<ApiServer>, std::string>> started;
    auto [slot, is_new] = started.try_emplace(name);
    if (is_new) {
      auto& [server, reason] = slot->second;
      if (name == "memory") server = start_memory_server({.flags = {}, .unix_socket = true}, &reason);
      if (name == "etcd") server = start_etcd_server({}, &reason);
      if (name == "kubernetes") server = start_kube_apiserver(&reason);
    }
    *why = slot->second.second;
    return slot->second.first.get();
  }
};

class ClientSuite : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::string why;
    server_ = Servers::get(GetParam(), &why);
    if (server_ == nullptr) GTEST_SKIP() << why;
    client_ = std::make_unique<SyncClient>(server_->kubeconfig());
  }

  // A name that no other test uses.
  static std::string unique(const std::string& stem) {
    static int next = 0;
    return concat(stem, "-", ++next);
  }

  static Value config_map(const std::string& name, const std::string& text, Object labels = {}) {
    return Object{{"apiVersion", "v1"},
                  {"kind", "ConfigMap"},
                  {"metadata", Object{{"name", name}, {"namespace", "default"}, {"labels", std::move(labels)}}},
                  {"data", Object{{"text", text}}}};
  }
  static Value pool(const std::string& name, const std::string& cidr) {
    return Object{{"apiVersion", "projectcalico.org/v3"},
                  {"kind", "IPPool"},
                  {"metadata", Object{{"name", name}}},
                  {"spec", Object{{"cidr", cidr}}}};
  }
  static Value network_set(const std::string& name, const std::string& net) {
    return Object{{"apiVersion", "projectcalico.org/v3"},
                  {"kind", "GlobalNetworkSet"},
                  {"metadata", Object{{"name", name}}},
                  {"spec", Object{{"nets", json::Array{Value(net)}}}}};
  }
  static std::string version_of(const Value& object) {
    return std::string(object.string_at({"metadata", "resourceVersion"}));
  }
  static std::int64_t generation_of(const Value& object) {
    const Value* generation = object.find({"metadata", "generation"});
    return generation == nullptr || generation->as_integer() == nullptr ? -1 : *generation->as_integer();
  }
  Value must(ApiResult<Value> result) {
    if (!result.ok()) {
      ADD_FAILURE() << result.error().message;
      return {};
    }
    return std::move(result).value();
  }

  ApiServer* server_ = nullptr;
  std::unique_ptr<SyncClient> client_;
};

TEST_P(ClientSuite, CreatedObjectsCanBeRead) {
  const std::string name = unique("created");
  const Value created = must(client_->create(kConfigMaps, config_map(name, "hello")));
  EXPECT_FALSE(created.string_at({"metadata", "uid"}).empty());
  EXPECT_FALSE(created.string_at({"metadata", "creationTimestamp"}).empty());
  EXPECT_FALSE(version_of(created).empty());

  const Value read = must(client_->get(kConfigMaps, {"default", name}));
  EXPECT_EQ(read.string_at({"data", "text"}), "hello");
  EXPECT_EQ(version_of(read), version_of(created));
  EXPECT_EQ(read.string_at({"kind"}), "ConfigMap");
  EXPECT_EQ(read.string_at({"apiVersion"}), "v1");
}

TEST_P(ClientSuite, SecondCreateOfANameIsRefused) {
  const Value object = config_map(unique("twice"), "x");
  must(client_->create(kConfigMaps, object));
  const auto second = client_->create(kConfigMaps, object);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(second.error().http_status, 409);
  EXPECT_EQ(second.error().reason, "AlreadyExists");
}

TEST_P(ClientSuite, WhatIsNotThereIsNotFound) {
  const auto missing = client_->get(kConfigMaps, {"default", "no-such-object"});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().reason, "NotFound");
  EXPECT_EQ(client_->remove(kPools, {"", "no-such-pool"}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(client_->update(kConfigMaps, config_map("no-such-object", "x")).error().code, ErrorCode::kNotFound);
}

TEST_P(ClientSuite, CreateInAMissingNamespaceIsNotFound) {
  Value object = config_map(unique("lost"), "x");
  object["metadata"]["namespace"] = "no-such-namespace";
  const auto result = client_->create(kConfigMaps, object);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
}

TEST_P(ClientSuite, GenerateNameMakesAName) {
  Value object = config_map("", "x");
  object["metadata"].as_object()->erase("name");
  object["metadata"]["generateName"] = "generated-";
  const Value first = must(client_->create(kConfigMaps, object));
  const Value second = must(client_->create(kConfigMaps, object));
  EXPECT_EQ(first.string_at({"metadata", "name"}).substr(0, 10), "generated-");
  EXPECT_NE(first.string_at({"metadata", "name"}), second.string_at({"metadata", "name"}));
}

TEST_P(ClientSuite, StaleUpdateConflicts) {
  const Value first = must(client_->create(kConfigMaps, config_map(unique("stale"), "1")));
  Value second = first;
  second["data"]["text"] = "2";
  const Value updated = must(client_->update(kConfigMaps, second));
  EXPECT_NE(version_of(updated), version_of(first));

  Value stale = first;
  stale["data"]["text"] = "3";
  const auto refused = client_->update(kConfigMaps, stale);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().reason, "Conflict");

  stale["metadata"].as_object()->erase("resourceVersion");
  EXPECT_EQ(must(client_->update(kConfigMaps, stale)).string_at({"data", "text"}), "3");
}

TEST_P(ClientSuite, UnchangedUpdateKeepsTheVersion) {
  const Value object = must(client_->create(kConfigMaps, config_map(unique("same"), "1")));
  EXPECT_EQ(version_of(must(client_->update(kConfigMaps, object))), version_of(object));
}

TEST_P(ClientSuite, GenerationCountsChangesOfTheSpecOnly) {
  Value object = must(client_->create(kPools, pool(unique("generation"), "10.1.0.0/16")));
  EXPECT_EQ(generation_of(object), 1);
  object["metadata"]["labels"] = Object{{"a", "b"}};
  object = must(client_->update(kPools, object));
  EXPECT_EQ(generation_of(object), 1);
  object["spec"]["natOutgoing"] = true;
  object = must(client_->update(kPools, object));
  EXPECT_EQ(generation_of(object), 2);
}

TEST_P(ClientSuite, StatusIsWrittenThroughItsSubresourceOnly) {
  Value object = must(client_->create(kPools, pool(unique("status"), "10.2.0.0/16")));
  const Value condition = Object{{"type", "Allocatable"},
                                 {"status", "True"},
                                 {"reason", "OK"},
                                 {"message", ""},
                                 {"lastTransitionTime", "2026-01-01T00:00:00Z"}};
  object["status"] = Object{{"conditions", json::Array{condition}}};
  EXPECT_EQ(must(client_->update(kPools, object)).find({"status", "conditions"}), nullptr);

  object = must(client_->get(kPools, {"", std::string(object.string_at({"metadata", "name"}))}));
  object["status"] = Object{{"conditions", json::Array{condition}}};
  object["spec"]["natOutgoing"] = true;
  const Value updated = must(client_->update_status(kPools, object));
  ASSERT_NE(updated.find({"status", "conditions"}), nullptr);
  EXPECT_EQ(updated.find({"spec", "natOutgoing"}), nullptr);
  EXPECT_EQ(generation_of(updated), 1);
}

// The kubelet and CNI plugins, which may write nothing else, rely on it.
TEST_P(ClientSuite, StatusOfANodeIsWrittenWithItsLabelsAndAnnotations) {
  const ResourceType nodes{"", "v1", "nodes", "Node", false};
  const std::string name = unique("status-node");
  must(client_->create(nodes, Object{{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", Object{{"name", name}}}}));
  const Value patch = Object{{"metadata", Object{{"annotations", Object{{"a", "b"}}}, {"labels", Object{{"c", "d"}}}}},
                             {"spec", Object{{"unschedulable", true}}}};
  const auto patched = client_->patch(nodes, {"", name}, kube::PatchType::kMerge, json::dump(patch), {}, "status");
  const Value node = must(patched);
  EXPECT_EQ(node.string_at({"metadata", "annotations", "a"}), "b");
  EXPECT_EQ(node.string_at({"metadata", "labels", "c"}), "d");
  EXPECT_EQ(node.find({"spec", "unschedulable"}), nullptr);
  must(client_->remove(nodes, {"", name}));
}

// Of custom resources it is not so.
TEST_P(ClientSuite, StatusOfAPoolIsWrittenWithoutItsLabels) {
  const std::string name = unique("status-pool");
  must(client_->create(kPools, pool(name, "10.4.0.0/16")));
  const Value patch = Object{{"metadata", Object{{"labels", Object{{"c", "d"}}}}}};
  const Value object =
      must(client_->patch(kPools, {"", name}, kube::PatchType::kMerge, json::dump(patch), {}, "status"));
  EXPECT_EQ(object.find({"metadata", "labels"}), nullptr);
}

TEST_P(ClientSuite, SchemaViolationsNameEveryField) {
  Value object = pool(unique("invalid"), "10.3.0.0/16");
  object["spec"]["ipipMode"] = "Sometimes";
  object["spec"]["natOutgoing"] = "yes";
  const auto refused = client_->create(kPools, object);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(refused.error().http_status, 422);
  EXPECT_EQ(refused.error().reason, "Invalid");
  std::set<std::string> fields;
  for (const auto& cause : refused.error().causes) fields.insert(cause.field);
  EXPECT_TRUE(fields.contains("spec.ipipMode"));
  EXPECT_TRUE(fields.contains("spec.natOutgoing"));
}

TEST_P(ClientSuite, UnknownFieldsArePruned) {
  Value object = pool(unique("pruned"), "10.4.0.0/16");
  object["spec"]["natOutgiong"] = true;
  const Value created = must(client_->create(kPools, object));
  EXPECT_EQ(created.find({"spec", "natOutgiong"}), nullptr);
}

TEST_P(ClientSuite, DefaultsAreFilledIn) {
  const Value created = must(client_->create(kPools, pool(unique("defaults"), "10.5.0.0/16")));
  EXPECT_EQ(created.string_at({"spec", "ipipMode"}), "Never");
  EXPECT_EQ(created.string_at({"spec", "vxlanMode"}), "Never");
}

TEST_P(ClientSuite, ZeroValuesAreValues) {
  Value object = pool(unique("zero"), "10.8.0.0/16");
  object["spec"]["natOutgoing"] = false;
  object["spec"]["nodeSelector"] = "";
  const Value created = must(client_->create(kPools, object));
  ASSERT_NE(created.find({"spec", "natOutgoing"}), nullptr);
  EXPECT_EQ(*created.find({"spec", "natOutgoing"}), Value(false));
}

TEST_P(ClientSuite, MergePatchChangesAndRemoves) {
  const std::string name = unique("merge");
  must(client_->create(kPools, pool(name, "10.6.0.0/16")));
  const Value set = must(client_->patch(kPools, {"", name}, PatchType::kMerge,
                                        R"({"metadata":{"labels":{"a":"1","b":"2"}},"spec":{"natOutgoing":true}})"));
  EXPECT_EQ(set.string_at({"metadata", "labels", "b"}), "2");
  const Value removed =
      must(client_->patch(kPools, {"", name}, PatchType::kMerge, R"({"metadata":{"labels":{"b":null}}})"));
  EXPECT_EQ(removed.find({"metadata", "labels", "b"}), nullptr);
  EXPECT_EQ(removed.string_at({"metadata", "labels", "a"}), "1");
}

TEST_P(ClientSuite, JsonPatchTestsAndReplaces) {
  const std::string name = unique("json-patch");
  must(client_->create(kConfigMaps, config_map(name, "1")));
  const Value patched = must(client_->patch(
      kConfigMaps, {"default", name}, PatchType::kJson,
      R"([{"op":"test","path":"/data/text","value":"1"},{"op":"replace","path":"/data/text","value":"2"}])"));
  EXPECT_EQ(patched.string_at({"data", "text"}), "2");
  const auto refused = client_->patch(kConfigMaps, {"default", name}, PatchType::kJson,
                                      R"([{"op":"test","path":"/data/text","value":"1"}])");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
}

TEST_P(ClientSuite, StrategicMergePatchMergesListsByKey) {
  const std::string name = unique("strategic");
  const Value pod = Object{{"apiVersion", "v1"},
                           {"kind", "Pod"},
                           {"metadata", Object{{"name", name}, {"namespace", "default"}}},
                           {"spec", Object{{"containers", json::Array{Object{{"name", "a"}, {"image", "one"}},
                                                                      Object{{"name", "b"}, {"image", "two"}}}}}}};
  must(client_->create(kPods, pod));
  const Value patched = must(client_->patch(kPods, {"default", name}, PatchType::kStrategicMerge,
                                            R"({"spec":{"containers":[{"name":"b","image":"three"}]}})"));
  const json::Array& containers = *patched.find({"spec", "containers"})->as_array();
  ASSERT_EQ(containers.size(), 2U);
  std::map<std::string, std::string> images;
  for (const Value& container : containers) {
    images[std::string(container.string_at({"name"}))] = container.string_at({"image"});
  }
  EXPECT_EQ(images, (std::map<std::string, std::string>{{"a", "one"}, {"b", "three"}}));
}

TEST_P(ClientSuite, ServerSideApplyKnowsOwnersOfFields) {
  const std::string name = unique("apply");
  const auto text = [&](const std::string& net) {
    return concat("{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"IPPool\",\"metadata\":{\"name\":\"", name,
                  "\"},\"spec\":{\"cidr\":\"10.7.0.0/16\",\"nodeSelector\":\"", net, "\"}}");
  };
  must(client_->patch(kPools, {"", name}, PatchType::kApply, text("has(a)"), {.field_manager = "one"}));
  const auto conflict = client_->patch(kPools, {"", name}, PatchType::kApply, text("has(b)"), {.field_manager = "two"});
  ASSERT_FALSE(conflict.ok());
  EXPECT_EQ(conflict.error().code, ErrorCode::kConflict);
  EXPECT_NE(conflict.error().message.find("one"), std::string::npos) << conflict.error().message;
  const Value forced = must(
      client_->patch(kPools, {"", name}, PatchType::kApply, text("has(b)"), {.field_manager = "two", .force = true}));
  EXPECT_EQ(forced.string_at({"spec", "nodeSelector"}), "has(b)");
}

TEST_P(ClientSuite, DryRunChangesNothing) {
  const std::string name = unique("dry");
  must(client_->create(kConfigMaps, config_map(name, "1"), {.dry_run = true}));
  EXPECT_EQ(client_->get(kConfigMaps, {"default", name}).error().code, ErrorCode::kNotFound);
}

TEST_P(ClientSuite, DeleteObeysPreconditions) {
  const std::string name = unique("deleted");
  const Value object = must(client_->create(kConfigMaps, config_map(name, "1")));
  const auto refused = client_->remove(kConfigMaps, {"default", name}, {.uid = "00000000-0000-0000-0000-000000000000"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  must(client_->remove(kConfigMaps, {"default", name}, {.uid = std::string(object.string_at({"metadata", "uid"}))}));
  EXPECT_EQ(client_->get(kConfigMaps, {"default", name}).error().code, ErrorCode::kNotFound);
}

TEST_P(ClientSuite, FinalizersHoldAnObjectUntilTheyAreGone) {
  const std::string name = unique("finalizer");
  Value object = network_set(name, "192.0.2.0/24");
  object["metadata"]["finalizers"] = json::Array{Value("margay.dev/test")};
  must(client_->create(kSets, object));
  must(client_->remove(kSets, {"", name}));
  Value dying = must(client_->get(kSets, {"", name}));
  EXPECT_FALSE(dying.string_at({"metadata", "deletionTimestamp"}).empty());
  must(client_->patch(kSets, {"", name}, PatchType::kMerge, R"({"metadata":{"finalizers":null}})"));
  EXPECT_EQ(client_->get(kSets, {"", name}).error().code, ErrorCode::kNotFound);
}

TEST_P(ClientSuite, PagesAreOneSnapshot) {
  const std::string stem = unique("page");
  const Object labels{{"suite", stem}};
  for (int i = 10; i < 35; ++i) must(client_->create(kConfigMaps, config_map(concat(stem, "-", i), "x", labels)));
  kube::ListOptions options{.label_selector = "suite=" + stem, .limit = 10};
  std::vector<std::string> names;
  std::set<std::string> versions;
  int pages = 0;
  do {
    auto page = client_->list(kConfigMaps, "default", options);
    ASSERT_TRUE(page.ok()) << page.error().message;
    // A change between pages is not part of the snapshot.
    if (++pages == 1) must(client_->create(kConfigMaps, config_map(stem + "-99", "late", labels)));
    for (const Value& item : page->items) names.emplace_back(item.string_at({"metadata", "name"}));
    versions.insert(page->meta.resource_version);
    options.continue_token = page->meta.continue_token;
  } while (!options.continue_token.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(names.size(), 25U);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(versions.size(), 1U);
}

TEST_P(ClientSuite, SelectorsChooseObjects) {
  const std::string stem = unique("select");
  must(client_->create(kConfigMaps, config_map(stem + "-a", "x", {{"suite", stem}, {"tier", "web"}})));
  must(client_->create(kConfigMaps, config_map(stem + "-b", "x", {{"suite", stem}, {"tier", "db"}})));
  must(client_->create(kConfigMaps, config_map(stem + "-c", "x", {{"suite", stem}})));
  const auto count = [&](const std::string& selector, const std::string& fields = "") {
    kube::ListOptions options{.label_selector = concat("suite=", stem, selector), .field_selector = fields};
    const auto listed = client_->list(kConfigMaps, "default", options);
    EXPECT_TRUE(listed.ok());
    return listed.ok() ? listed->items.size() : 999;
  };
  EXPECT_EQ(count(""), 3U);
  EXPECT_EQ(count(",tier=web"), 1U);
  EXPECT_EQ(count(",tier!=web"), 2U);
  EXPECT_EQ(count(",tier in (web,db)"), 2U);
  EXPECT_EQ(count(",tier notin (web)"), 2U);
  EXPECT_EQ(count(",!tier"), 1U);
  EXPECT_EQ(count("", "metadata.name=" + stem + "-b"), 1U);
  const auto bad = client_->list(kConfigMaps, "default", {.label_selector = "a in"});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalid);
}

TEST_P(ClientSuite, WatchTellsEveryChangeInOrder) {
  const std::string name = unique("watched");
  const auto listed = client_->list(kSets, "");
  ASSERT_TRUE(listed.ok());
  RecordedWatch watch = client_->watch(kSets, "", {.resource_version = listed->meta.resource_version});
  Value object = must(client_->create(kSets, network_set(name, "192.0.2.0/24")));
  object["spec"]["nets"] = json::Array{Value("198.51.100.0/24")};
  must(client_->update(kSets, object));
  must(client_->remove(kSets, {"", name}));
  const auto events = watch.wait_for(3);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].kind, Kind::kAdded);
  EXPECT_EQ(events[1].kind, Kind::kModified);
  EXPECT_EQ(events[2].kind, Kind::kDeleted);
  for (const auto& event : events) EXPECT_EQ(event.name(), name);
  EXPECT_NE(version_of(events[0].object), version_of(events[1].object));
}

TEST_P(ClientSuite, WatchWithASelectorTellsWhoEntersAndLeaves) {
  const std::string stem = unique("enter");
  const auto listed = client_->list(kConfigMaps, "default");
  ASSERT_TRUE(listed.ok());
  RecordedWatch watch = client_->watch(
      kConfigMaps, "default", {.label_selector = "chosen=" + stem, .resource_version = listed->meta.resource_version});
  must(client_->create(kConfigMaps, config_map(stem, "x")));
  const auto label = [&](const std::string& value) {
    must(client_->patch(kConfigMaps, {"default", stem}, PatchType::kMerge,
                        concat("{\"metadata\":{\"labels\":{\"chosen\":", value, "}}}")));
  };
  label("\"" + stem + "\"");
  label("null");
  const auto events = watch.wait_for(2);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, Kind::kAdded);
  EXPECT_EQ(events[1].kind, Kind::kDeleted);
}

TEST_P(ClientSuite, WatchEndsInOrderAtItsTimeout) {
  const auto listed = client_->list(kSets, "");
  ASSERT_TRUE(listed.ok());
  RecordedWatch watch = client_->watch(
      kSets, "", {.resource_version = listed->meta.resource_version, .server_timeout = std::chrono::seconds(1)});
  EXPECT_TRUE(watch.wait_for_end().ok());
}

TEST_P(ClientSuite, WatchFromAForgottenVersionIsGone) {
  RecordedWatch watch = client_->watch(kSets, "", {.resource_version = "1"});
  // A server that still has everything since version 1 may deliver it instead.
  const auto events = watch.wait_for(1);
  if (!events.empty()) GTEST_SKIP() << "this server still knows version 1";
  const auto outcome = watch.wait_for_end();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::kGone);
}

TEST_P(ClientSuite, BadContinueTokenIsRefused) {
  const auto listed = client_->list(kConfigMaps, "default", {.limit = 1, .continue_token = "nonsense"});
  ASSERT_FALSE(listed.ok());
  EXPECT_EQ(listed.error().code, ErrorCode::kInvalid);
}

TEST_P(ClientSuite, VersionAndReadinessAnswer) {
  const auto version = client_->get_path("/version");
  ASSERT_TRUE(version.ok()) << version.error().message;
  EXPECT_NE(version->find("gitVersion"), std::string::npos);
  EXPECT_TRUE(client_->get_path("/readyz").ok());
}

INSTANTIATE_TEST_SUITE_P(Servers, ClientSuite, testing::Values("memory", "etcd", "kubernetes"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace margay::test
