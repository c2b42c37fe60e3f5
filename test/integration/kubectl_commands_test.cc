// What users of kubectl rely on beyond reading and writing: cascades, waiting, paging, explaining, asking for rights,
// and the paths that probes and monitoring read.
#include <map>
#include <string>
#include <vector>

#include "base/loop/test_certificates.h"
#include "test/integration/kubectl_fixture.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

class KubectlCommands : public KubectlTest {
 protected:
  std::string uid_of(const std::string& kind, const std::string& name) {
    return output({"get", kind, name, "-o", "jsonpath={.metadata.uid}"});
  }
  // A ConfigMap, and one that it owns.
  void create_family(const std::string& name) {
    output({"create", "configmap", name});
    output({"create", "-f", "-"}, concat("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ", name,
                                         "-child\n  ownerReferences:\n  - {apiVersion: v1, kind: ConfigMap, name: ",
                                         name, ", uid: ", uid_of("configmap", name), ", blockOwnerDeletion: true}\n"));
  }
  bool is_there(const std::string& name) {
    return !output({"get", "configmap", name, "--ignore-not-found", "-o", "name"}).empty();
  }
  void set_ready(const std::string& peer) {
    const std::string path = concat("/apis/projectcalico.org/v3/bgppeers/", peer, "/status");
    const std::string server = output({"config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"});
    const std::string body = R"({"status":{"conditions":[{"type":"Ready","status":"True","reason":"Test","message":"",)"
                             R"("lastTransitionTime":"2026-01-01T00:00:00Z"}]}})";
    const ProgramResult result =
        run_program({{"curl", "-sf", "-X", "PATCH", "-H", "Content-Type: application/merge-patch+json", "-d", body,
                      concat(server, path)},
                     {},
                     "",
                     ""});
    ASSERT_EQ(result.exit_status, 0) << result.out << result.err;
  }
  static std::string peer(const std::string& name) {
    return concat("apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: ", name,
                  "}\nspec: {peerIP: 10.0.0.1, asNumber: 64512}\n");
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, KubectlCommands, kubectl_versions(), kubectl_name);

TEST_P(KubectlCommands, CascadesInTheBackgroundInTheForegroundOrNotAtAll) {
  create_family("background");
  output({"delete", "configmap", "background", "--cascade=background"});
  EXPECT_TRUE(poll_until(seconds(20), [&] { return !is_there("background-child"); }));
  create_family("foreground");
  output({"delete", "configmap", "foreground", "--cascade=foreground"});
  EXPECT_FALSE(is_there("foreground")) << "kubectl waits for the end";
  EXPECT_FALSE(is_there("foreground-child")) << "children go first";
  create_family("orphan");
  output({"delete", "configmap", "orphan", "--cascade=orphan"});
  EXPECT_FALSE(is_there("orphan"));
  EXPECT_EQ(output({"get", "configmap", "orphan-child", "-o", "jsonpath={.metadata.ownerReferences}"}), "");
}

TEST_P(KubectlCommands, WaitsForDeletion) {
  output({"create", "-f", "-"}, pool("going"));
  output({"patch", "ippool", "going", "--type=merge", "-p", R"({"metadata":{"finalizers":["example.org/f"]}})"});
  output({"delete", "ippool", "going", "--wait=false"});
  const ProgramResult early = run({"wait", "--for=delete", "ippool/going", "--timeout=1s"});
  EXPECT_EQ(early.exit_status, 1) << early.out;
  EXPECT_TRUE(has(early.err, "timed out")) << early.err;
  const std::string log = home_.file("wait.log");
  ChildProcess waiting(
      {command({"wait", "--for=delete", "ippool/going", "--timeout=30s"}), {{"HOME", home_.path()}}, "", log});
  output({"patch", "ippool", "going", "--type=merge", "-p", R"({"metadata":{"finalizers":null}})"});
  EXPECT_TRUE(poll_until(seconds(30), [&] { return !waiting.is_running(); }));
  EXPECT_EQ(output({"get", "ippool", "going", "--ignore-not-found"}), "");
}

TEST_P(KubectlCommands, WaitsForConditions) {
  output({"create", "-f", "-"}, peer("p"));
  const ProgramResult early = run({"wait", "--for=condition=Ready", "bgppeer/p", "--timeout=1s"});
  EXPECT_EQ(early.exit_status, 1);
  set_ready("p");
  EXPECT_TRUE(has(output({"wait", "--for=condition=Ready", "bgppeer/p", "--timeout=30s"}), "condition met"));
}

TEST_P(KubectlCommands, ListsInChunks) {
  for (int i = 0; i < 7; ++i) output({"create", "configmap", concat("chunk-", i)});
  for (const char* size : {"1", "3", "7", "500"}) {
    const std::string names = output({"get", "configmaps", concat("--chunk-size=", size), "-o", "name"});
    EXPECT_EQ(split(trim(names), '\n').size(), 7U) << names;
    EXPECT_TRUE(has(output({"get", "configmaps", concat("--chunk-size=", size)}), "chunk-6"));
  }
}

TEST_P(KubectlCommands, WatchShowsEvents) {
  output({"create", "-f", "-"}, pool("watched"));
  const std::string log = home_.file("watch.log");
  ChildProcess watcher({command({"get", "ippools", "-w", "--output-watch-events"}), {{"HOME", home_.path()}}, "", log});
  const auto shows = [&](const char* text) {
    return poll_until(seconds(30), [&] { return has(read_text(log), text); });
  };
  ASSERT_TRUE(shows("ADDED")) << read_text(log);
  output({"label", "ippool", "watched", "a=b"});
  EXPECT_TRUE(shows("MODIFIED")) << read_text(log);
  output({"delete", "ippool", "watched"});
  EXPECT_TRUE(shows("DELETED")) << read_text(log);
}

TEST_P(KubectlCommands, ExplainsFields) {
  const std::string text = output({"explain", "bgppeer.spec"});
  EXPECT_TRUE(has(text, "peerIP")) << text;
  EXPECT_TRUE(has(text, "<string>")) << text;
  EXPECT_TRUE(has(output({"explain", "bgppeer.spec.peerIP"}), "<string>"));
  EXPECT_TRUE(has(output({"explain", "globalnetworkpolicies", "--recursive"}), "notSelector"));
  EXPECT_NE(run({"explain", "bgppeer.spec.nonsense"}).exit_status, 0);
}

TEST_P(KubectlCommands, ListsKindsWithTheirNames) {
  const std::string text = output({"api-resources", "--api-group=projectcalico.org"});
  for (const char* kind : {"BGPPeer", "IPPool", "GlobalNetworkPolicy", "FelixConfiguration"})
    EXPECT_TRUE(has(text, kind)) << text;
  EXPECT_TRUE(has(output({"api-versions"}), "projectcalico.org/v3"));
}

TEST_P(KubectlCommands, ShowsDifferencesAndChangesNothing) {
  EXPECT_EQ(run({"diff", "-f", "-"}, pool("d")).exit_status, 1) << "it would be created";
  EXPECT_EQ(output({"get", "ippools", "-o", "name"}), "");
  output({"apply", "-f", "-"}, pool("d"));
  EXPECT_EQ(run({"diff", "-f", "-"}, pool("d")).exit_status, 0);
  std::string changed = pool("d");
  changed.replace(changed.find("CrossSubnet"), 11, "Always");
  const ProgramResult result = run({"diff", "-f", "-"}, changed);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_TRUE(has(result.out, "+  ipipMode: Always")) << result.out;
  EXPECT_EQ(output({"get", "ippool", "d", "-o", "jsonpath={.spec.ipipMode}"}), "CrossSubnet");
}

TEST_P(KubectlCommands, PrunesWhatIsNoLongerApplied) {
  const auto config = [](const char* name) {
    return concat("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ", name,
                  ", namespace: default, labels: {app: pruned}}\n");
  };
  const std::string list =
      GetParam() == "old" ? "--prune-whitelist=core/v1/ConfigMap" : "--prune-allowlist=core/v1/ConfigMap";
  output({"apply", "-f", "-", "--prune", "-l", "app=pruned", list}, config("kept") + config("gone"));
  output({"create", "configmap", "stranger"});
  const std::string second = output({"apply", "-f", "-", "--prune", "-l", "app=pruned", list}, config("kept"));
  EXPECT_TRUE(has(second, "configmap/gone pruned")) << second;
  EXPECT_EQ(output({"get", "configmaps", "-o", "name"}), "configmap/kept\nconfigmap/stranger\n");
}

// kubectl's own list names kinds of workloads, which are not served here, and none of ours (D-023): the kinds are
// given, or remembered by kubectl in an ApplySet.
TEST_P(KubectlCommands, PruningPoolsNeedsTheirKindNamed) {
  const auto labelled = [](const std::string& name, const char* net) {
    return concat("---\napiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: ", name,
                  ", labels: {app: pools}}\nspec: {cidr: ", net, "}\n");
  };
  const std::string one = labelled("one", "10.1.0.0/16");
  const std::string both = one + labelled("two", "10.2.0.0/16");
  output({"apply", "-f", "-"}, both);
  const ProgramResult own = run({"apply", "-f", "-", "--prune", "-l", "app=pools"}, one);
  EXPECT_NE(own.exit_status, 0);
  EXPECT_TRUE(has(own.err, "no matches for kind")) << own.err;
  EXPECT_EQ(output({"get", "ippools", "-o", "name"}), "ippool.projectcalico.org/one\nippool.projectcalico.org/two\n")
      << "nothing is pruned by half";
  const std::string list =
      concat(GetParam() == "old" ? "--prune-whitelist=" : "--prune-allowlist=", "projectcalico.org/v3/IPPool");
  output({"apply", "-f", "-", "--prune", "-l", "app=pools", list}, one);
  EXPECT_EQ(output({"get", "ippools", "-o", "name"}), "ippool.projectcalico.org/one\n");
  if (GetParam() == "old") return;
  const std::vector<std::string> with_set = {"apply", "-f",     "-", "--prune", "--applyset=configmaps/set",
                                             "-n",    "default"};
  const std::map<std::string, std::string> alpha = {{"KUBECTL_APPLYSET", "true"}};
  output({"delete", "ippool", "one"});
  output(with_set, both, alpha);
  output(with_set, one, alpha);
  EXPECT_EQ(output({"get", "ippools", "-o", "name"}), "ippool.projectcalico.org/one\n");
}

TEST_P(KubectlCommands, ServerSideApplyTellsConflictsAndForces) {
  output({"apply", "--server-side", "-f", "-"}, pool("shared"));
  std::string changed = pool("shared");
  changed.replace(changed.find("CrossSubnet"), 11, "Always");
  const ProgramResult refused = run({"apply", "--server-side", "--field-manager=other", "-f", "-"}, changed);
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_TRUE(has(refused.err, ".spec.ipipMode")) << refused.err;
  output({"apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-"}, changed);
  EXPECT_EQ(output({"get", "ippool", "shared", "-o", "jsonpath={.spec.ipipMode}"}), "Always");
}

TEST_P(KubectlCommands, JsonPatchWhoseTestFailsChangesNothing) {
  output({"create", "-f", "-"}, pool("tested"));
  const ProgramResult result = run({"patch", "ippool", "tested", "--type=json", "-p",
                                    R"([{"op":"test","path":"/spec/natOutgoing","value":false},
                                        {"op":"replace","path":"/spec/natOutgoing","value":false}])"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(output({"get", "ippool", "tested", "-o", "jsonpath={.spec.natOutgoing}"}), "true");
}

TEST_P(KubectlCommands, ReadsThePathsOfProbesAndMonitoring) {
  for (const char* path : {"/healthz", "/livez", "/readyz"}) EXPECT_EQ(output({"get", "--raw", path}), "ok") << path;
  EXPECT_TRUE(has(output({"get", "--raw", "/version"}), "gitVersion"));
  const std::string metrics = output({"get", "--raw", "/metrics"});
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
                           "process_start_time_seconds ", "margay_build_info{compiler=\""})
    EXPECT_TRUE(has(metrics, name)) << name;
}

