#include "datastore/patch/strategic_patch.h"

#include "base/core/text.h"
#include "base/json/random_value.h"
#include "datastore/patch/kubernetes_lists.h"
#include "datastore/patch/merge_patch.h"
#include "datastore/patch/test_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::patch {
namespace {

using json::Value;
using test::parsed;

struct Case {
  const char* why;
  const char* document;
  const char* patch;
  const char* result;
};

void check(std::span<const Case> cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    const auto result = strategic_merge_patch(parsed(c.document), parsed(c.patch));
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(dump(*result), c.result);
  }
}

TEST(StrategicPatch, ObjectsMergeAsInAMergePatch) {
  const Case cases[] = {
      {"set, remove, keep", R"({"data":{"a":"1","b":"1","c":"1"}})", R"({"data":{"a":"2","b":null}})",
       R"({"data":{"a":"2","c":"1"}})"},
      {"a new object comes without its nulls", "{}", R"({"metadata":{"labels":{"a":null,"b":"1"}}})",
       R"({"metadata":{"labels":{"b":"1"}}})"},
      {"removal of what is not there", R"({"a":1})", R"({"b":null})", R"({"a":1})"},
      {"another type replaces", R"({"a":{"b":1}})", R"({"a":[1]})", R"({"a":[1]})"},
      {"an empty patch", R"({"a":[1],"b":null})", "{}", R"({"a":[1],"b":null})"},
  };
  check(cases);
}

TEST(StrategicPatch, ListsMergeByTheirKey) {
  const Case cases[] = {
      {"containers by name; a new one goes first", R"({"spec":{"containers":[{"name":"a","image":"1","tty":true}]}})",
       R"({"spec":{"containers":[{"name":"b","image":"3"}]}})",
       R"({"spec":{"containers":[{"name":"b","image":"3"},{"name":"a","image":"1","tty":true}]}})"},
      {"one of several", R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]}})",
       R"({"spec":{"containers":[{"name":"b","image":"2"}]}})",
       R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}})"},
      {"below a template too",
       R"({"spec":{"template":{"spec":{"initContainers":[{"name":"a","env":[{"name":"X","value":"1"}]}]}}}})",
       R"({"spec":{"template":{"spec":{"initContainers":[{"name":"a","env":[{"name":"Y","value":"2"}]}]}}}})",
       R"({"spec":{"template":{"spec":{"initContainers":[{"name":"a","env":[{"name":"Y","value":"2"},{"name":"X","value":"1"}]}]}}}})"},
      {"container ports by containerPort",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"name":"http"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"TCP"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"name":"http","protocol":"TCP"}]}]}})"},
      {"service ports by port", R"({"spec":{"ports":[{"port":80,"name":"a"},{"port":81,"name":"b"}]}})",
       R"({"spec":{"ports":[{"port":81,"name":"c"}]}})",
       R"({"spec":{"ports":[{"port":80,"name":"a"},{"port":81,"name":"c"}]}})"},
      {"volume mounts by path",
       R"({"spec":{"containers":[{"name":"a","volumeMounts":[{"mountPath":"/x","name":"v"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","volumeMounts":[{"mountPath":"/x","readOnly":true}]}]}})",
       R"({"spec":{"containers":[{"name":"a","volumeMounts":[{"mountPath":"/x","name":"v","readOnly":true}]}]}})"},
      {"conditions by type", R"({"status":{"conditions":[{"type":"Ready","status":"False"},{"type":"X"}]}})",
       R"({"status":{"conditions":[{"type":"Ready","status":"True"}]}})",
       R"({"status":{"conditions":[{"type":"Ready","status":"True"},{"type":"X"}]}})"},
      {"addresses, podIPs, hostAliases, pull secrets",
       R"({"spec":{"hostAliases":[{"ip":"1.1.1.1"}],"imagePullSecrets":[{"name":"a"}]},"status":{"addresses":[{"type":"A","address":"x"}],"podIPs":[{"ip":"10.0.0.1"}]}})",
       R"({"spec":{"hostAliases":[{"ip":"1.1.1.1","hostnames":["h"]}],"imagePullSecrets":[{"name":"a"}]},"status":{"addresses":[{"type":"A","address":"y"}],"podIPs":[{"ip":"10.0.0.1"}]}})",
       R"({"spec":{"hostAliases":[{"ip":"1.1.1.1","hostnames":["h"]}],"imagePullSecrets":[{"name":"a"}]},"status":{"addresses":[{"type":"A","address":"y"}],"podIPs":[{"ip":"10.0.0.1"}]}})"},
      {"owner references by uid", R"({"metadata":{"ownerReferences":[{"uid":"1","name":"a"}]}})",
       R"({"metadata":{"ownerReferences":[{"uid":"1","controller":true},{"uid":"2","name":"b"}]}})",
       R"({"metadata":{"ownerReferences":[{"uid":"1","name":"a","controller":true},{"uid":"2","name":"b"}]}})"},
      {"finalizers are a set", R"({"metadata":{"finalizers":["a","b"]}})", R"({"metadata":{"finalizers":["b","c"]}})",
       R"({"metadata":{"finalizers":["a","b","c"]}})"},
      {"an element with the same key twice in the document: the first is meant",
       R"({"spec":{"ports":[{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}]}})",
       R"({"spec":{"ports":[{"port":53,"name":"dns"}]}})",
       R"({"spec":{"ports":[{"port":53,"protocol":"UDP","name":"dns"},{"port":53,"protocol":"TCP"}]}})"},
      {"a null member of an element goes", R"({"spec":{"ports":[{"port":80,"name":"a"}]}})",
       R"({"spec":{"ports":[{"port":80,"name":null}]}})", R"({"spec":{"ports":[{"port":80}]}})"},
  };
  check(cases);
}

