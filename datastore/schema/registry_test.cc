#include "datastore/schema/registry.h"

#include "base/json/yaml.h"
#include "datastore/schema/node.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::schema {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

json::Value one_document(std::string_view text) { return json::parse_yaml(text).value().at(0).value; }

std::string kind_of(const ResourceInfo* info) {
  return info == nullptr ? "none" : info->api_version() + " " + info->kind;
}

TEST(Registry, FindsKindsByEveryName) {
  const auto registry = make_registry();
  struct Case {
    const char* name;
    const char* kind;
  };
  const Case cases[] = {
      {"ippools", "projectcalico.org/v3 IPPool"},
      {"IPPool", "projectcalico.org/v3 IPPool"},
      {"ippool.projectcalico.org", "projectcalico.org/v3 IPPool"},
      {"ippools.v3.projectcalico.org", "projectcalico.org/v3 IPPool"},
      {"ippools.v1.projectcalico.org", "none"},
      {"gnp", "projectcalico.org/v3 GlobalNetworkPolicy"},
      {"networkpolicies", "projectcalico.org/v3 NetworkPolicy"},
      {"networkpolicy.networking.k8s.io", "networking.k8s.io/v1 NetworkPolicy"},
      {"netpol", "networking.k8s.io/v1 NetworkPolicy"},
      {"po", "v1 Pod"},
      {"PODS", "v1 Pod"},
      {"endpointslices", "discovery.k8s.io/v1 EndpointSlice"},
      {"endpointslices.v1beta1.discovery.k8s.io", "discovery.k8s.io/v1beta1 EndpointSlice"},
      {"crd", "apiextensions.k8s.io/v1 CustomResourceDefinition"},
      {"", "none"},
      {".", "none"},
      {"nosuch", "none"},
      {"pods.nosuch", "none"},
  };
  for (const Case& c : cases) EXPECT_EQ(kind_of(registry->by_any_name(c.name)), c.kind) << c.name;
}

TEST(Registry, FindsKindsByKindAndPath) {
  const auto registry = make_registry();
  EXPECT_EQ(kind_of(registry->by_kind("v1", "Pod")), "v1 Pod");
  EXPECT_EQ(kind_of(registry->by_kind("projectcalico.org/v3", "NetworkPolicy")), "projectcalico.org/v3 NetworkPolicy");
  EXPECT_EQ(kind_of(registry->by_kind("v3", "NetworkPolicy")), "none");
  EXPECT_EQ(kind_of(registry->by_plural("", "v1", "nodes")), "v1 Node");
  EXPECT_EQ(kind_of(registry->by_plural("", "v1", "Nodes")), "none");
  EXPECT_EQ(kind_of(registry->by_plural("discovery.k8s.io", "v1beta1", "endpointslices")),
            "discovery.k8s.io/v1beta1 EndpointSlice");
}

TEST(Registry, EveryEmbeddedSchemaIsStructural) {
  const auto registry = make_registry();
  std::string last;
  for (const ResourceInfo* info : registry->all()) {
    SCOPED_TRACE(info->kind);
    EXPECT_NE(registry->schema(*info).at("metadata"), nullptr);
    EXPECT_LE(last, info->group + " " + info->kind);
    last = info->group + " " + info->kind;
    for (const PrinterColumn& column : info->columns) EXPECT_THAT(column.json_path, StartsWith("."));
  }
}

TEST(Registry, SchemasHoldForObjectsAsUsersWriteThem) {
  const auto registry = make_registry();
  json::Value pool =
      one_document("apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: a}\nspec: {cidr: 10.0.0.0/8}\n");
  const StructuralSchema& schema = registry->schema(*registry->by_kind("projectcalico.org/v3", "IPPool"));
  EXPECT_THAT(schema.validate(pool), IsEmpty());
  schema.apply_defaults(pool);
  EXPECT_THAT(schema.validate(pool), IsEmpty());
  const json::Value bad =
      one_document("spec: {cidr: 10.0.0.0/8, blockSize: '26', ipipMode: Allways, natOutgoin: true}\n");
  const FieldErrors errors = schema.validate(bad);
  ASSERT_EQ(errors.size(), 2U) << to_string(errors);
  EXPECT_EQ(errors[0].path, "spec.blockSize");
  EXPECT_EQ(errors[1].path, "spec.ipipMode");
  const FieldErrors unknown = schema.unknown_fields(bad);
  ASSERT_EQ(unknown.size(), 1U);
  EXPECT_EQ(to_string(unknown), "spec.natOutgoin: unknown field, did you mean \"natOutgoing\"?");
}