// Users with fewer rights. kubectl sends tokens and certificates over TLS only.
class KubectlRights : public KubectlCommands {
 protected:
  void SetUp() override {
    const loop::TestAuthority::Issued server = authority_.issue({});
    const loop::TestAuthority::Issued user = authority_.issue({.common_name = "carol", .organizations = {"team"}});
    for (const auto& [name, text] : std::map<std::string, std::string>{{"ca", authority_.ca_pem()},
                                                                       {"cert", server.certificate_pem},
                                                                       {"key", server.key_pem},
                                                                       {"carol.pem", user.certificate_pem},
                                                                       {"carol.key", user.key_pem}})
      write_text(home_.file(name), text);
    write_text(home_.file("tokens"),
               "root,admin,1,\"system:masters\"\n"
               "reader,alice,2,\"\",\"read ippools,bgppeers.projectcalico.org; update nodes/status\"\n"
               ",@team,,,\"read configmaps\"\n");
    start({{"--token-file", home_.file("tokens"), "--tls-cert", home_.file("cert"), "--tls-key", home_.file("key"),
            "--client-ca-file", home_.file("ca")}});
  }
  ProgramResult as_reader(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--token", "reader"});
    return run(arguments);
  }
  // With nothing but a certificate.
  ProgramResult as_carol(std::vector<std::string> arguments) {
    write_text(
        home_.file("carol.yaml"),
        concat(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
            "clusters: [{name: c, cluster: {server: '",
            trim(output({"config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"})),
            "', certificate-authority: ", home_.file("ca"),
            "}}]\nusers: [{name: u, user: {client-certificate: carol.pem, client-key: carol.key}}]\n"));
    std::vector<std::string> argv{binary_, "--kubeconfig", home_.file("carol.yaml")};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run_program({argv, {{"HOME", home_.path()}}, "", ""});
  }

