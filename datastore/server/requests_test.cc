// Reading and changing single objects, as a client sees it.
#include "base/core/text.h"
#include "datastore/server/server_harness.h"
#include "gtest/gtest.h"

namespace margay::server {
namespace {

class RequestsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(server.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", kFooCrd).status, 201);
  }
  static std::string at(std::string_view name) { return concat(kFoos, "/", name); }
  ServerHarness server;
};

TEST_F(RequestsTest, CreateSetsWhatTheServerOwns) {
  const Answer answer = server.call("POST", kFoos,
                                    R"({"apiVersion":"example.org/v1","kind":"Foo","metadata":{"name":"a","uid":"mine",
      "creationTimestamp":null,"generation":7},"spec":{"cidr":"1","bogus":2},"status":{"phase":"x"}})");
  EXPECT_EQ(answer.status, 201);
  const json::Value object = answer.json();
  EXPECT_EQ(object.string_at({"metadata", "namespace"}), "default");
  EXPECT_EQ(object.string_at({"metadata", "uid"}).size(), 36U);
  EXPECT_EQ(object.string_at({"metadata", "creationTimestamp"}), "2026-01-01T00:00:00Z");
  EXPECT_EQ(*object.find({"metadata", "generation"}), json::Value(1));
  EXPECT_EQ(*object.find({"spec", "n"}), json::Value(5)) << "defaults are filled in";
  EXPECT_EQ(object.find({"spec", "bogus"}), nullptr) << "what no schema declares is pruned";
  EXPECT_EQ(object.find("status"), nullptr) << "the status has an endpoint of its own";
  EXPECT_EQ(answer.headers.get("Warning"), "299 - \"unknown field \\\"spec.bogus\\\"\"");
  EXPECT_EQ(server.call("GET", at("a")).body, answer.body);
}

TEST_F(RequestsTest, DeprecatedVersionIsWarnedOfInEveryAnswer) {
  const auto mark = [&](const std::string& more) {
    const std::string body = concat(R"([{"op":"add","path":"/spec/versions/0/deprecated","value":true})", more, "]");
    ASSERT_EQ(server
                  .call("PATCH", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/foos.example.org", body,
                        {{"Content-Type", "application/json-patch+json"}})
                  .status,
              200);
  };
  mark("");
  EXPECT_EQ(server.call("GET", kFoos).headers.get("Warning"), "299 - \"example.org/v1 Foo is deprecated\"");
  EXPECT_EQ(server.call("GET", at("absent")).headers.get("Warning"), "299 - \"example.org/v1 Foo is deprecated\"");
  mark(R"(,{"op":"add","path":"/spec/versions/0/deprecationWarning","value":"use Bar"})");
  EXPECT_EQ(server.call("POST", kFoos, foo("a")).headers.get("Warning"), "299 - \"use Bar\"");
}

struct Refusal {
  const char* why;
  const char* method;
  const char* target;
  std::string body;
  int status;
  const char* reason;
  const char* message;
  const char* content_type = "application/json";
};

