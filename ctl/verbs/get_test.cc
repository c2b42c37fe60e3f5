// get, and what shows things: api-resources, explain, version, help, completion.
#include <algorithm>
#include <string>

#include "base/json/yaml.h"
#include "ctl/verbs/console.h"
#include "gtest/gtest.h"
#include "test/support/golden.h"

namespace margay::verbs {
namespace {

constexpr std::string_view kObjects = R"(
ippools: {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: main, labels: {site: a}},
  spec: {cidr: 10.0.0.0/16, ipipMode: CrossSubnet, natOutgoing: true, nodeSelector: all()}}
---
ippools: {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: v6}, spec: {cidr: 'fd00::/48'}}
---
bgppeers: {apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: rack1},
  spec: {peerIP: 192.0.2.1, asNumber: 64513, node: w1}}
---
networksets: {apiVersion: projectcalico.org/v3, kind: NetworkSet, metadata: {name: office, namespace: default},
  spec: {nets: [10.0.0.0/8, 192.168.0.0/16, 172.16.0.0/12, 198.51.100.0/24, 203.0.113.0/24, '2001:db8::/32']}}
---
networksets: {apiVersion: projectcalico.org/v3, kind: NetworkSet, metadata: {name: office, namespace: shop},
  spec: {nets: [10.1.0.0/16]}}
---
nodes: {apiVersion: v1, kind: Node, metadata: {name: w1,
  annotations: {projectcalico.org/ASNumber: '65001', projectcalico.org/IPv4Address: 10.1.1.1/24}}}
---
nodes: {apiVersion: v1, kind: Node, metadata: {name: w2}}
---
bgpconfigurations: {metadata: {name: default}, spec: {asNumber: 63400}}
---
tiers: {apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: late}, spec: {order: 200.5}}
---
tiers: {apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: never}, spec: {}}
---
tiers: {apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: early}, spec: {order: 5}}
)";

void fill(Console& console) {
  const auto documents = json::parse_yaml(kObjects);
  for (const json::YamlDocument& document : *documents) {
    for (const json::Member& member : *document.value.as_object())
      console.client.put(member.name, json::dump(member.value));
  }
}

TEST(Get, Tables) {
  Console console;
  fill(console);
  console.run("netctl get ippools");
  console.run("netctl get ippools -o wide");
  console.run("netctl get IPPool main -o ps");
  console.run("netctl get ipp,bgpp");
  console.run("netctl get ippool/main bgppeer/rack1");
  console.run("netctl get networksets");
  console.run("netctl get networksets -o wide -n default");
  console.run("netctl get networksets -A");
  console.run("netctl get nodes");
  console.run("netctl get nodes -o wide");
  console.run("netctl get tiers");
  console.run("netctl get ippools --no-headers --show-labels");
  console.run("netctl get ippools -l site=a");
  console.run("netctl get ippools --sort-by=.spec.cidr");
  console.run("netctl get ippools --sort-by={.metadata.creationTimestamp}");
  console.run("netctl get felixconfigurations");
  console.run("netctl get namespaces");
  test::expect_golden("ctl/verbs/testdata/get-tables.txt", console.screen);
}

TEST(Get, OtherFormats) {
  Console console;
  fill(console);
  console.run("netctl get ippool main -o yaml");
  console.run("netctl get ippool main -o yaml --export");
  console.run("netctl get ippools -o json --export");
  console.run("netctl get ippools -o jsonl --export");
  console.run("netctl get ippools,nodes -o name");
  console.run("netctl get ippools -o jsonpath={.items[*].spec.cidr}");
  console.run("netctl get ippool main -o jsonpath={.spec.cidr}");
  console.run("netctl get ippools -o custom-columns=POOL:.metadata.name,CIDR:.spec.cidr,MODE:.spec.ipipMode");
  console.run(
      R"(netctl get ippools -o 'go-template={{range .items}}{{.metadata.name}}={{.spec.cidr}}{{"\n"}}{{end}}')");
  console.write("columns", "POOL           CIDR\n.metadata.name .spec.cidr\n");
  console.run("netctl get ippools -o custom-columns-file=@columns");
  console.run("netctl get felixconfigurations -o yaml");
  test::expect_golden("ctl/verbs/testdata/get-formats.txt", console.screen);
}