TEST(StrategicPatch, OtherListsAreReplaced) {
  const Case cases[] = {
      {"tolerations", R"({"spec":{"tolerations":[{"key":"a"}]}})", R"({"spec":{"tolerations":[{"key":"b"}]}})",
       R"({"spec":{"tolerations":[{"key":"b"}]}})"},
      {"command", R"({"spec":{"containers":[{"name":"a","command":["x","y"]}]}})",
       R"({"spec":{"containers":[{"name":"a","command":["z"]}]}})",
       R"({"spec":{"containers":[{"name":"a","command":["z"]}]}})"},
      {"ports of a NetworkPolicy", R"({"spec":{"ingress":[{"ports":[{"port":80}]}]}})",
       R"({"spec":{"ingress":[{"ports":[{"port":81}]}]}})", R"({"spec":{"ingress":[{"ports":[{"port":81}]}]}})"},
      {"ports of an EndpointSlice", R"({"ports":[{"port":80}]})", R"({"ports":[{"port":81}]})",
       R"({"ports":[{"port":81}]})"},
      {"taints", R"({"spec":{"taints":[{"key":"a"}]}})", R"({"spec":{"taints":[]}})", R"({"spec":{"taints":[]}})"},
  };
  check(cases);
}

TEST(StrategicPatch, PatchDirectiveReplacesDeletesMerges) {
  const Case cases[] = {
      {"replace of an object", R"({"data":{"a":"1","b":"2"}})", R"({"data":{"$patch":"replace","c":"3"}})",
       R"({"data":{"c":"3"}})"},
      {"delete of an object empties it", R"({"data":{"a":"1"}})", R"({"data":{"$patch":"delete"}})", R"({"data":{}})"},
      {"merge is what happens anyway", R"({"data":{"a":"1"}})", R"({"data":{"$patch":"merge","b":"2"}})",
       R"({"data":{"a":"1","b":"2"}})"},
      {"delete of an element", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"$patch":"delete","name":"a"}]}})", R"({"spec":{"containers":[{"name":"b"}]}})"},
      {"delete of an element that is not there", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"$patch":"delete","name":"x"}]}})", R"({"spec":{"containers":[{"name":"a"}]}})"},
      {"delete and add", R"({"spec":{"containers":[{"name":"a","image":"1"}]}})",
       R"({"spec":{"containers":[{"name":"b"},{"$patch":"delete","name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"b"}]}})"},
      {"replace of a list", R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"a"},{"$patch":"replace"}]}})", R"({"spec":{"containers":[{"name":"a"}]}})"},
      {"replace of a list by nothing", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"$patch":"replace"}]}})", R"({"spec":{"containers":[]}})"},
      {"merge of a list", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"$patch":"merge"},{"$patch":"merge","name":"a","image":"1"}]}})",
       R"({"spec":{"containers":[{"name":"a","image":"1"}]}})"},
      {"replace within an element", R"({"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1"}}}]}})",
       R"({"spec":{"containers":[{"name":"a","resources":{"$patch":"replace","requests":{"cpu":"1"}}}]}})",
       R"({"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"1"}}}]}})"},
      {"no directive is left where nothing was", "{}",
       R"({"spec":{"$retainKeys":["a"],"a":{"$patch":"replace","b":1},"c":{"$patch":"delete"},"$setElementOrder/ports":[{"port":1}],"ports":[{"$patch":"delete","port":2},{"port":1},{"$patch":"replace"}]}})",
       R"({"spec":{"a":{"b":1},"ports":[{"port":1}]}})"},
  };
  check(cases);
}