TEST_F(RequestsTest, RefusalsAreStatusObjects) {
  ASSERT_EQ(server.call("POST", kFoos, foo("a")).status, 201);
  const std::string foos(kFoos);
  const std::string a = at("a");
  const Refusal cases[] = {
      {"exists", "POST", foos.c_str(), foo("a"), 409, "AlreadyExists", "foos.example.org \"a\" already exists"},
      {"absent", "GET", "/apis/example.org/v1/namespaces/default/foos/zz", "", 404, "NotFound",
       "foos.example.org \"zz\" not found"},
      {"invalid", "POST", foos.c_str(), foo("b", "", ",\"n\":0,\"mode\":\"C\""), 422, "Invalid",
       "Foo.example.org \"b\" is invalid: ["},
      {"bad name", "POST", foos.c_str(), foo("B_x"), 422, "Invalid", "metadata.name"},
      {"no name", "POST", foos.c_str(), foo(""), 422, "Invalid", "name or generateName is required"},
      {"label of a wrong type", "POST", foos.c_str(), foo("b", ",\"labels\":{\"a\":1}"), 400, "BadRequest",
       "metadata.labels.a"},
      {"other kind", "POST", foos.c_str(), R"({"apiVersion":"example.org/v1","kind":"Bar","metadata":{"name":"b"}})",
       422, "Invalid", "must be Foo"},
      {"other version", "POST", foos.c_str(), R"({"apiVersion":"example.org/v2","kind":"Foo","metadata":{"name":"b"}})",
       400, "BadRequest", "does not match the expected API version (example.org/v1)"},
      {"cut short", "POST", foos.c_str(), "{\"apiVersion\":", 400, "BadRequest", "unrecognized (must be of type Foo)"},
      {"no object", "POST", foos.c_str(), "[]", 400, "BadRequest", "expected an object, found array"},
      {"no JSON", "POST", foos.c_str(), "x", 415, "UnsupportedMediaType", "text/plain", "text/plain"},
      {"other namespace", "POST", foos.c_str(), foo("b", ",\"namespace\":\"other\""), 400, "BadRequest",
       "does not match the namespace sent on the request"},
      {"no such namespace", "POST", "/apis/example.org/v1/namespaces/nonesuch/foos", foo("b"), 404, "NotFound",
       "namespaces \"nonesuch\" not found"},
      {"no namespace", "POST", "/apis/example.org/v1/foos", foo("b"), 404, "NotFound", "could not find"},
      {"created with a version", "POST", foos.c_str(), foo("b", ",\"resourceVersion\":\"5\""), 400, "BadRequest",
       "resourceVersion should not be set"},
      {"update without a version", "PUT", a.c_str(), foo("a"), 422, "Invalid", "must be specified for an update"},
      {"update of an old version", "PUT", a.c_str(), foo("a", ",\"resourceVersion\":\"1\""), 409, "Conflict",
       "the object has been modified"},
      {"update under another name", "PUT", a.c_str(), foo("b", ",\"resourceVersion\":\"1\""), 400, "BadRequest",
       "the name of the object (b) does not match the name on the URL (a)"},
      {"update of another life", "PUT", a.c_str(), foo("a", ",\"uid\":\"x\""), 409, "Conflict",
       "UID in precondition: x"},
      {"dry run of what", "POST", "/apis/example.org/v1/namespaces/default/foos?dryRun=x", foo("b"), 422, "Invalid",
       "supported values: \"All\""},
      {"strict", "POST", "/apis/example.org/v1/namespaces/default/foos?fieldValidation=Strict",
       foo("b", "", ",\"x\":1"), 400, "BadRequest", "strict decoding error: unknown field \"spec.x\""},
      {"a version of the future", "GET",
       "/apis/example.org/v1/namespaces/default/foos/a?resourceVersion=9999999999999999", "", 504, "Timeout",
       "Too large resource version"},
      {"no method", "TRACE", a.c_str(), "", 405, "MethodNotAllowed", "does not allow this method"},
      {"no subresource", "GET", "/apis/example.org/v1/namespaces/default/foos/a/scale", "", 404, "NotFound",
       "could not find"},
      {"no kind", "GET", "/apis/example.org/v1/bars", "", 404, "NotFound", "could not find"},
      {"no group", "GET", "/apis/nonesuch.org/v1", "", 404, "NotFound", "could not find"},
      {"test of a JSON patch", "PATCH", a.c_str(), R"([{"op":"test","path":"/spec/cidr","value":"9"}])", 422, "Invalid",
       "", "application/json-patch+json"},
      {"strategic patch of a custom resource", "PATCH", a.c_str(), "{}", 415, "UnsupportedMediaType",
       "application/merge-patch+json", "application/strategic-merge-patch+json"},
      {"patch that makes it invalid", "PATCH", a.c_str(), R"({"spec":{"n":0}})", 422, "Invalid", "spec.n",
       "application/merge-patch+json"},
      {"patch of an old version", "PATCH", a.c_str(), R"({"metadata":{"resourceVersion":"1"}})", 409, "Conflict",
       "modified", "application/merge-patch+json"},
      {"patch of the name", "PATCH", a.c_str(), R"({"metadata":{"name":"b"}})", 400, "BadRequest",
       "does not match the name on the URL", "application/merge-patch+json"},
      {"apply by nobody", "PATCH", a.c_str(), "{}", 422, "Invalid", "fieldManager: Required value",
       "application/apply-patch+yaml"},
      {"a default namespace", "DELETE", "/api/v1/namespaces/default", "", 403, "Forbidden",
       "this namespace may not be deleted"},
      {"delete of another life", "DELETE", a.c_str(), R"({"preconditions":{"uid":"x"}})", 409, "Conflict",
       "the UID in the precondition (x) does not match"},
      {"delete of an old version", "DELETE", a.c_str(), R"({"preconditions":{"resourceVersion":"1"}})", 409, "Conflict",
       "ResourceVersion in the precondition (1)"},
      {"delete in a way there is not", "DELETE", a.c_str(), R"({"propagationPolicy":"Bogus"})", 422, "Invalid",
       "propagationPolicy"},
      {"a form there is not", "GET", "/api/v1/pods?x=%zz", "", 400, "BadRequest", "%"},
  };
  for (const Refusal& c : cases) {
    const Answer& answer = server.call(c.method, c.target, c.body, {{"Content-Type", c.content_type}});
    const json::Value status = answer.json();
    EXPECT_EQ(answer.status, c.status) << c.why << ": " << answer.body;
    EXPECT_EQ(status.string_at({"kind"}), "Status") << c.why;
    EXPECT_EQ(status.string_at({"status"}), "Failure") << c.why;
    EXPECT_EQ(status.string_at({"reason"}), c.reason) << c.why;
    EXPECT_NE(status.string_at({"message"}).find(c.message), std::string_view::npos) << c.why << ": " << answer.body;
    EXPECT_EQ(*status.find("code"), json::Value(c.status)) << c.why;
  }
  EXPECT_EQ(server.call("GET", at("b")).status, 404) << "nothing that was refused was done";
  EXPECT_EQ(server.call("GET", at("a")).json().string_at({"spec", "cidr"}), "1");
}