  loop::TestAuthority authority_{"margay test authority"};
};

INSTANTIATE_TEST_SUITE_P(Versions, KubectlRights, kubectl_versions(), kubectl_name);

TEST_P(KubectlRights, CanIAnswersFromTheRules) {
  struct Case {
    std::vector<std::string> question;
    const char* answer;
  };
  const Case cases[] = {
      {{"get", "ippools"}, "yes"},
      {{"watch", "bgppeers"}, "yes"},
      {{"delete", "ippools"}, "no"},
      {{"list", "configmaps", "-n", "default"}, "no"},
      {{"update", "nodes", "--subresource=status"}, "yes"},
      {{"update", "nodes"}, "no"},
      {{"get", "/metrics"}, "yes"},
      {{"*", "*"}, "no"},
  };
  for (const Case& c : cases) {
    std::vector<std::string> arguments{"auth", "can-i"};
    arguments.insert(arguments.end(), c.question.begin(), c.question.end());
    const ProgramResult result = as_reader(arguments);
    EXPECT_TRUE(result.out.starts_with(c.answer)) << join(c.question, " ") << ": " << result.out << result.err;
    EXPECT_EQ(result.exit_status == 0, std::string(c.answer) == "yes") << join(c.question, " ");
  }
  EXPECT_EQ(output({"auth", "can-i", "*", "*"}), "yes\n") << "administrators";
  const ProgramResult list = as_reader({"auth", "can-i", "--list"});
  EXPECT_TRUE(has(list.out, "ippools")) << list.out << list.err;
}

