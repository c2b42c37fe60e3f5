// Namespaces, kinds and owners going away with what belongs to them; faults on purpose; who may do what.
#include "base/core/text.h"
#include "datastore/server/server_harness.h"
#include "gtest/gtest.h"

namespace margay::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kCrds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

class ControllersTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(server.call("POST", kCrds, kFooCrd).status, 201); }
  bool exists(std::string_view target) { return server.call("GET", target).status == 200; }
  std::string uid(std::string_view target) {
    return std::string(server.call("GET", target).json().string_at({"metadata", "uid"}));
  }
  static std::string at(std::string_view name) { return concat(kFoos, "/", name); }
  static std::string owned_by(std::string_view name, std::string_view uid) {
    return concat(R"(,"ownerReferences":[{"apiVersion":"example.org/v1","kind":"Foo","name":")", name, R"(","uid":")",
                  uid, "\"}]");
  }
  void settle() { server.loop.advance(seconds(10)); }
  ServerHarness server;
};

TEST_F(ControllersTest, InitialObjectsAreThere) {
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"})
    EXPECT_TRUE(exists(concat("/api/v1/namespaces/", name))) << name;
  for (const char* name : {"default", "kube-admin", "kube-baseline"})
    EXPECT_TRUE(exists(concat("/apis/projectcalico.org/v3/tiers/", name))) << name;
  EXPECT_EQ(server.call("GET", "/readyz").status, 200);
}

TEST_F(ControllersTest, NamespaceGoesWithEverythingInIt) {
  server.call("POST", "/api/v1/namespaces", R"({"metadata":{"name":"n"}})");
  const std::string foos = "/apis/example.org/v1/namespaces/n/foos";
  server.call("POST", foos, foo("a"));
  server.call("POST", foos, foo("held", R"(,"finalizers":["x.y/z"])"));
  server.call("POST", "/api/v1/namespaces/n/configmaps", R"({"metadata":{"name":"c"}})");
  const Answer answer = server.call("DELETE", "/api/v1/namespaces/n");
  EXPECT_EQ(answer.json().string_at({"status", "phase"}), "Terminating");
  const Answer refused = server.call("POST", foos, foo("b"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("NamespaceTerminating"), std::string::npos);
  settle();
  EXPECT_FALSE(exists(foos + "/a"));
  EXPECT_FALSE(exists("/api/v1/namespaces/n/configmaps/c"));
  EXPECT_TRUE(exists(foos + "/held"));
  EXPECT_TRUE(exists("/api/v1/namespaces/n")) << "something in it is still held";
  server.call("PATCH", foos + "/held", R"({"metadata":{"finalizers":null}})",
              {{"Content-Type", "application/merge-patch+json"}});
  settle();
  EXPECT_FALSE(exists("/api/v1/namespaces/n"));
}

TEST_F(ControllersTest, KindGoesWithItsObjects) {
  server.call("POST", kFoos, foo("a"));
  EXPECT_EQ(server.call("DELETE", concat(kCrds, "/foos.example.org")).status, 200);
  settle();
  EXPECT_FALSE(exists(concat(kCrds, "/foos.example.org")));
  EXPECT_EQ(server.call("GET", kFoos).status, 404);
  ASSERT_EQ(server.call("POST", kCrds, kFooCrd).status, 201);
  EXPECT_EQ(server.call("GET", kFoos).json().find("items")->as_array()->size(), 0U);
}

TEST_F(ControllersTest, DependentsGoAfterTheirLastOwner) {
  server.call("POST", kFoos, foo("owner"));
  server.call("POST", kFoos, foo("other"));
  server.call("POST", kFoos, foo("one", owned_by("owner", uid(at("owner")))));
  server.call(
      "POST", kFoos,
      foo("two", concat(R"(,"ownerReferences":[{"apiVersion":"example.org/v1","kind":"Foo","name":"owner","uid":")",
                        uid(at("owner")), R"("},{"apiVersion":"example.org/v1","kind":"Foo","name":"other","uid":")",
                        uid(at("other")), "\"}]")));
  server.call("POST", kFoos, foo("grandchild", owned_by("one", uid(at("one")))));
  settle();
  EXPECT_TRUE(exists(at("one")));
  server.call("DELETE", at("owner"));
  settle();
  EXPECT_FALSE(exists(at("one")));
  EXPECT_FALSE(exists(at("grandchild")));
  ASSERT_TRUE(exists(at("two")));
  EXPECT_EQ(server.call("GET", at("two")).json().find({"metadata", "ownerReferences"})->as_array()->size(), 1U)
      << "the reference to the owner that is gone goes, too";
  server.call("DELETE", at("other"));
  settle();
  EXPECT_FALSE(exists(at("two")));
}

TEST_F(ControllersTest, OwnerOfAnotherLifeIsNoOwner) {
  server.call("POST", kFoos, foo("owner"));
  server.call("POST", kFoos, foo("stray", owned_by("owner", "00000000-0000-4000-8000-000000000000")));
  settle();
  EXPECT_FALSE(exists(at("stray")));
  EXPECT_TRUE(exists(at("owner")));
}