TEST_F(RequestsTest, InvalidObjectsNameEveryCause) {
  const Answer answer = server.call("POST", kFoos, foo("b", "", ",\"n\":0,\"mode\":\"C\""));
  const json::Value status = answer.json();
  const json::Array& causes = *status.find({"details", "causes"})->as_array();
  std::vector<std::string> fields;
  for (const json::Value& cause : causes) fields.emplace_back(cause.string_at({"field"}));
  EXPECT_EQ(fields, (std::vector<std::string>{"spec.n", "spec.mode"}));
  EXPECT_EQ(status.string_at({"details", "kind"}), "Foo");
}

TEST_F(RequestsTest, GenerationCountsChangesOfTheSpecAlone) {
  const auto generation = [](const Answer& answer) {
    return *answer.json().find({"metadata", "generation"})->as_integer();
  };
  server.call("POST", kFoos, foo("a"));
  const auto patch = [&](std::string_view target, std::string_view body) {
    const Answer& answer = server.call("PATCH", target, body, {{"Content-Type", "application/merge-patch+json"}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer;
  };
  EXPECT_EQ(generation(patch(at("a"), R"({"metadata":{"labels":{"x":"y"}}})")), 1);
  EXPECT_EQ(generation(patch(at("a"), R"({"spec":{"n":6}})")), 2);
  EXPECT_EQ(generation(patch(at("a") + "/status", R"({"status":{"phase":"p"}})")), 2);
}

TEST_F(RequestsTest, StatusAndSpecHaveAnEndpointEach) {
  server.call("POST", kFoos, foo("a"));
  const auto patch = [&](const std::string& target) {
    return server
        .call("PATCH", target, R"({"spec":{"cidr":"2"},"status":{"phase":"p"}})",
              {{"Content-Type", "application/merge-patch+json"}})
        .json();
  };
  const json::Value main = patch(at("a"));
  EXPECT_EQ(main.string_at({"spec", "cidr"}), "2");
  EXPECT_EQ(main.find("status"), nullptr);
  server.call("PATCH", at("a"), R"({"spec":{"cidr":"1"}})", {{"Content-Type", "application/merge-patch+json"}});
  const json::Value status = patch(at("a") + "/status");
  EXPECT_EQ(status.string_at({"spec", "cidr"}), "1");
  EXPECT_EQ(status.string_at({"status", "phase"}), "p");
}

TEST_F(RequestsTest, WhatChangesNothingIsNotWritten) {
  server.call("POST", kFoos, foo("a"));
  const std::string before = server.call("GET", at("a")).body;
  const Answer& answer =
      server.call("PATCH", at("a"), R"({"spec":{"cidr":"1"}})", {{"Content-Type", "application/merge-patch+json"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, before);
}

TEST_F(RequestsTest, DryRunDoesEverythingButWrite) {
  const Answer answer = server.call("POST", concat(kFoos, "?dryRun=All"), foo("a"));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.json().find({"metadata", "resourceVersion"}), nullptr);
  EXPECT_EQ(server.call("GET", at("a")).status, 404);
  server.call("POST", kFoos, foo("a"));
  EXPECT_EQ(server.call("POST", concat(kFoos, "?dryRun=All"), foo("a")).status, 409);
  EXPECT_EQ(server.call("DELETE", concat(at("a"), "?dryRun=All")).status, 200);
  EXPECT_EQ(server.call("GET", at("a")).status, 200);
}

TEST_F(RequestsTest, NamesAreGenerated) {
  const Answer answer = server.call(
      "POST", kFoos,
      R"({"apiVersion":"example.org/v1","kind":"Foo","metadata":{"generateName":"gen-"},"spec":{"cidr":"1"}})");
  const json::Value object = answer.json();
  const std::string_view name = object.string_at({"metadata", "name"});
  EXPECT_EQ(answer.status, 201);
  EXPECT_TRUE(name.starts_with("gen-"));
  EXPECT_EQ(name.size(), 9U);
}

TEST_F(RequestsTest, DeletionAnswersWithWhatWasDeleted) {
  server.call("POST", kFoos, foo("a"));
  const Answer answer = server.call("DELETE", at("a"));
  const json::Value status = answer.json();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(status.string_at({"status"}), "Success");
  EXPECT_EQ(status.string_at({"details", "name"}), "a");
  EXPECT_EQ(status.string_at({"details", "kind"}), "foos");
  EXPECT_EQ(server.call("GET", at("a")).status, 404);
}

TEST_F(RequestsTest, FinalizersHoldAnObjectUntilTheLastIsGone) {
  server.call("POST", kFoos, foo("a", R"(,"finalizers":["x.y/z"])"));
  const Answer marked = server.call("DELETE", at("a"));
  EXPECT_EQ(marked.json().string_at({"metadata", "deletionTimestamp"}), "2026-01-01T00:00:00Z");
  const auto patch = [&](std::string_view finalizers) -> Answer& {
    return server.call("PATCH", at("a"), concat(R"({"metadata":{"finalizers":)", finalizers, "}}"),
                       {{"Content-Type", "application/merge-patch+json"}});
  };
  const Answer more = patch(R"(["x.y/z","a.b/c"])");
  EXPECT_EQ(more.status, 422);
  EXPECT_NE(more.body.find("no new finalizers can be added"), std::string::npos);
  EXPECT_EQ(patch("null").status, 200);
  EXPECT_EQ(server.call("GET", at("a")).status, 404);
}

TEST_F(RequestsTest, CollectionsAreDeletedAsSelected) {
  for (const char* name : {"a", "b", "c"})
    server.call("POST", kFoos, foo(name, *name == 'b' ? "" : R"(,"labels":{"x":"y"})"));
  const Answer answer = server.call("DELETE", concat(kFoos, "?labelSelector=x%3Dy"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json().find("items")->as_array()->size(), 2U);
  EXPECT_EQ(server.call("GET", kFoos).json().find("items")->as_array()->size(), 1U);
}

TEST_F(RequestsTest, ApplyOwnsFieldsAndReportsConflicts) {
  const auto apply = [&](std::string_view manager, std::string_view cidr, std::string_view more = "") -> Answer& {
    return server.call(
        "PATCH", concat(at("a"), "?fieldManager=", manager, more),
        concat(R"({"apiVersion":"example.org/v1","kind":"Foo","metadata":{"name":"a"},"spec":{"cidr":")", cidr, "\"}}"),
        {{"Content-Type", "application/apply-patch+yaml"}});
  };
  EXPECT_EQ(apply("me", "1").status, 201);
  const Answer conflict = apply("you", "2");
  EXPECT_EQ(conflict.status, 409);
  EXPECT_NE(conflict.body.find("FieldManagerConflict"), std::string::npos);
  EXPECT_NE(conflict.body.find(".spec.cidr"), std::string::npos);
  EXPECT_EQ(apply("you", "2", "&force=true").status, 200);
  EXPECT_EQ(server.call("GET", at("a")).json().string_at({"spec", "cidr"}), "2");
}

TEST_F(RequestsTest, TablesCarryColumnsAndMetadata) {
  server.call("POST", kFoos, foo("a"));
  server.loop.advance(std::chrono::seconds(65));
  constexpr const char* kTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const json::Value table = server.call("GET", kFoos, "", {{"Accept", kTable}}).json();
  EXPECT_EQ(table.string_at({"kind"}), "Table");
  std::vector<std::string> columns;
  for (const json::Value& column : *table.find("columnDefinitions")->as_array())
    columns.emplace_back(column.string_at({"name"}));
  EXPECT_EQ(columns, (std::vector<std::string>{"Name", "Cidr", "Age"}));
  const json::Value& row = table.find("rows")->as_array()->front();
  EXPECT_EQ(json::dump(*row.find("cells")), R"(["a","1","65s"])");
  EXPECT_EQ(row.string_at({"object", "kind"}), "PartialObjectMetadata");
  const Answer& bare = server.call("GET", concat(at("a"), "?includeObject=None"), "", {{"Accept", kTable}});
  EXPECT_TRUE(bare.json().find("rows")->as_array()->front().find("object")->is_null());
  EXPECT_EQ(server.call("GET", at("a"), "", {{"Accept", "application/vnd.kubernetes.protobuf"}}).status, 406);
}

TEST_F(RequestsTest, TablesOfPodsAreAsKubectlKnowsThem) {
  constexpr const char* kPods = "/api/v1/namespaces/default/pods";
  server.call("POST", kPods,
              R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default"},
                  "spec":{"containers":[{"name":"a","image":"i"},{"name":"b","image":"i"}]}})");
  server.call("PATCH", concat(kPods, "/web/status"),
              R"({"status":{"phase":"Running","containerStatuses":[{"name":"a","ready":true,"restartCount":1}]}})",
              {{"Content-Type", "application/merge-patch+json"}});
  const json::Value table =
      server.call("GET", kPods, "", {{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}})
          .json();
  ASSERT_NE(table.find("rows"), nullptr) << json::dump(table);
  const std::string cells = json::dump(*table.find("rows")->as_array()->front().find("cells"));
  EXPECT_TRUE(cells.starts_with(R"(["web","1/2","Running",1,)")) << cells;
}

TEST_F(RequestsTest, KindsOfADefinitionAreDiscovered) {
  EXPECT_NE(server.call("GET", "/apis/example.org/v1").body.find("\"name\":\"foos/status\""), std::string::npos);
  const json::Value crd =
      server.call("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/foos.example.org").json();
  EXPECT_EQ(crd.find({"status", "conditions"})->as_array()->size(), 2U);
  EXPECT_EQ(crd.string_at({"spec", "names", "listKind"}), "FooList");
  EXPECT_EQ(
      server
          .call(
              "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
              R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"x.y"},"spec":{}})")
          .status,
      422);
}

}  // namespace
}  // namespace margay::server
