// apply, create, replace, delete, patch, label, validate, diff against an API server in memory.
#include <string>

#include "ctl/verbs/console.h"
#include "ctl/verbs/three_way.h"
#include "gtest/gtest.h"
#include "test/support/golden.h"

namespace margay::verbs {
namespace {

constexpr std::string_view kPool =
    "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: main\nspec:\n  cidr: 10.0.0.0/16\n";
constexpr std::string_view kPeers =
    "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata:\n  name: rack1\nspec:\n  peerIP: 192.0.2.1\n  "
    "asNumber: 64512\n"
    "---\n"
    "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata:\n  name: rack2\nspec:\n  peerIP: 192.0.2.2\n  "
    "asNumber: 64512\n";
constexpr std::string_view kPolicy =
    "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata:\n  name: web\nspec:\n  selector: app == 'web'\n";

TEST(Apply, Conversation) {
  Console console;
  console.write("pool.yaml", kPool);
  console.write("peers.yaml", kPeers);
  console.write("policy.yaml", kPolicy);
  console.run("netctl apply -f @pool.yaml");
  console.run("netctl apply -f @pool.yaml");
  console.write("pool.yaml", std::string(kPool) + "  natOutgoing: true\n");
  console.run("netctl apply -f @pool.yaml");
  console.run("netctl apply -f @pool.yaml -f @peers.yaml");
  console.run("netctl apply -f @policy.yaml -n shop");
  console.run("netctl apply -f @peers.yaml --dry-run=client");
  console.run("netctl apply -f @peers.yaml --dry-run=server");
  console.run("netctl apply -f @peers.yaml -o name");
  console.run("netctl apply -f @pool.yaml --dry-run -o yaml");
  console.run("netctl apply");
  console.run("netctl apply -f @frob.yaml");
  console.run("netctl apply -f @pool.yaml -o frob");
  console.io.input = kPeers;
  console.run("netctl apply -f - -o jsonpath={.items[*].metadata.name}");
  console.io.input = "";
  console.run("netctl apply -f -");
  console.run("netctl apply -f - --skip-empty");
  test::expect_golden("ctl/verbs/testdata/apply.txt", console.screen);
}

TEST(Apply, AsksThenWritesOnlyWhatDiffers) {
  Console console;
  console.write("pool.yaml", kPool);
  console.run("netctl apply -f @pool.yaml");
  EXPECT_EQ(console.take_calls(), "get ippools main\nlist ippools\ncreate ippools main\n");
  console.run("netctl apply -f @pool.yaml");
  EXPECT_EQ(console.take_calls(), "get ippools main\n");
  console.run("netctl apply -f @pool.yaml --dry-run=client");
  EXPECT_EQ(console.take_calls(), "") << "no server is asked";
}

TEST(Apply, WhatOthersSetStaysAndWhatTheFileNoLongerSaysGoes) {
  Console console;
  console.write("pool.yaml", std::string(kPool) + "  natOutgoing: true\n  disabled: true\n");
  console.run("netctl apply -f @pool.yaml");
  (*console.client.stored("ippools", "", "main"))["spec"]["blockSize"] = 24;
  console.write("pool.yaml", std::string(kPool) + "  natOutgoing: false\n");
  console.run("netctl apply -f @pool.yaml");
  const json::Value* pool = console.client.stored("ippools", "", "main");
  EXPECT_EQ(json::dump(*pool->find("spec")), R"({"cidr":"10.0.0.0/16","natOutgoing":false,"blockSize":24})");
}

TEST(Apply, BeginsAgainWhenSomebodyElseWasQuicker) {
  Console console;
  console.client.put("ippools", R"({"metadata":{"name":"main"},"spec":{"cidr":"10.0.0.0/16"}})");
  console.write("pool.yaml", std::string(kPool) + "  natOutgoing: true\n");
  int times = 2;
  console.client.before_update = [&] {
    if (times-- > 0) console.client.touch(*console.client.stored("ippools", "", "main"));
  };
  EXPECT_NE(console.run("netctl apply -f @pool.yaml").find("main configured"), std::string::npos);
  EXPECT_EQ(
      console.take_calls(),
      "get ippools main\nupdate ippools main\nget ippools main\nupdate ippools main\nget ippools main\nupdate ippools "
      "main\n");
  times = 100;
  console.write("pool.yaml", kPool);
  EXPECT_NE(console.run("netctl apply -f @pool.yaml").find("[1]"), std::string::npos);
  EXPECT_EQ(times, 95) << "five attempts";
}

TEST(Apply, CreatedBySomebodyElseInBetweenIsMerged) {
  Console console;
  console.write("pool.yaml", std::string(kPool) + "  natOutgoing: true\n");
  console.client.failures.push_back({"get", FakeClient::error(ErrorCode::kNotFound, 404, "not there")});
  console.client.put("ippools", R"({"metadata":{"name":"main"},"spec":{"cidr":"10.0.0.0/16"}})");
  EXPECT_NE(console.run("netctl apply -f @pool.yaml").find("main configured"), std::string::npos);
}

TEST(Apply, AVersionInTheFileMustBeTheServers) {
  Console console;
  console.client.put("ippools", R"({"metadata":{"name":"main"},"spec":{"cidr":"10.0.0.0/16"}})");
  console.write("pool.yaml",
                "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: main, resourceVersion: '7'}\n"
                "spec: {cidr: 10.0.0.0/16, natOutgoing: true}\n");
  EXPECT_EQ(console.run("netctl apply -f @pool.yaml"),
            "$ netctl apply -f @pool.yaml\n"
            "! error: ippool.projectcalico.org/main: the object has been modified; the file names a "
            "metadata.resourceVersion: without it, apply takes the object as it is now\n"
            "[1]\n");
}

TEST(Apply, AnObjectTooLargeForTheAnnotationIsToldTheWayRound) {
  Console console;
  console.write("pool.yaml", kPool);
  console.client.failures.push_back({"create", FakeClient::error(ErrorCode::kInvalid, 422,
                                                                 "IPPool \"main\" is invalid: metadata.annotations: "
                                                                 "Too long: must have at most 262144 bytes")});
  EXPECT_NE(console.run("netctl apply -f @pool.yaml").find("use create or replace\n[1]"), std::string::npos);
}

TEST(Apply, WhatCannotBeChangedIsNotTried) {
  Console console;
  console.write("pool.yaml", kPool);
  console.run("netctl apply -f @pool.yaml");
  console.write("pool.yaml",
                "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: main}\nspec: {cidr: 10.9.0.0/16}\n");
  constexpr std::string_view kWhy =
      "! error: ippool.projectcalico.org/main: spec.cidr: found \"10.9.0.0/16\", was \"10.0.0.0/16\": cidr cannot be "
      "changed; add another pool and disable this one\n[1]\n";
  for (const std::string_view line :
       {"netctl apply -f @pool.yaml", "netctl replace -f @pool.yaml",
        "netctl patch ippool main --dry-run=client -p '{\"spec\":{\"cidr\":\"10.9.0.0/16\"}}'"}) {
    EXPECT_EQ(console.run(line), concat("$ ", line, "\n", kWhy));
  }
}

TEST(Apply, PartlyDoneNamesWhatFailed) {
  Console console;
  console.write("all.yaml", concat(kPool, "---\n", kPeers));
  console.client.failures.push_back({"create", FakeClient::error(ErrorCode::kPermissionDenied, 403, "you may not")});
  console.run("netctl apply -f @all.yaml");
  console.client.failures.push_back({"get", FakeClient::error(ErrorCode::kUnavailable, 0, "connection refused"), 2});
  console.run("netctl apply -f @all.yaml");
  kube::ApiError refused = FakeClient::error(ErrorCode::kInvalid, 422, "IPPool \"main\" is invalid");
  refused.causes = {{"FieldValueInvalid", "spec.cidr", "overlaps with other"},
                    {"FieldValueInvalid", "spec.blockSize", "too large"}};
  console.client.failures.push_back({"create", refused});
  console.run("netctl apply -f @pool.yaml -f @all.yaml");
  console.write("pool.yaml", kPool);
  console.run("netctl apply -f @pool.yaml");
  test::expect_golden("ctl/verbs/testdata/apply-failures.txt", console.screen);
}

TEST(Apply, WithoutAServerSaysWhatWasLookedFor) {
  Console console;
  console.write("pool.yaml", kPool);
  console.server.problem = Error{ErrorCode::kNotFound, "do not know which API server to use"};
  EXPECT_EQ(console.run("netctl apply -f @pool.yaml"),
            "$ netctl apply -f @pool.yaml\n! error: do not know which API server to use\n[1]\n");
  EXPECT_NE(console.run("netctl apply -f @pool.yaml --dry-run=client").find("Successfully"), std::string::npos);
}

TEST(Create, APoolThatOverlapsWithOneOfTheServerIsRefused) {
  Console console;
  console.client.put("ippools", R"({"metadata":{"name":"all"},"spec":{"cidr":"10.0.0.0/8"}})");
  console.write("pool.yaml", kPool);
  for (const std::string_view line : {"netctl create -f @pool.yaml", "netctl apply -f @pool.yaml"}) {
    EXPECT_EQ(console.run(line),
              concat("$ ", line,
                     "\n! error: ippool.projectcalico.org/main: spec.cidr: 10.0.0.0/16 overlaps with pool \"all\", "
                     "10.0.0.0/8 (on the server)\n[1]\n"));
  }
  console.client.failures.push_back({"list", FakeClient::error(ErrorCode::kPermissionDenied, 403, "you may not")});
  EXPECT_NE(console.run("netctl create -f @pool.yaml").find("main created"), std::string::npos)
      << "who may not list leaves it to the server";
}

TEST(Create, Conversation) {
  Console console;
  console.write("peers.yaml", kPeers);
  console.write("pool.yaml", kPool);
  console.run("netctl create -f @peers.yaml");
  console.run("netctl create -f @peers.yaml");
  console.run("netctl create -f @peers.yaml -f @pool.yaml --skip-exists");
  console.run("netctl create -f @peers.yaml -f @pool.yaml -o name --dry-run=client");
  console.write(
      "generated.yaml",
      "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {generateName: pool-}\nspec: {cidr: 10.1.0.0/16}\n");
  console.run("netctl apply -f @generated.yaml");
  test::expect_golden("ctl/verbs/testdata/create.txt", console.screen);
}

TEST(Replace, Conversation) {
  Console console;
  console.write("pool.yaml", kPool);
  console.run("netctl replace -f @pool.yaml");
  console.run("netctl apply -f @pool.yaml");
  console.write("pool.yaml", std::string(kPool) + "  natOutgoing: true\n");
  console.run("netctl replace -f @pool.yaml");
  console.run("netctl apply -f @pool.yaml");
  test::expect_golden("ctl/verbs/testdata/replace.txt", console.screen);
  EXPECT_EQ(json::dump(*console.client.stored("ippools", "", "main")->find("spec")),
            R"({"cidr":"10.0.0.0/16","natOutgoing":true})");
}

TEST(Delete, Conversation) {
  Console console;
  for (const char* name : {"a", "b", "c", "d"}) {
    console.client.put("networksets", concat(R"({"metadata":{"name":")", name,
                                             R"(","namespace":"shop","labels":{"owner":"web"}},"spec":{}})"));
  }
  console.client.put("ippools", R"({"metadata":{"name":"project1ippool"},"spec":{}})");
  console.write("peers.yaml", kPeers);
  console.run("netctl delete networkset a -n shop");
  console.run("netctl delete networkset a -n shop");
  console.run("netctl delete networkset a -n shop --ignore-not-found");
  console.run("netctl delete networkset a b -n shop");
  console.run("netctl delete networkset c -n shop --dry-run=server");
  console.run("netctl delete networkset c frob -n shop --dry-run=client");
  console.run("netctl delete networkset -l owner=web -n shop --dry-run");
  console.run("netctl delete networkset -l owner=web -n shop -o name");
  console.run("netctl delete ippool project1IPPool");
  console.run("netctl apply -f @peers.yaml");
  console.run("netctl delete -f @peers.yaml");
  console.run("netctl delete bgppeer/rack1 ippool/main");
  console.run("netctl delete networkset");
  console.run("netctl delete networkset x --all");
  console.run("netctl delete");
  console.run("netctl delete ippool x -f @peers.yaml");
  console.run("netctl delete -f @peers.yaml -l a=b");
  console.run("netctl delete networkset --all -l a=b");
  console.run("netctl delete ippol x");
  console.run("netctl delete ippool x -o yaml");
  console.run("netctl delete ippool x --wait");
  console.run("netctl delete ippool x --grace-period=soon");
  console.run("netctl delete ippool x --now --force");
  console.run("netctl delete ippool x --force --grace-period=5");
  console.run("netctl delete ippool x --cascade=never");
  test::expect_golden("ctl/verbs/testdata/delete.txt", console.screen);
}