TEST_F(ControllersTest, ClusterScopedObjectIsNotOwnedFromWithinANamespace) {
  server.call("POST", kFoos, foo("owner"));
  server.call("POST", "/api/v1/namespaces",
              concat(R"({"metadata":{"name":"n")", owned_by("owner", uid(at("owner"))), "}}"));
  server.call("DELETE", at("owner"));
  settle();
  EXPECT_TRUE(exists("/api/v1/namespaces/n"));
}

TEST_F(ControllersTest, ForegroundDeletionWaitsForDependents) {
  server.call("POST", kFoos, foo("owner"));
  server.call("POST", kFoos, foo("held", owned_by("owner", uid(at("owner"))) + R"(,"finalizers":["x.y/z"])"));
  server.call("DELETE", at("owner"), R"({"propagationPolicy":"Foreground"})");
  settle();
  EXPECT_TRUE(exists(at("owner")));
  server.call("PATCH", at("held"), R"({"metadata":{"finalizers":null}})",
              {{"Content-Type", "application/merge-patch+json"}});
  settle();
  EXPECT_FALSE(exists(at("held")));
  EXPECT_FALSE(exists(at("owner")));
}

TEST_F(ControllersTest, OrphansForgetTheirOwner) {
  server.call("POST", kFoos, foo("owner"));
  server.call("POST", kFoos, foo("one", owned_by("owner", uid(at("owner")))));
  server.call("DELETE", at("owner"), R"({"propagationPolicy":"Orphan"})");
  settle();
  EXPECT_FALSE(exists(at("owner")));
  ASSERT_TRUE(exists(at("one")));
  EXPECT_EQ(server.call("GET", at("one")).json().find({"metadata", "ownerReferences"}), nullptr);
}

TEST(Faults, ActAsOftenAsTheySay) {
  ServerHarness server({Access::open(), true});
  const auto set = [&](std::string_view rules) {
    return server.call("PUT", "/debug/faults", concat("{\"rules\":[", rules, "]}")).status;
  };
  ASSERT_EQ(
      set(R"({"verb":"get","resource":"namespaces","name":"default","count":2,"action":"status","status":429,"retryAfterSeconds":3})"),
      200);
  for (int i = 0; i < 2; ++i) {
    const Answer& answer = server.call("GET", "/api/v1/namespaces/default");
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.headers.get("Retry-After"), "3");
  }
  EXPECT_EQ(server.call("GET", "/api/v1/namespaces/default").status, 200);
  ASSERT_EQ(set(R"({"verb":"list","action":"drop","count":1})"), 200);
  EXPECT_TRUE(server.call("GET", "/api/v1/namespaces").is_aborted);
  ASSERT_EQ(set(R"({"verb":"list","action":"truncate","bytes":10})"), 200);
  const Answer cut = server.call("GET", "/api/v1/namespaces");
  EXPECT_EQ(cut.body.size(), 10U);
  EXPECT_FALSE(cut.is_complete);
  EXPECT_TRUE(cut.is_aborted);
  ASSERT_EQ(set(R"({"verb":"get","action":"delay","delayMs":500})"), 200);
  const AnswerPtr late = server.begin("GET", "/api/v1/namespaces/default");
  server.loop.advance(milliseconds(400));
  EXPECT_EQ(late->status, 0);
  server.loop.advance(milliseconds(200));
  EXPECT_EQ(late->status, 200);
  ASSERT_EQ(set(R"({"verb":"watch","action":"dropWatch","afterMs":100})"), 200);
  const AnswerPtr watch = server.begin("GET", "/api/v1/namespaces?watch=1");
  server.loop.advance(milliseconds(50));
  EXPECT_FALSE(watch->is_aborted);
  server.loop.advance(milliseconds(100));
  EXPECT_TRUE(watch->is_aborted);
  EXPECT_EQ(set(R"({"action":"explode"})"), 400);
  EXPECT_EQ(set(R"({"action":"drop","verbs":"get"})"), 400);
}

TEST(Faults, AreNotThereUnlessAllowed) {
  ServerHarness server;
  EXPECT_NE(server.call("PUT", "/debug/faults", R"({"rules":[{"action":"drop"}]})").status, 200);
  EXPECT_EQ(server.call("GET", "/api/v1/namespaces").status, 200);
}

constexpr std::string_view kTokens = R"(# comment
root,admin,1,"system:masters"
r,reader,2,"","read *"
w,worker,3,"a,b","get,list pods,ippools.projectcalico.org; update nodes/status"
n,nobody,4
)";