TEST(StrategicPatch, RetainKeysClearsTheOthers) {
  const Case cases[] = {
      {"the strategy of a Deployment",
       R"({"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}})",
       R"({"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}})",
       R"({"spec":{"strategy":{"type":"Recreate"}}})"},
      {"a volume gets another source", R"({"spec":{"volumes":[{"name":"v","emptyDir":{}},{"name":"w"}]}})",
       R"({"spec":{"volumes":[{"$retainKeys":["name","hostPath"],"name":"v","hostPath":{"path":"/x"}}]}})",
       R"({"spec":{"volumes":[{"name":"v","hostPath":{"path":"/x"}},{"name":"w"}]}})"},
      {"what is retained but not set stays", R"({"a":1,"b":2,"c":3})", R"({"$retainKeys":["a","b"],"b":5})",
       R"({"a":1,"b":5})"},
      {"null members need not be named", R"({"a":1,"b":2})", R"({"$retainKeys":["a"],"b":null})", R"({"a":1})"},
  };
  check(cases);
}

TEST(StrategicPatch, SetElementOrderOrders) {
  const Case cases[] = {
      {"order alone", R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"c"},{"name":"a"},{"name":"b"}]}})"},
      {"with a change and a deletion", R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"d"},{"name":"c"},{"name":"a"}],"containers":[{"name":"d"},{"name":"a","image":"1"},{"$patch":"delete","name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"d"},{"name":"c"},{"name":"a","image":"1"}]}})"},
      {"elements only the server knows keep their place",
       R"({"spec":{"containers":[{"name":"a"},{"name":"sidecar"},{"name":"b"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"a"},{"name":"b"},{"name":"c"}],"containers":[{"name":"c"}]}})",
       R"({"spec":{"containers":[{"name":"a"},{"name":"sidecar"},{"name":"b"},{"name":"c"}]}})"},
      {"scalars", R"({"metadata":{"finalizers":["a","b","x"]}})",
       R"({"metadata":{"$setElementOrder/finalizers":["b","c","a"],"finalizers":["c"]}})",
       R"({"metadata":{"finalizers":["b","c","a","x"]}})"},
      {"of a new list", "{}",
       R"({"spec":{"$setElementOrder/ports":[{"port":1},{"port":2}],"ports":[{"port":1},{"port":2}]}})",
       R"({"spec":{"ports":[{"port":1},{"port":2}]}})"},
      {"of a list that is not there", R"({"spec":{}})", R"({"spec":{"$setElementOrder/ports":[{"port":1}]}})",
       R"({"spec":{}})"},
      {"of a list that is replaced anyway", R"({"spec":{"tolerations":[{"key":"a"}]}})",
       R"({"spec":{"$setElementOrder/tolerations":[{"key":"c"}],"tolerations":[{"key":"b"}]}})",
       R"({"spec":{"tolerations":[{"key":"b"}]}})"},
  };
  check(cases);
}