TEST(Delete, WordsOfKubectlReachTheServer) {
  struct Case {
    const char* flags;
    std::optional<std::int64_t> grace;
    const char* propagation;
  };
  constexpr const char* kDefault = "";
  for (const Case& each :
       {Case{"", std::nullopt, kDefault}, Case{"--grace-period=0", 0, kDefault},
        Case{"--grace-period 30", 30, kDefault}, Case{"--grace-period=-1", std::nullopt, kDefault},
        Case{"--force --grace-period=0", 0, kDefault}, Case{"--force", 0, kDefault}, Case{"--now", 1, kDefault},
        Case{"--wait=false", std::nullopt, kDefault}, Case{"--cascade=orphan", std::nullopt, "Orphan"},
        Case{"--cascade=foreground --wait=false", std::nullopt, "Foreground"}}) {
    Console console;
    console.client.put("ippools", R"({"metadata":{"name":"main"},"spec":{}})");
    console.run(concat("netctl delete ippool main ", each.flags));
    ASSERT_EQ(console.client.deletions.size(), 1U) << each.flags << console.screen;
    EXPECT_EQ(console.client.deletions[0].grace_period_seconds, each.grace) << each.flags;
    EXPECT_EQ(console.client.deletions[0].propagation_policy, each.propagation) << each.flags;
  }
}