TEST(AccessRules, AreObeyed) {
  ServerHarness server({Access::parse(kTokens).value(), false});
  struct Case {
    const char* token;
    const char* method;
    const char* target;
    int status;
  };
  for (const Case& c :
       {Case{"Bearer root", "DELETE", "/api/v1/namespaces/x", 404}, Case{"", "GET", "/api/v1/pods", 401},
        Case{"Bearer wrong", "GET", "/api/v1/pods", 401}, Case{"Basic root", "GET", "/api/v1/pods", 401},
        Case{"Bearer r", "GET", "/api/v1/pods", 200}, Case{"Bearer r", "DELETE", "/api/v1/namespaces/x", 403},
        Case{"Bearer w", "GET", "/api/v1/pods", 200}, Case{"Bearer w", "GET", "/api/v1/secrets", 403},
        Case{"Bearer w", "GET", "/apis/projectcalico.org/v3/ippools", 200},
        Case{"Bearer w", "PUT", "/api/v1/nodes/a", 403}, Case{"Bearer n", "GET", "/apis", 200},
        Case{"Bearer n", "GET", "/api/v1/pods", 403}, Case{"", "GET", "/healthz", 200},
        Case{"", "GET", "/metrics", 401}, Case{"Bearer n", "GET", "/metrics", 200}}) {
    const Answer& answer = server.call(c.method, c.target, "", {{"Authorization", c.token}});
    EXPECT_EQ(answer.status, c.status) << c.token << " " << c.method << " " << c.target << ": " << answer.body;
    if (c.status == 401) {
      EXPECT_EQ(answer.json().string_at({"reason"}), "Unauthorized");
    }
  }
  const Answer& update = server.call("PUT", "/api/v1/nodes/a/status", "{}", {{"Authorization", "Bearer w"}});
  EXPECT_EQ(update.status, 404) << update.body;
}

constexpr std::string_view kCertified = R"(t,token-user,1,"team"
,alice,,,"read pods"
,@team,,,"read secrets"
)";

http::PeerInfo shown(std::string common_name, std::vector<std::string> organizations, WallTime not_after) {
  return {"test", false, loop::PeerCertificate{std::move(common_name), std::move(organizations), not_after}};
}

TEST(AccessRules, CertificatesNameUsersAndGroups) {
  ServerHarness server({Access::parse(kCertified).value(), false});
  const WallTime later = server.loop.wall_now() + std::chrono::hours(1);
  struct Case {
    const char* why;
    http::PeerInfo peer;
    const char* token;
    const char* method;
    const char* target;
    int status;
  };
  const Case cases[] = {
      {"rules of the user", shown("alice", {}, later), "", "GET", "/api/v1/pods", 200},
      {"and no more", shown("alice", {}, later), "", "GET", "/api/v1/secrets", 403},
      {"rules of a group", shown("bob", {"x", "team"}, later), "", "GET", "/api/v1/secrets", 200},
      {"administrators", shown("root", {"system:masters"}, later), "", "DELETE", "/api/v1/namespaces/x", 404},
      {"known, without rights", shown("carol", {}, later), "", "GET", "/api/v1/pods", 403},
      {"a group's name is no user's", shown("@team", {}, later), "", "GET", "/api/v1/secrets", 403},
      {"a certificate needs a name", shown("", {"team"}, later), "", "GET", "/api/v1/secrets", 401},
      {"nor has run out", shown("alice", {}, WallTime()), "", "GET", "/api/v1/pods", 401},
      {"certificate before token", shown("alice", {}, later), "Bearer t", "GET", "/api/v1/secrets", 403},
      {"groups of a token's user", {"test", false}, "Bearer t", "GET", "/api/v1/secrets", 200},
      {"an empty token is nobody's", {"test", false}, "Bearer ", "GET", "/api/v1/pods", 401},
      {"neither", {"test", false}, "", "GET", "/api/v1/pods", 401},
  };
  for (const Case& c : cases) {
    const Answer& answer = server.call_as(c.peer, c.method, c.target, "", {{"Authorization", c.token}});
    EXPECT_EQ(answer.status, c.status) << c.why << ": " << answer.body;
  }
}

TEST(AccessRules, WithoutATokenFileOnlyAdministratorsHaveRights) {
  ServerHarness server({Access::certificates_only(), false});
  const WallTime later = server.loop.wall_now() + std::chrono::hours(1);
  EXPECT_EQ(server.call("GET", "/api/v1/pods").status, 401);
  EXPECT_EQ(server.call_as(shown("a", {}, later), "GET", "/api/v1/pods").status, 403);
  EXPECT_EQ(server.call_as(shown("a", {"system:masters"}, later), "GET", "/api/v1/pods").status, 200);
}

TEST(AccessRules, MistakesNameTheirLine) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& c :
       {Case{"", "no user"}, Case{"a,b", "line 1: expected token,user,uid"},
        Case{"a,b,c\na,d,e", "line 2: the token of user \"b\" again"},
        Case{"a,b,c,\"d", "line 1: a quote is not closed"}, Case{"a,b,c,,fly pods", "\"fly\" is no verb"},
        Case{"a,b,c,,get", "expected verbs, a blank, and kinds"}, Case{"a,,c", "must not be empty"},
        Case{",@,c", "must not be empty"}, Case{"a,@g,c", "not to the group \"g\""}}) {
    const auto access = Access::parse(c.text);
    ASSERT_FALSE(access.ok()) << c.text;
    EXPECT_NE(access.error().message.find(c.message), std::string::npos) << access.error().message;
  }
}

}  // namespace
}  // namespace margay::server