TEST(Get, Refusals) {
  Console console;
  fill(console);
  console.run("netctl get");
  console.run("netctl get ippol");
  console.run("netctl get ippools -o yml");
  console.run("netctl get ippools -o 'go-template={{frob}}'");
  console.run("netctl get ippools -o 'jsonpath={.a['");
  console.run("netctl get ippools -o custom-columns=A");
  console.run("netctl get ippools --sort-by=.a[");
  console.run("netctl get ippool other");
  console.run("netctl get ippool main other");
  console.run("netctl get ippool other --ignore-not-found");
  console.run("netctl get ippool main -l a=b");
  console.run("netctl get networkset office -A");
  console.run("netctl get ippool/main bgppeer");
  console.run("netctl get ippool main/x");
  console.run("netctl get ippools,bgppeers -w");
  console.run("netctl get networksets -A -n shop");
  console.run("netctl get -f @x.yaml -l a=b");
  console.run("netctl get -f @x.yaml ippools");
  console.run("netctl get networksets -n nowhere");
  console.run("netctl get networksets,ippools -l no=where");
  console.run("netctl get pools -o name");
  console.run("netctl get policies,bgpps");
  console.run("netctl get deployments");
  console.client.failures.push_back(
      {"list", FakeClient::error(ErrorCode::kPermissionDenied, 403, "you may not list ippools")});
  console.run("netctl get ippools,bgppeers");
  test::expect_golden("ctl/verbs/testdata/get-refusals.txt", console.screen);
}

// Every flag whose value has a form is looked at first: no server is needed to be told of a mistake.
TEST(FlagValues, AreUsageErrorsThatNameTheFlag) {
  struct Case {
    const char* line;
    const char* message;
  };
  const Case cases[] = {
      {"get ippools --server=localhost:6443", "flag --server: server \"localhost:6443\": the scheme is none we know"},
      {"get ippools --server=http://", "flag --server: server \"http://\": the host is empty"},
      {"get ippools --server=http://a:99999", "flag --server: server \"http://a:99999\": host or port cannot be read"},
      {"get ippools --server=http://a,", "flag --server: server \"\""},
      {"version --server=ftp://a", "flag --server: "},
      {"get ippools --token='a b'", "flag --token: "},
      {"get networksets -n Shop_1", "flag --namespace: \"Shop_1\" is no name of a namespace"},
      {"get ippools -l 'a in b'", "flag --selector: "},
      {"delete ippools -l a==b==c", "flag --selector: "},
      {"label ippools x=y -l =b", "flag --selector: "},
      {"get ippools --field-selector=metadata.name", "flag --field-selector: "},
      {"get ippools --sort-by=.a[", "flag --sort-by: column 4"},
      {"get ippools -o yml", "flag --output: output format \"yml\""},
      {"get ippools -o jsonpath={.a[", "flag --output: jsonpath: column 5"},
      {"get ippools -o jsonpath-file=@absent", "flag --output: "},
      {"patch ippool main -p {} -o frob", "flag --output: output format \"frob\""},
      {"label ippool main a=b -o frob", "flag --output: "},
      {"apply -f @absent.yaml -o frob", "flag --output: "},
      {"delete ippool main -o wide", "flag --output: \"wide\" is not one of name"},
      {"get ippools --request-timeout=soon", "flag --request-timeout: \"soon\" is not a duration"},
      {"get ippools --verbose=11", "flag --verbose: \"11\" is not a number from 0 to 10"},
      {"get ippools --watch=maybe", "flag --watch: \"maybe\" is not true or false"},
      {"get ippools --client-key=@key", "--client-certificate and --client-key belong together"},
      {"patch ippool main -p '{'", "flag --patch: "},
      {"patch ippool main -p []", "flag --patch: an object with fields to change should be here"},
      {"patch ippool main --type=json -p {}", "flag --patch: a JSON patch is a list of operations"},
      {"apply -f @absent.yaml --dry-run=maybe", "flag --dry-run: "},
      {"delete ippools", "NAME is missing"},
      {"label ippools a=b", "NAME is missing"},
      {"delete ippools main --all", "give NAME, -l or --all, one of them"},
  };
  Console console;
  console.server.problem = Error{ErrorCode::kUnavailable, "no server is configured"};
  for (const Case& c : cases) {
    const std::string shown = console.run(concat("netctl ", c.line));
    EXPECT_NE(shown.find(c.message), std::string::npos) << shown;
    EXPECT_TRUE(shown.ends_with("[2]\n")) << shown;
  }
  EXPECT_EQ(console.take_calls(), "");
}

