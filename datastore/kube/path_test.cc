#include "datastore/kube/path.h"

#include <gtest/gtest.h>

#include "datastore/kube/sim_api.h"

namespace margay::kube {
namespace {

const ResourceType kNodes{"", "v1", "nodes", "Node", false};
const ResourceType kPolicies{"projectcalico.org", "v3", "networkpolicies", "NetworkPolicy", true};

TEST(Path, Collections) {
  EXPECT_EQ(collection_path(kPods, "default"), "/api/v1/namespaces/default/pods");
  EXPECT_EQ(collection_path(kPods, ""), "/api/v1/pods");
  EXPECT_EQ(collection_path(kNodes, ""), "/api/v1/nodes");
  EXPECT_EQ(collection_path(kPolicies, "a"), "/apis/projectcalico.org/v3/namespaces/a/networkpolicies");
  EXPECT_EQ(collection_path(kPools, ""), "/apis/projectcalico.org/v3/ippools");
}

TEST(Path, Objects) {
  EXPECT_EQ(*object_path(kPods, {"default", "web-0"}, ""), "/api/v1/namespaces/default/pods/web-0");
  EXPECT_EQ(*object_path(kPools, {"", "default-ipv4-ippool"}, "status"),
            "/apis/projectcalico.org/v3/ippools/default-ipv4-ippool/status");
  EXPECT_EQ(*object_path(kPools, {"", "a:b c"}, ""), "/apis/projectcalico.org/v3/ippools/a%3Ab%20c");
}

TEST(Path, NamesThatWouldReachSomethingElseAreRefused) {
  struct Case {
    const char* why;
    ResourceType type;
    ObjectName name;
  };
  const std::vector<Case> cases = {
      {"empty: the collection", kPools, {"", ""}},
      {"the collection's parent", kPools, {"", ".."}},
      {"the collection itself", kPools, {"", "."}},
      {"a subresource", kPools, {"", "a/status"}},
      {"escapes", kPools, {"", "a%2fstatus"}},
      {"no namespace", kPods, {"", "a"}},
      {"namespace with a slash", kPods, {"a/pods", "a"}},
      {"namespace of a cluster-scoped kind", kPools, {"default", "a"}},
  };
  for (const Case& bad : cases) {
    const auto path = object_path(bad.type, bad.name, "");
    ASSERT_FALSE(path.ok()) << bad.why << ": " << *path;
    EXPECT_EQ(path.error().code, ErrorCode::kInvalid) << bad.why;
  }
  EXPECT_EQ(object_path(kPools, {"default", "a"}, "").error().message,
            "IPPool \"a\" has no namespace, but \"default\" is asked for");
}

TEST(Path, ListParameters) {
  EXPECT_EQ(list_target(kPods, "", {}), "/api/v1/pods");
  ListOptions options;
  options.label_selector = "app in (a, b)";
  options.field_selector = "spec.nodeName=n1";
  options.resource_version = "0";
  options.resource_version_match = "NotOlderThan";
  options.limit = 500;
  EXPECT_EQ(list_target(kPods, "", options),
            "/api/v1/pods?labelSelector=app%20in%20%28a%2C%20b%29&fieldSelector=spec.nodeName%3Dn1&resourceVersion=0"
            "&resourceVersionMatch=NotOlderThan&limit=500");
  EXPECT_EQ(list_target(kPods, "", {.limit = 2, .continue_token = "a+/="}), "/api/v1/pods?limit=2&continue=a%2B%2F%3D");
}

TEST(Path, WatchParameters) {
  WatchOptions options;
  options.resource_version = "7";
  EXPECT_EQ(watch_target(kPods, "a", options),
            "/api/v1/namespaces/a/pods?watch=true&resourceVersion=7&allowWatchBookmarks=true");
  options.allow_bookmarks = false;
  options.server_timeout = std::chrono::milliseconds(299'001);  // rounded up: never shorter than asked for
  EXPECT_EQ(watch_target(kPods, "", options), "/api/v1/pods?watch=true&resourceVersion=7&timeoutSeconds=300");
}

TEST(Path, WriteParameters) {
  EXPECT_EQ(write_target("/x", {}), "/x");
  EXPECT_EQ(write_target("/x", {.dry_run = true, .field_manager = "netctl", .force = true}),
            "/x?dryRun=All&fieldManager=netctl&force=true");
}

TEST(Path, DeleteOptionsAreSentOnlyWhenGiven) {
  EXPECT_EQ(delete_body({}), "");
  DeleteOptions options;
  options.uid = "u";
  options.resource_version = "7";
  options.grace_period_seconds = 0;
  options.propagation_policy = "Foreground";
  options.dry_run = true;
  EXPECT_EQ(delete_body(options),
            R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"u","resourceVersion":"7"},)"
            R"("gracePeriodSeconds":0,"propagationPolicy":"Foreground","dryRun":["All"]})");
}

}  // namespace
}  // namespace margay::kube