TEST_P(KubectlRights, CertificateIsAUserWithItsGroups) {
  EXPECT_EQ(as_carol({"get", "configmaps", "-n", "default", "-o", "name"}).exit_status, 0);
  const ProgramResult refused = as_carol({"get", "secrets", "-n", "default"});
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_TRUE(has(refused.err, "carol") && has(refused.err, "secrets")) << refused.err;
  EXPECT_TRUE(as_carol({"auth", "can-i", "list", "configmaps"}).out.starts_with("yes"));
}

TEST_P(KubectlRights, CertificateOfTheServerRotates) {
  const std::string before = read_text(server_->kubeconfig());
  const loop::TestAuthority::Issued next = authority_.issue({});
  write_text(home_.file("cert"), next.certificate_pem);
  write_text(home_.file("key"), next.key_pem);
  // Connections make the server look; the kubeconfig follows.
  EXPECT_TRUE(poll_until(seconds(30), [&] {
    (void)run({"get", "--raw", "/healthz"});
    return read_text(server_->kubeconfig()) != before;
  })) << server_->logs();
  EXPECT_EQ(output({"get", "--raw", "/healthz"}), "ok");
}

TEST_P(KubectlRights, RefusalsNameWhoWhatAndWhere) {
  const ProgramResult result = as_reader({"get", "configmaps", "-n", "default"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_TRUE(has(result.err, "Forbidden") && has(result.err, "alice") && has(result.err, "configmaps")) << result.err;
}

}  // namespace
}  // namespace margay::test