constexpr std::string_view kCrd = R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: foos.example.com
  annotations: {margay.dev/aliases: 'phoo, fu'}
spec:
  group: example.com
  names: {kind: Foo, plural: foos, shortNames: [f]}
  scope: Cluster
  versions:
  - name: v2
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size, priority: 1}]
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
  - name: v1
    served: false
    storage: false
    schema: {openAPIV3Schema: {type: object}}
)";

TEST(Registry, CrdsAreAddedReplacedAndRemoved) {
  const auto registry = make_empty_registry();
  EXPECT_THAT(registry->all(), IsEmpty());
  json::Value crd = one_document(kCrd);
  ASSERT_TRUE(registry->add_crd(crd).ok());
  const ResourceInfo* foo = registry->by_any_name("phoo");
  ASSERT_EQ(kind_of(foo), "example.com/v2 Foo");
  EXPECT_EQ(registry->by_any_name("f"), foo);
  EXPECT_EQ(foo->singular, "foo");
  EXPECT_EQ(foo->list_kind, "FooList");
  EXPECT_TRUE(foo->has_status);
  EXPECT_FALSE(foo->is_namespaced);
  EXPECT_EQ(foo->columns.at(0).priority, 1);
  EXPECT_THAT(registry->all(), ElementsAre(foo));
  EXPECT_EQ(registry->schema(*foo).validate(one_document("spec: {size: x}")).size(), 1U);

  (*crd.find("spec")->find("versions")->as_array())[0]["name"] = "v3";
  ASSERT_TRUE(registry->add_crd(crd).ok());
  EXPECT_EQ(kind_of(registry->by_any_name("foos")), "example.com/v3 Foo");
  EXPECT_EQ(registry->all().size(), 1U);
  registry->remove_crd("example.com", "foos");
  EXPECT_THAT(registry->all(), IsEmpty());
}

TEST(Registry, BadCrdsSayWhere) {
  const auto registry = make_empty_registry();
  struct Case {
    const char* crd;
    const char* message;
  };
  const Case cases[] = {
      {"spec: {}", "spec.names.kind: expected a text"},
      {"spec: {names: {kind: A}}", "spec.names.plural: expected a text"},
      {"spec: {names: {kind: A, plural: as}}", "spec.scope: \"\" is not one of Namespaced, Cluster"},
      {"spec: {names: {kind: A, plural: as}, scope: Cluster, version: v1}", "spec.versions: expected a list"},
      {"spec: {names: {kind: A, plural: as}, scope: Cluster, versions: [{served: true}]}", "spec.versions[0].name: "},
      {"spec: {names: {kind: A, plural: as}, scope: Cluster, versions: [{name: v1}]}", "spec.versions[0].served: "},
      {"spec: {names: {kind: A, plural: as}, scope: Cluster, versions: [{name: v1, served: true, schema: "
       "{openAPIV3Schema: "
       "{type: object, properties: {spec: {type: strin}}}}}]}",
       "spec.versions[0].schema.openAPIV3Schema: spec: type: \"strin\" is not one of"},
      {"[]", "spec.names.kind"},
  };
  for (const Case& c : cases) {
    const Status added = registry->add_crd(one_document(c.crd));
    ASSERT_FALSE(added.ok()) << c.crd;
    EXPECT_THAT(added.error().message, HasSubstr(c.message));
  }
  EXPECT_THAT(registry->all(), IsEmpty());
}

TEST(Registry, KindsWithoutSchemaAllowEverything) {
  const auto registry = make_empty_registry();
  ResourceInfo unknown;
  unknown.group = "g";
  unknown.version = "v1";
  unknown.plural = "ks";
  const json::Value object = one_document("spec: {a: [1, {b: c}]}");
  EXPECT_THAT(registry->schema(unknown).validate(object), IsEmpty());
  EXPECT_THAT(registry->schema(unknown).unknown_fields(object), IsEmpty());
}

}  // namespace
}  // namespace margay::schema