TEST(Patch, Conversation) {
  Console console;
  console.client.put("ippools", R"({"metadata":{"name":"main"},"spec":{"cidr":"10.0.0.0/16","disabled":true}})");
  console.client.put("nodes", R"({"metadata":{"name":"w1"}})");
  console.write("patch.yaml", "spec:\n  disabled: null\n");
  console.run(R"(netctl patch ippool main -p '{"spec":{"natOutgoing":true}}')");
  console.run("netctl patch ippool main --patch-file @patch.yaml -o jsonpath={.spec}");
  console.run("netctl patch ippool main -p 'spec: {blockSize: 24}' -t merge");
  console.run("netctl patch ippool main -p 'spec: {blockSize: 25}' -t strategic");
  console.run("netctl patch node w1 -p 'metadata: {labels: {a: b}}'");
  console.run("netctl patch ippool/main -t json -p '[]'");
  console.run("netctl patch ippool main -t json -p '{}'");
  console.run("netctl patch ippool main -p '[]'");
  console.run("netctl patch ippool main -p '{'");
  console.run("netctl patch ippool main");
  console.run("netctl patch ippool main other -p '{}'");
  console.run("netctl patch ippool -p '{}'");
  console.run("netctl patch ippool frob -p '{}'");
  console.run(R"(netctl patch ippool main -p '{"spec":{"natOutgiong":true}}')");
  test::expect_golden("ctl/verbs/testdata/patch.txt", console.screen + "\n" + console.take_calls());
}