TEST(Get, ObjectsOfAFile) {
  Console console;
  fill(console);
  console.write("pool.yaml",
                "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: main}\nspec: {not: checked}\n");
  EXPECT_EQ(console.run("netctl get -f @pool.yaml -o name"),
            "$ netctl get -f @pool.yaml -o name\nippool.projectcalico.org/main\n");
}

TEST(Get, ListsInPagesAndBeginsAgainWhenTheVersionIsGone) {
  Console console;
  for (int i = 0; i < 1200; ++i) {
    console.client.put("ippools", concat(R"({"metadata":{"name":"p)", i, R"("}})"));
  }
  const auto count = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  EXPECT_EQ(count(console.run("netctl get ippools -o name")), 1201);
  EXPECT_EQ(console.take_calls(), "list ippools\nlist ippools\nlist ippools\n");
}

TEST(Get, ItemsOfAListHaveKindAndVersion) {
  Console console;
  console.client.put("ippools", R"({"metadata":{"name":"main"}})");
  EXPECT_EQ(console.run("netctl get ippools -o jsonpath={.items[0].apiVersion}/{.items[0].kind}"),
            "$ netctl get ippools -o jsonpath={.items[0].apiVersion}/{.items[0].kind}\nprojectcalico.org/v3/IPPool(no "
            "newline)\n");
}

std::string changed(const std::string& event, const std::string& name, int version, const std::string& cidr) {
  return concat(event, R"( {"metadata":{"name":")", name, R"(","resourceVersion":")", version, R"("},"spec":{"cidr":")",
                cidr, R"("}})");
}

TEST(Watch, RowsAsTheyCome) {
  Console console;
  fill(console);
  console.client.changes = {
      changed("MODIFIED", "main", 200, "10.0.0.0/15"), R"(BOOKMARK {"metadata":{"resourceVersion":"205"}})",
      changed("ADDED", "another-pool", 206, "10.9.0.0/16"), changed("DELETED", "another-pool", 207, "10.9.0.0/16")};
  console.run("netctl get ippools -w");
  console.client.changes = {changed("ADDED", "x", 208, "10.9.0.0/16")};
  console.run("netctl get ippools --watch-only -o jsonl");
  console.client.changes = {changed("ADDED", "x", 208, "10.9.0.0/16")};
  console.run("netctl get ippool main -w -o yaml --export");
  console.run("netctl get bgpfilters -w");
  test::expect_golden("ctl/verbs/testdata/watch.txt", console.screen + "\n" + console.take_calls());
}

TEST(Watch, GoesOnWhereItWasWhenTheServerEndsIt) {
  Console console;
  fill(console);
  console.client.changes = {changed("MODIFIED", "main", 300, "10.0.0.0/15")};
  console.client.watch_stays_open = false;
  console.run("netctl get ippools -w -o name");
  EXPECT_EQ(console.take_calls(), "list ippools\nwatch from 111 ippools\nwatch from 300 ippools\n");
}

TEST(Watch, ListsAgainWhenTheVersionIsGoneAndShowsOnlyWhatIsNew) {
  Console console;
  fill(console);
  console.client.watch_end = FakeClient::error(ErrorCode::kGone, 410, "too old");
  console.client.changes = {changed("MODIFIED", "v6", 111, "fd00::/47")};
  const std::string shown = console.run("netctl get ippools -w -o name");
  EXPECT_EQ(console.take_calls(), "list ippools\nwatch from 111 ippools\nlist ippools\nwatch from 111 ippools\n");
  // The fake still has the old "v6": another version than the one seen last, so it is shown; "main" is not.
  EXPECT_EQ(shown,
            "$ netctl get ippools -w -o name\nippool.projectcalico.org/main\nippool.projectcalico.org/v6\n"
            "ippool.projectcalico.org/v6\nippool.projectcalico.org/v6\n");
}

TEST(Watch, EndsQuietlyWhenNobodyReads) {
  Console console;
  fill(console);
  console.io.is_pipe_open = false;
  console.client.changes = {changed("MODIFIED", "main", 300, "10.0.0.0/15"),
                            changed("MODIFIED", "main", 301, "10.0.0.0/15")};
  console.client.watch_end = FakeClient::error(ErrorCode::kInternal, 500, "never reached");
  EXPECT_EQ(console.run("netctl get ippools -w"), "$ netctl get ippools -w\n");
}

TEST(Watch, ARefusalIsAnError) {
  Console console;
  console.client.watch_end = FakeClient::error(ErrorCode::kPermissionDenied, 403, "you may not watch");
  EXPECT_EQ(console.run("netctl get ippools --watch-only"),
            "$ netctl get ippools --watch-only\n! error: watch: you may not watch\n[1]\n");
}

