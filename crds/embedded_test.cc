#include "crds/embedded.h"

#include <set>
#include <string>

#include "base/core/text.h"
#include "base/json/value.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::crds {
namespace {

using testing::ElementsAre;
using testing::IsSupersetOf;

const EmbeddedCrd* find(std::string_view group, std::string_view plural) {
  for (const EmbeddedCrd& crd : embedded_crds()) {
    if (crd.group == group && crd.plural == plural) return &crd;
  }
  return nullptr;
}

TEST(EmbeddedCrds, HaveTheKindsOfBothFolders) {
  std::set<std::string> ours;
  std::set<std::string> kubernetes;
  for (const EmbeddedCrd& crd : embedded_crds()) {
    (crd.is_kubernetes ? kubernetes : ours).insert(std::string(crd.kind));
  }
  EXPECT_THAT(ours, IsSupersetOf({"BGPPeer", "IPPool", "NetworkPolicy", "GlobalNetworkPolicy", "FelixConfiguration"}));
  EXPECT_THAT(kubernetes,
              ElementsAre("ConfigMap", "CustomResourceDefinition", "EndpointSlice", "Event", "Lease", "Namespace",
                          "NetworkPolicy", "Node", "Pod", "Secret", "Service", "ServiceAccount"));
}

TEST(EmbeddedCrds, IndexAgreesWithTheJson) {
  for (const EmbeddedCrd& crd : embedded_crds()) {
    SCOPED_TRACE(crd.plural);
    const Result<json::Value> parsed = json::parse(crd.json);
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(parsed->string_at({"spec", "group"}), crd.group);
    EXPECT_EQ(parsed->string_at({"spec", "names", "kind"}), crd.kind);
    EXPECT_EQ(parsed->string_at({"spec", "names", "listKind"}), crd.list_kind);
    EXPECT_EQ(parsed->string_at({"spec", "names", "singular"}), crd.singular);
    EXPECT_EQ(parsed->string_at({"spec", "scope"}) == "Namespaced", crd.is_namespaced);
    ASSERT_FALSE(crd.versions.empty());
    const json::Array& versions = *parsed->find({"spec", "versions"})->as_array();
    ASSERT_EQ(versions.size(), crd.versions.size());
    for (std::size_t i = 0; i < versions.size(); ++i) {
      EXPECT_EQ(versions[i].string_at({"name"}), crd.versions[i].name);
      EXPECT_EQ(json::dump(*versions[i].find({"schema", "openAPIV3Schema"})), crd.versions[i].schema);
      EXPECT_EQ(versions[i].find({"subresources", "status"}) != nullptr, crd.versions[i].has_status);
      const json::Value* columns = versions[i].find("additionalPrinterColumns");
      EXPECT_EQ(columns == nullptr ? 0 : columns->as_array()->size(), crd.versions[i].columns.size());
    }
  }
}

TEST(EmbeddedCrds, AreInOrderWithoutTwins) {
  std::string last;
  for (const EmbeddedCrd& crd : embedded_crds()) {
    const std::string key = concat(crd.group, "/", crd.plural);
    EXPECT_LT(last, key);
    last = key;
  }
}

TEST(EmbeddedCrds, NamesOfAKindAreKnown) {
  const EmbeddedCrd* pods = find("", "pods");
  ASSERT_NE(pods, nullptr);
  EXPECT_TRUE(pods->is_namespaced);
  EXPECT_TRUE(pods->versions[0].has_status);
  EXPECT_THAT(pods->short_names, ElementsAre("po"));
  EXPECT_EQ(pods->versions[0].columns[0].name, "Ready");
  EXPECT_EQ(pods->versions[0].columns[0].json_path, ".status.conditions[?(@.type==\"Ready\")].status");
  const EmbeddedCrd* slices = find("discovery.k8s.io", "endpointslices");
  ASSERT_NE(slices, nullptr);
  ASSERT_EQ(slices->versions.size(), 2U);
  EXPECT_EQ(slices->versions[0].name, "v1");
  EXPECT_EQ(slices->versions[1].name, "v1beta1");
}

}  // namespace
}  // namespace margay::crds