TEST(Patch, ADryRunOfTheClientShowsWhatWouldBeAndOnlyReads) {
  Console console;
  console.client.put("ippools", R"({"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"main"},)"
                                R"("spec":{"cidr":"10.0.0.0/16","allowedUses":["Workload"]}})");
  console.client.put("nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"w1"},)"
                              R"("status":{"conditions":[{"type":"Ready","status":"True"}]}})");
  console.run(R"(netctl patch ippool main -p '{"spec":{"disabled":true}}' --dry-run=client)");
  console.run(
      R"(netctl patch ippool main -p '{"spec":{"disabled":true,"allowedUses":null}}' --dry-run=client -o yaml)");
  console.run(R"(netctl patch ippool main -t json -p '[{"op":"add","path":"/spec/allowedUses/-","value":"Tunnel"}]')"
              " --dry-run=client -o jsonpath={.spec}");
  console.run(
      "netctl patch node w1 -p 'status: {conditions: [{type: NetworkUnavailable, status: \"False\"}]}'"
      " --dry-run=client -o jsonpath={.status}");
  console.run("netctl patch ippool main -p 'spec: {cidr: 10.0.0.0/16}' --dry-run=client");
  console.run("netctl patch ippool main -p 'spec: {blockSize: 7}' --dry-run=client");
  console.run("netctl patch ippool main -p 'spec: {ipipMode: Some}' --dry-run=client");
  console.run("netctl patch ippool main -p 'metadata: {name: other}' --dry-run=client");
  console.run("netctl patch ippool frob -p 'spec: {}' --dry-run=client");
  console.run(R"(netctl patch ippool main -t json -p '[{"op":"remove","path":"/spec/frob"}]' --dry-run=client)");
  console.run(
      R"(netctl patch ippool main -t json -p '[{"op":"test","path":"/spec/cidr","value":1}]' --dry-run=client)");
  console.run(R"(netctl patch ippool main -t json -p '[{"op":"frob","path":"/spec"}]' --dry-run=client)");
  test::expect_golden("ctl/verbs/testdata/patch-dry-run.txt", console.screen);
  EXPECT_EQ(console.take_calls().find("patch"), std::string::npos) << "nothing is written";
}

