// OpenAPI documents and reviews: what kubectl explain and kubectl auth read.
#include <string>

#include "base/core/text.h"
#include "datastore/server/openapi_schema.h"
#include "datastore/server/server_harness.h"
#include "gtest/gtest.h"

namespace margay::server {
namespace {

using json::Value;

TEST(OpenApi, DescribesKindsInVersionThree) {
  ServerHarness server;
  const Value document = server.call("GET", "/openapi/v3/apis/projectcalico.org/v3").json();
  const Value* pool = document.find({"components", "schemas", "org.projectcalico.v3.IPPool"});
  ASSERT_NE(pool, nullptr);
  const Value* type = pool->find("x-kubernetes-group-version-kind");
  ASSERT_NE(type, nullptr);
  EXPECT_EQ((*type->as_array())[0].string_at({"kind"}), "IPPool");
  const Value* mode = pool->find({"properties", "spec", "properties", "ipipMode"});
  ASSERT_NE(mode, nullptr);
  EXPECT_EQ(mode->string_at({"type"}), "string");
  EXPECT_NE(mode->find("enum"), nullptr);
  EXPECT_NE(mode->string_at({"description"}), "");
  EXPECT_EQ(server.call("GET", "/openapi/v3/apis/example.org/v1").status, 404);
}

// What version 2 cannot say is not said, and kinds that we only know in part are left out.
TEST(OpenApi, VersionTwoSaysLess) {
  ServerHarness server;
  ASSERT_EQ(server
                .call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                      R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
"metadata":{"name":"bars.example.org"},"spec":{"group":"example.org","scope":"Cluster","names":{"plural":"bars",
"kind":"Bar"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
"properties":{"port":{"x-kubernetes-int-or-string":true},"maybe":{"type":"string","nullable":true},
"any":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{"type":"string"}}},
"map":{"type":"object","additionalProperties":{"type":"integer"}},
"list":{"type":"array","items":{"type":"boolean"}},"word":{"type":"string","enum":["a"]}},"required":["port"]}}}]}})")
                .status,
            201);
  server.loop.run_until_idle();
  const Value document = server.call("GET", "/openapi/v2").json();
  const Value* bar = document.find({"definitions", "org.example.v1.Bar"});
  ASSERT_NE(bar, nullptr) << json::dump(document).substr(0, 500);
  EXPECT_EQ(json::dump(*bar->find("properties")),
            R"({"any":{},"list":{"type":"array","items":{"type":"boolean"}},)"
            R"("map":{"type":"object","additionalProperties":{"type":"integer"}},"maybe":{},"port":{},)"
            R"("word":{"type":"string"}})");
  EXPECT_EQ(json::dump(*bar->find("required")), R"(["port"])");
  EXPECT_EQ(document.find({"definitions", "core.v1.Pod"}), nullptr);
}

TEST(OpenApi, ProtobufHoldsTheDefinitionsAndPaths) {
  json::Object definition{{"type", "object"}, {"description", std::string(200, 'd')}};
  json::Value document = *json::parse(R"({"swagger":"2.0","info":{"title":"t","version":"v"},"paths":{"/a/{name}":
      {"patch":{"parameters":[{"name":"dryRun","in":"query","type":"string"}]}}},"definitions":{}})");
  document["definitions"]["a.B"] = json::Value(std::move(definition));
  const std::string bytes = v2_protobuf(document);
  // 200 = 0xc8 0x01 as a varint: lengths above 127 take two bytes.
  const std::string description = concat("\x22\xc8\x01", std::string(200, 'd'));
  const std::string type = "\xb2\x01\x08\x0a\x06object";
  const std::string parameter =
      "\x1a\x05query\x22\x06"
      "dryRun\x32\x06string";
  EXPECT_NE(bytes.find(description), std::string::npos);
  EXPECT_NE(bytes.find(type), std::string::npos);
  EXPECT_NE(bytes.find(parameter), std::string::npos);
  EXPECT_NE(bytes.find("\x0a\x03"
                       "a.B"),
            std::string::npos);
  EXPECT_NE(bytes.find("\x0a\x09/a/{name}"), std::string::npos);
}

TEST(OpenApi, EveryKindSaysThatItTakesDryRuns) {
  ServerHarness server;
  const Value document = server.call("GET", "/openapi/v2").json();
  for (const char* path : {"/api/v1/namespaces/{namespace}/configmaps/{name}", "/api/v1/nodes/{name}",
                           "/apis/projectcalico.org/v3/ippools/{name}"}) {
    const Value* patch = document.find({"paths", path, "patch"});
    ASSERT_NE(patch, nullptr) << path;
    EXPECT_EQ((*patch->find("parameters")->as_array())[0].string_at({"name"}), "dryRun");
    EXPECT_NE(patch->string_at({"x-kubernetes-group-version-kind", "kind"}), "");
  }
}