TEST(ApiResources, Conversation) {
  Console console;
  console.run("netctl api-resources");
  console.run("netctl kinds -o name");
  EXPECT_NE(console.run("netctl api-resources -o json").find("\"shortNames\""), std::string::npos);
  EXPECT_EQ(console.take_calls(), "");
  console.screen.resize(console.screen.find("$ netctl api-resources -o json"));
  test::expect_golden("ctl/verbs/testdata/api-resources.txt", console.screen);
}

TEST(Explain, Conversation) {
  Console console;
  console.run("netctl explain ippool");
  console.run("netctl explain ippool.spec.ipipMode");
  console.run("netctl explain networkpolicy.spec.ingress.source.nets");
  console.run("netctl explain bgppeers.projectcalico.org.spec.peerIP");
  console.run("netctl explain ippool.spec.ippMode");
  console.run("netctl explain ippol.spec");
  console.run("netctl explain tier -R");
  test::expect_golden("ctl/verbs/testdata/explain.txt", console.screen);
}

TEST(Version, OfNetctlAndTheServer) {
  Console console;
  console.run("netctl version");
  console.run("netctl version --client");
  console.run("netctl version -o json");
  console.run("netctl version -o yaml --client");
  console.client.failures.push_back({"get_path", FakeClient::error(ErrorCode::kUnavailable, 0, "connection refused")});
  console.run("netctl version");
  console.client.version_body = "<html>";
  console.run("netctl version");
  console.server.problem = Error{ErrorCode::kInvalid, "context \"x\" is not in the file"};
  console.run("netctl version");
  console.server.problem = Error{ErrorCode::kNotFound, "nothing is configured"};
  console.run("netctl version");
  test::expect_golden("ctl/verbs/testdata/version.txt", console.screen);
}

TEST(Help, AndUsage) {
  Console console;
  EXPECT_EQ(console.run("netctl help get").substr(21), console.run("netctl get --help").substr(23));
  EXPECT_NE(console.run("netctl help frob").find("[2]"), std::string::npos);
  EXPECT_NE(console.run("netctl completion bash").find("complete -F"), std::string::npos);
  EXPECT_EQ(console.run("netctl completion tcsh"),
            "$ netctl completion tcsh\n! netctl completion: no completion for \"tcsh\", there is bash, zsh and fish\n"
            "! See 'netctl completion --help'.\n[2]\n");
}

TEST(Complete, KindsObjectsNamespacesContextsAndFields) {
  Console console;
  fill(console);
  console.client.put("namespaces", R"({"metadata":{"name":"shop"}})");
  EXPECT_EQ(console.complete({"get", "ipp"}), "ippools\tIPPool\n:4\n");
  EXPECT_EQ(console.complete({"get", "ippools,bgpp"}), "ippools,bgppeers\tBGPPeer\n:4\n");
  EXPECT_EQ(console.complete({"get", "networkpol"}),
            "networkpolicies.networking.k8s.io\tNetworkPolicy\nnetworkpolicies\tNetworkPolicy\n:4\n");
  EXPECT_EQ(console.complete({"delete", "ippool", ""}), "main\nv6\n:4\n");
  EXPECT_EQ(console.complete({"get", "ippool/m"}), "ippool/main\n:4\n");
  EXPECT_EQ(console.complete({"get", "networkset", "-n", "shop", ""}), "office\n:4\n");
  EXPECT_EQ(console.complete({"get", "-n", "s"}), "shop\n:4\n");
  EXPECT_EQ(console.complete({"get", "--namespace=s"}), "--namespace=shop\n:4\n");
  EXPECT_EQ(console.complete({"--context", ""}), "lab\nprod\n:4\n");
  EXPECT_EQ(console.complete({"apply", "-f", ""}), ":0\n");
  EXPECT_EQ(console.complete({"explain", "ippool.spec.ipip"}).substr(0, 20), "ippool.spec.ipipMode");
  EXPECT_EQ(console.complete({"explain", "ippol.spec.x"}), ":4\n");
  EXPECT_EQ(console.complete({"get", "frob", ""}), ":4\n");
  console.server.problem = Error{ErrorCode::kNotFound, "nothing is configured"};
  EXPECT_EQ(console.complete({"get", "ippool", ""}), ":4\n");
}

}  // namespace
}  // namespace margay::verbs