TEST(Patch, AServerWithoutStrategicMergeGetsAMergePatch) {
  Console console;
  console.client.put("nodes", R"({"metadata":{"name":"w1"}})");
  console.client.failures.push_back({"patch", FakeClient::error(ErrorCode::kInvalid, 415, "unsupported media type")});
  console.run("netctl patch node w1 -p '{}'");
  EXPECT_EQ(console.take_calls(), "patch strategic nodes w1\npatch merge nodes w1\n");
}

TEST(Label, Conversation) {
  Console console;
  console.client.put("nodes", R"({"metadata":{"name":"w1","labels":{"rack":"r1"}}})");
  console.client.put("nodes", R"({"metadata":{"name":"w2"}})");
  console.run("netctl label node w1 zone=a");
  console.run("netctl label node w1 rack=r2");
  console.run("netctl label node w1 rack=r2 --overwrite");
  console.run("netctl label node w1 rack=r2");
  console.run("netctl label node w1 rack-");
  console.run("netctl label node w1 zone --remove");
  console.run("netctl label nodes --all pool=x");
  console.run("netctl label nodes -l pool=x pool- --dry-run=client");
  console.run("netctl label node w1 w3 a=b");
  console.run("netctl label node w1");
  console.run("netctl label node a=b");
  console.run("netctl label node w1 'a=b c'");
  test::expect_golden("ctl/verbs/testdata/label.txt", console.screen);
}

TEST(Label, IsNotLostWhenSomebodyElseWrites) {
  Console console;
  console.client.put("nodes", R"({"metadata":{"name":"w1"}})");
  int times = 1;
  console.client.before_update = [&] {
    if (times-- > 0) console.client.touch(*console.client.stored("nodes", "", "w1"));
  };
  console.run("netctl label node w1 a=b");
  EXPECT_EQ(console.client.stored("nodes", "", "w1")->string_at({"metadata", "labels", "a"}), "b");
  EXPECT_EQ(console.take_calls(), "get nodes w1\npatch merge nodes w1\nget nodes w1\npatch merge nodes w1\n");
}

TEST(Diff, TheOrderOfMembersIsNoDifference) {
  Console console;
  console.write("f.yaml",
                "apiVersion: projectcalico.org/v3\nkind: BGPFilter\nmetadata: {name: f}\n"
                "spec: {exportV4: [{action: Accept, matchOperator: In, cidr: 10.0.0.0/8}]}\n");
  console.client.put("bgpfilters",
                     R"({"apiVersion":"projectcalico.org/v3","kind":"BGPFilter","metadata":{"name":"f"},)"
                     R"("spec":{"exportV4":[{"action":"Reject","cidr":"10.0.0.0/8","matchOperator":"In"}]}})");
  EXPECT_EQ(console.run("netctl diff -f @f.yaml"),
            "$ netctl diff -f @f.yaml\n--- bgpfilter.projectcalico.org/f (server)\n+++ bgpfilter.projectcalico.org/f "
            "(file)\n@@ -4,6 +4,6 @@\n   name: f\n spec:\n   exportV4:\n-  - action: Reject\n+  - action: Accept\n     "
            "cidr: 10.0.0.0/8\n     matchOperator: In\n[1]\n");
}

TEST(Diff, Conversation) {
  Console console;
  console.write("pool.yaml", kPool);
  console.run("netctl diff -f @pool.yaml");
  console.run("netctl apply -f @pool.yaml");
  console.run("netctl diff -f @pool.yaml");
  console.write("pool.yaml", std::string(kPool) + "  natOutgoing: true\n");
  console.run("netctl diff -f @pool.yaml");
  test::expect_golden("ctl/verbs/testdata/diff.txt", console.screen);
}

}  // namespace
}  // namespace margay::verbs