constexpr std::string_view kReviewTokens = R"(root,admin,1,"system:masters"
r,reader,2,"team","read ippools.projectcalico.org,pods; update nodes/status"
)";
constexpr std::string_view kAccess = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

class Reviews : public testing::Test {
 protected:
  Value ask(std::string_view path, std::string_view body, const char* token = "Bearer r") {
    const Answer& answer = server_.call("POST", path, body, {{"Authorization", token}});
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.json();
  }
  bool may(std::string_view attributes, const char* token = "Bearer r") {
    const Value answer = ask(kAccess, concat(R"({"kind":"SelfSubjectAccessReview","spec":)", attributes, "}"), token);
    EXPECT_NE(answer.find("spec"), nullptr);
    const Value* allowed = answer.find({"status", "allowed"});
    EXPECT_NE(allowed, nullptr);
    return allowed != nullptr && *allowed->as_bool();
  }

  ServerHarness server_{{Access::parse(kReviewTokens).value(), false}};
};

TEST_F(Reviews, AnswerWhatTheServerWouldDo) {
  EXPECT_TRUE(may(R"({"resourceAttributes":{"verb":"list","group":"projectcalico.org","resource":"ippools"}})"));
  EXPECT_FALSE(may(R"({"resourceAttributes":{"verb":"delete","group":"projectcalico.org","resource":"ippools"}})"));
  EXPECT_FALSE(may(R"({"resourceAttributes":{"verb":"list","resource":"ippools"}})")) << "of another group";
  EXPECT_TRUE(may(R"({"resourceAttributes":{"verb":"update","resource":"nodes","subresource":"status"}})"));
  EXPECT_FALSE(may(R"({"resourceAttributes":{"verb":"update","resource":"nodes"}})"));
  EXPECT_FALSE(may(R"({"resourceAttributes":{"verb":"*","resource":"*"}})"));
  EXPECT_TRUE(may(R"({"resourceAttributes":{"verb":"*","resource":"*"}})", "Bearer root"));
  EXPECT_TRUE(may(R"({"nonResourceAttributes":{"verb":"get","path":"/metrics"}})"));
  EXPECT_FALSE(may(R"({"nonResourceAttributes":{"verb":"post","path":"/debug"}})"));
}

// As kubectl 1.32 sends it.
TEST_F(Reviews, ProtobufQuestionsAreUnderstood) {
  const std::string attributes = "\x12\x04list\x1a\x11projectcalico.org*\x07ippools";
  const std::string spec = concat("\x0a", static_cast<char>(attributes.size()), attributes);
  const std::string review = concat("\x12", static_cast<char>(spec.size()), spec);
  const std::string type =
      "\x0a\x17"
      "authorization.k8s.io/v1\x12\x17SelfSubjectAccessReview";
  const std::string body = concat(std::string_view("k8s\0", 4), "\x0a", static_cast<char>(type.size()), type, "\x12",
                                  static_cast<char>(review.size()), review);
  const Answer& answer = server_.call(
      "POST", kAccess, body, {{"Authorization", "Bearer r"}, {"Content-Type", "application/vnd.kubernetes.protobuf"}});
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_TRUE(*answer.json().find({"status", "allowed"})->as_bool()) << answer.body;
}

TEST_F(Reviews, BadQuestionsAreRefused) {
  for (const char* body :
       {"", "[]", "{}", R"({"spec":{}})", R"({"spec":{"resourceAttributes":{},"nonResourceAttributes":{}}})"}) {
    EXPECT_EQ(server_.call("POST", kAccess, body, {{"Authorization", "Bearer r"}}).status, 400) << body;
  }
  EXPECT_EQ(server_.call("GET", kAccess, "", {{"Authorization", "Bearer r"}}).status, 405);
  EXPECT_EQ(server_.call("POST", kAccess, "{}").status, 401);
}

TEST_F(Reviews, TellRulesAndIdentity) {
  const Value rules = ask("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", R"({"spec":{"namespace":"a"}})");
  EXPECT_EQ(json::dump(*rules.find({"status", "resourceRules"})),
            R"([{"verbs":["get","list","watch"],"apiGroups":["projectcalico.org","*"],"resources":["ippools","pods"]},)"
            R"({"verbs":["update"],"apiGroups":["*"],"resources":["nodes/status"]}])");
  const Value who = ask("/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}");
  EXPECT_EQ(json::dump(*who.find({"status", "userInfo"})), R"({"username":"reader","uid":"2","groups":["team"]})");
}

}  // namespace
}  // namespace margay::server
