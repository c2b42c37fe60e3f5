#include "datastore/codec/defaults.h"

#include "base/json/value.h"
#include "gtest/gtest.h"

namespace margay::codec {
namespace {

struct DefaultsCase {
  model::Kind kind;
  const char* before;  // of spec
  const char* after;
  const char* name = "a";
};

TEST(Defaults, FollowFromOtherFields) {
  using model::Kind;
  const DefaultsCase cases[] = {
      {Kind::kIpPool, R"({"cidr":"10.0.0.7/16"})",
       R"({"cidr":"10.0.0.0/16","blockSize":26,"allowedUses":["Workload","Tunnel"]})"},
      {Kind::kIpPool, R"({"cidr":"2001:db8::/48","allowedUses":[]})",
       R"({"cidr":"2001:db8::/48","allowedUses":["Workload","Tunnel"],"blockSize":122})"},
      {Kind::kIpPool, R"({"cidr":"2001:DB8::/48","blockSize":120,"allowedUses":["LoadBalancer"]})",
       R"({"cidr":"2001:DB8::/48","blockSize":120,"allowedUses":["LoadBalancer"]})"},
      {Kind::kIpPool, R"({"cidr":"10.0.0.0/16","namespaceSelector":"team == 'a'"})",
       R"({"cidr":"10.0.0.0/16","namespaceSelector":"team == 'a'","blockSize":26,"allowedUses":["Workload"]})"},
      {Kind::kIpPool, R"({"cidr":"x"})", R"({"cidr":"x"})"},
      {Kind::kIpPool, R"({"cidr":7})", R"({"cidr":7})"},
      {Kind::kTier, R"({})", R"({})"},
      {Kind::kTier, R"({})", R"({"order":1000000,"defaultAction":"Deny"})", "default"},
      {Kind::kTier, R"({"order":5})", R"({"order":5,"defaultAction":"Pass"})", "kube-admin"},
      {Kind::kNetworkPolicy, R"({})", R"({"tier":"default","types":["Ingress"]})"},
      {Kind::kNetworkPolicy, R"({"tier":"t","ingress":[{}]})", R"({"tier":"t","ingress":[{}],"types":["Ingress"]})"},
      {Kind::kGlobalNetworkPolicy, R"({"egress":[{}]})", R"({"egress":[{}],"tier":"default","types":["Egress"]})"},
      {Kind::kStagedNetworkPolicy, R"({"egress":[{}],"ingress":[{}]})",
       R"({"egress":[{}],"ingress":[{}],"tier":"default","types":["Ingress","Egress"]})"},
      {Kind::kStagedGlobalNetworkPolicy, R"({"stagedAction":"Delete"})",
       R"({"stagedAction":"Delete","tier":"default"})"},
      {Kind::kNetworkPolicy, R"({"types":["Egress"]})", R"({"types":["Egress"],"tier":"default"})"},
      {Kind::kNetworkPolicy, R"({"types":"x","ingress":1})", R"({"types":"x","ingress":1,"tier":"default"})"},
      {Kind::kKubernetesNetworkPolicy, R"({"egress":[{"ports":[{"port":1},{"protocol":"UDP"},1]}]})",
       R"({"egress":[{"ports":[{"port":1,"protocol":"TCP"},{"protocol":"UDP"},1]}],"podSelector":{},)"
       R"("policyTypes":["Ingress","Egress"]})"},
      {Kind::kStagedKubernetesNetworkPolicy, R"({"stagedAction":"Delete"})", R"({"stagedAction":"Delete"})"},
      {Kind::kPod, R"({})", R"({})"},
  };
  for (const DefaultsCase& c : cases) {
    json::Value object = json::Object();
    object["metadata"]["name"] = json::Value(c.name);
    object["spec"] = *json::parse(c.before);
    apply_defaults(c.kind, object);
    EXPECT_EQ(json::dump(*object.find("spec")), c.after) << model::info(c.kind).name << " " << c.before;
    const json::Value once = object;
    apply_defaults(c.kind, object);
    EXPECT_EQ(json::dump(object), json::dump(once)) << "a second time";
  }
}

TEST(Defaults, LeaveOtherThingsAlone) {
  for (const char* text : {"{}", "[]", "1", R"({"spec":null})", R"({"spec":[]})"}) {
    json::Value value = *json::parse(text);
    for (const model::KindInfo& info : model::all_kinds()) apply_defaults(info.kind, value);
    EXPECT_EQ(json::dump(value), text);
  }
}

}  // namespace
}  // namespace margay::codec