TEST(StrategicPatch, DeleteFromPrimitiveListRemovesScalars) {
  const Case cases[] = {
      {"all that are equal", R"({"metadata":{"finalizers":["a","b","a"]}})",
       R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a","x"]}})", R"({"metadata":{"finalizers":["b"]}})"},
      {"then the patch adds", R"({"metadata":{"finalizers":["a","b"]}})",
       R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"$setElementOrder/finalizers":["c","b"],"finalizers":["c"]}})",
       R"({"metadata":{"finalizers":["c","b"]}})"},
      {"from nothing", R"({"metadata":{}})", R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}})",
       R"({"metadata":{}})"},
  };
  check(cases);
}

TEST(StrategicPatch, ErrorsNameTheirPlace) {
  const struct Bad {
    const char* why;
    const char* document;
    const char* patch;
    const char* message;
  } cases[] = {
      {"no object", "{}", "[]", "a strategic merge patch is an object, found array"},
      {"nothing to patch", "[]", "{}", "only objects can be patched, found array"},
      {"unknown directive", R"({"spec":{"a":{}}})", R"({"spec":{"a":{"$patch":"remove"}}})",
       R"(spec.a: unknown $patch "remove": it must be replace, delete or merge)"},
      {"unknown directive at the top", "{}", R"({"$patch":1})",
       "unknown $patch 1: it must be replace, delete or merge"},
      {"unknown directive in a list", R"({"spec":{"ports":[]}})", R"({"spec":{"ports":[{"$patch":"x","port":1}]}})",
       R"(spec.ports: unknown $patch "x": it must be replace, delete or merge)"},
      {"element without its key", R"({"spec":{"ports":[{"port":1}]}})", R"({"spec":{"ports":[{"name":"a"}]}})",
       R"(spec.ports: an element does not contain the declared merge key "port")"},
      {"deletion without its key", R"({"spec":{"ports":[{"port":1}]}})",
       R"({"spec":{"ports":[{"$patch":"delete","name":"a"}]}})",
       R"(spec.ports: an element does not contain the declared merge key "port")"},
      {"scalar among objects", R"({"spec":{"ports":[{"port":1}]}})", R"({"spec":{"ports":[1]}})",
       "spec.ports: a list of objects has an element that is integer"},
      {"object among scalars", R"({"metadata":{"finalizers":["a"]}})", R"({"metadata":{"finalizers":[{}]}})",
       "metadata.finalizers: a list of scalars has an element that is object"},
      {"set, but not retained", R"({"spec":{}})", R"({"spec":{"$retainKeys":["a"],"b":1}})",
       R"(spec: the patch sets "b", which is not in $retainKeys)"},
      {"retainKeys of another type", R"({"spec":{}})", R"({"spec":{"$retainKeys":"a"}})",
       "spec: $retainKeys must be a list, found string"},
      {"retainKeys of numbers", R"({"spec":{}})", R"({"spec":{"$retainKeys":[1]}})",
       "spec: $retainKeys must be a list of strings"},
      {"order of another type", R"({"spec":{}})", R"({"spec":{"$setElementOrder/ports":{}}})",
       "spec: $setElementOrder/ports must be a list, found object"},
      {"order against the patch", R"({"spec":{"ports":[{"port":1}]}})",
       R"({"spec":{"$setElementOrder/ports":[{"port":1},{"port":2}],"ports":[{"port":2},{"port":1}]}})",
       "spec.ports: the order of the elements in the patch does not match $setElementOrder"},
      {"deletion of another type", R"({"metadata":{}})", R"({"metadata":{"$deleteFromPrimitiveList/finalizers":1}})",
       "metadata: $deleteFromPrimitiveList/finalizers must be a list, found integer"},
      {"deletion from an object", R"({"data":{"a":{}}})", R"({"data":{"$deleteFromPrimitiveList/a":["x"]}})",
       "data.a: a list directive for what is object"},
      {"deep in a list", R"({"spec":{"containers":[{"name":"a","env":[{"name":"E"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","env":[{"value":"x"}]}]}})",
       R"(spec.containers.env: an element does not contain the declared merge key "name")"},
  };
  for (const Bad& c : cases) {
    SCOPED_TRACE(c.why);
    const auto result = strategic_merge_patch(parsed(c.document), parsed(c.patch));
    ASSERT_FALSE(result.ok()) << dump(*result);
    EXPECT_EQ(result.error().message, c.message);
    EXPECT_EQ(result.error().code, ErrorCode::kInvalid);
  }
}

// Without directives and known lists, the two merge patches are the same, but for nulls within lists.
TEST(StrategicPatch, IsAMergePatchWhereNothingIsSpecial) {
  SeededRandom random(42);
  int compared = 0;
  for (int round = 0; round < 2000; ++round) {
    Value document = json::random_value(random, 4);
    const Value patch = json::random_value(random, 4);
    if (document.as_object() == nullptr || patch.as_object() == nullptr) continue;
    if (dump(patch).find("null") != std::string::npos) continue;
    const auto result = strategic_merge_patch(document, patch);
    ASSERT_TRUE(result.ok()) << result.error().message;
    ASSERT_EQ(*result, merge_patch(document, patch)) << dump(document) << "\n" << dump(patch);
    ++compared;
  }
  EXPECT_GT(compared, 30);
}

TEST(KubernetesLists, KnowsTheListsOfEachKind) {
  using Kind = ListType::Kind;
  const struct Row {
    const char* path;
    Kind kind;
    const char* keys;
  } cases[] = {
      {"spec.containers", Kind::kMap, "name"},
      {"spec.template.spec.initContainers", Kind::kMap, "name"},
      {"spec.containers.ports", Kind::kMap, "containerPort,protocol=\"TCP\""},
      {"spec.ports", Kind::kMap, "port,protocol=\"TCP\""},
      {"spec.topologySpreadConstraints", Kind::kMap, "topologyKey,whenUnsatisfiable"},
      {"metadata.finalizers", Kind::kSet, ""},
      {"spec.podCIDRs", Kind::kSet, ""},
      {"status.conditions", Kind::kMap, "type"},
      {"status.hostIPs", Kind::kAtomic, ""},
      {"secrets", Kind::kMap, "name"},
      {"spec.secrets", Kind::kAtomic, ""},
      {"imagePullSecrets", Kind::kAtomic, ""},
      {"spec.ingress.ports", Kind::kAtomic, ""},
      {"ports", Kind::kAtomic, ""},
      {"spec.tolerations", Kind::kAtomic, ""},
      {"spec.containersX", Kind::kAtomic, ""},
      {"containers", Kind::kAtomic, ""},
  };
  for (const Row& row : cases) {
    SCOPED_TRACE(row.path);
    const std::vector<std::string_view> path = split(row.path, '.');
    const ListType type = KubernetesLists().list_at(path);
    EXPECT_EQ(type.kind, row.kind);
    std::string keys;
    for (const ListKey& key : type.keys)
      keys += concat(keys.empty() ? "" : ",", key.name, key.default_value ? "=" + dump(*key.default_value) : "");
    EXPECT_EQ(keys, row.keys);
  }
}

TEST(KubernetesLists, SelectorsAreAtomic) {
  for (const char* path : {"spec.podSelector", "spec.ingress.from.namespaceSelector", "spec.selector"})
    EXPECT_TRUE(KubernetesLists().is_atomic_object(split(path, '.'))) << path;
  for (const char* path : {"spec", "metadata.labels", "spec.template.spec", "selector"})
    EXPECT_FALSE(KubernetesLists().is_atomic_object(split(path, '.'))) << path;
}

}  // namespace
}  // namespace margay::patch
