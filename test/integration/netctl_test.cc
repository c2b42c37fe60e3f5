// The real netctl against a real margay-apiserver, over TCP and over a unix socket, and against a real kube-apiserver:
// what unit tests cannot see, such as exit codes, closed pipes, signals, shells and the names netctl is called by.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "test/support/api_servers.h"
#include "test/support/process.h"

namespace margay::test {
namespace {

enum class Over { kTcp, kUnixSocket, kKubernetes };

// Starting a kube-apiserver takes seconds: one for all tests, which clean up behind them.
ApiServer* kube_apiserver(std::string* why) {
  static std::string reason;
  static const std::unique_ptr<ApiServer> server = start_kube_apiserver(&reason);
  *why = reason;
  return server.get();
}

class Netctl : public ::testing::TestWithParam<Over> {
 protected:
  void SetUp() override {
    std::string why;
    if (GetParam() == Over::kKubernetes) {
      server_ = kube_apiserver(&why);
    } else {
      own_server_ = start_memory_server({.flags = {}, .unix_socket = GetParam() == Over::kUnixSocket}, &why);
      server_ = own_server_.get();
    }
    if (server_ == nullptr) GTEST_SKIP() << why;
  }
  void TearDown() override {
    if (GetParam() != Over::kKubernetes || server_ == nullptr) return;
    (void)run({"delete", "ippools,bgpconfigurations,bgppeers", "--all"});
    (void)run({"delete", "networkpolicies.networking.k8s.io,secrets", "--all"});
  }

  ProgramResult run(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), program_path("netctl"));
    return run_program({.argv = words, .environment = environment(), .stdin_text = input, .output_path = ""});
  }
  std::map<std::string, std::string> environment() const { return {{"KUBECONFIG", server_->kubeconfig()}}; }
  // The program `shell` with netctl in its PATH; a skip is the caller's business.
  ProgramResult run_shell(const std::string& shell, const std::string& script) {
    auto variables = environment();
    const std::string program = program_path("netctl");
    variables["PATH"] = program.substr(0, program.rfind('/')) + ":" + getenv("PATH");
    return run_program({.argv = {shell, "-c", script}, .environment = variables, .stdin_text = "", .output_path = ""});
  }
  static bool has(const std::string& text, std::string_view piece) { return text.find(piece) != std::string::npos; }

  std::unique_ptr<ApiServer> own_server_;
  ApiServer* server_ = nullptr;
  TempDir dir_;
  int rounds_ = 0;
};

constexpr const char* kBook = R"(
apiVersion: projectcalico.org/v3
kind: IPPool
metadata:
  name: project1IPPool
spec:
  cidr: 10.11.12.0/16
  ipipMode: CrossSubnet
  natOutgoing: true
---
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata:
  name: default
spec:
  logSeverityScreen: Info
  nodeToNodeMeshEnabled: false
  asNumber: 63400
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata:
  name: backend-access-ingress
spec:
  podSelector:
    matchLabels:
      app: myapp
      role: backend
  ingress:
  - from:
    - podSelector:
        matchLabels:
          app: myapp
          role: web
)";

TEST_P(Netctl, AppliesTheBooksObjectsAndApplyingAgainChangesNothing) {
  const ProgramResult first = run({"apply", "-f", "-"}, kBook);
  EXPECT_EQ(first.exit_status, 0) << first.err << server_->logs();
  EXPECT_NE(first.out.find("ippool.projectcalico.org/project1ippool created\n"), std::string::npos) << first.out;
  EXPECT_NE(first.out.find("networkpolicy.networking.k8s.io/backend-access-ingress created\n"), std::string::npos);
  const ProgramResult second = run({"apply", "-f", "-"}, kBook);
  EXPECT_EQ(second.out,
            "ippool.projectcalico.org/project1ippool unchanged\n"
            "bgpconfiguration.projectcalico.org/default unchanged\n"
            "networkpolicy.networking.k8s.io/backend-access-ingress unchanged\n"
            "Successfully applied 3 resource(s)\n");
  const ProgramResult shown = run({"get", "ippool", "-o", "wide"});
  EXPECT_EQ(shown.out,
            "NAME             CIDR           NAT    IPIPMODE      VXLANMODE   DISABLED   DISABLEBGPEXPORT   SELECTOR   "
            "ASSIGNMENTMODE\n"
            "project1ippool   10.11.0.0/16   true   CrossSubnet   Never       false      false              all()      "
            "Automatic\n");
}

TEST_P(Netctl, WhatIsShownCanBeAppliedAgain) {
  ASSERT_EQ(run({"apply", "-f", "-"}, kBook).exit_status, 0);
  const ProgramResult exported = run({"get", "ippools,bgpconfigurations", "-o", "yaml", "--export"});
  ASSERT_EQ(exported.exit_status, 0) << exported.err;
  const ProgramResult applied = run({"apply", "-f", "-"}, exported.out);
  EXPECT_EQ(applied.exit_status, 0) << applied.err << exported.out;
}

TEST_P(Netctl, WritesReadsAndDeletes) {
  ASSERT_EQ(run({"create", "-f", "-"}, kBook).exit_status, 0);
  EXPECT_EQ(run({"create", "-f", "-"}, kBook).exit_status, 1);
  EXPECT_EQ(run({"create", "-f", "-", "--skip-exists"}, kBook).exit_status, 0);
  EXPECT_EQ(run({"replace", "-f", "-"}, kBook).exit_status, 0);
  EXPECT_EQ(run({"patch", "ippool", "project1ippool", "-p", R"({"spec":{"disabled":true}})"}).exit_status, 0);
  const ProgramResult patched = run({"patch", "ippool", "project1ippool", "-t", "json", "-p",
                                     R"([{"op": "replace", "path": "/spec/natOutgoing", "value": false}])"});
  EXPECT_EQ(patched.exit_status, 0) << patched.err;
  EXPECT_EQ(run({"label", "ippool/project1ippool", "site=a"}).exit_status, 0);
  EXPECT_EQ(
      run({"get", "ipp", "-l", "site=a", "-o", "jsonpath={.items[*].spec.disabled} {.items[*].spec.natOutgoing}"}).out,
      "true false");
  EXPECT_EQ(run({"apply", "-f", "-", "--dry-run=server"}, kBook).exit_status, 0);
  EXPECT_EQ(run({"get", "ippool", "project1ippool", "-o", "jsonpath={.spec.disabled}"}).out, "true") << "a dry run";
  EXPECT_EQ(run({"diff", "-f", "-"}, kBook).exit_status, 1);
  EXPECT_EQ(run({"delete", "-f", "-"}, kBook).exit_status, 0);
  EXPECT_EQ(run({"delete", "-f", "-"}, kBook).exit_status, 4);
  EXPECT_EQ(run({"delete", "-f", "-", "--ignore-not-found"}, kBook).exit_status, 0);
}

TEST_P(Netctl, ExitCodesAreTheDocumentedOnes) {
  EXPECT_EQ(run({"version"}).exit_status, 0);
  EXPECT_EQ(run({"get", "ippool", "frob"}).exit_status, 4);
  EXPECT_EQ(run({"get", "ippol"}).exit_status, 2);
  EXPECT_EQ(run({"frob"}).exit_status, 2);

  ASSERT_EQ(run({"apply", "-f", "-"}, kBook).exit_status, 0);
  EXPECT_EQ(run({"get", "ippool", "project1ippool", "frob"}).exit_status, 5);
  EXPECT_EQ(run({"version", "--server", "unix:///nowhere/api.sock", "--request-timeout=2s"}).exit_status, 3);
  EXPECT_EQ(run({"get", "tiers", "--server", "unix:///nowhere/api.sock", "--request-timeout=2s"}).exit_status, 1);
  EXPECT_EQ(run({"apply", "-f", "-"}, "kind: [").exit_status, 1);
  const ProgramResult malformed = run({"get", "tiers", "--server", "localhost:6443"});
  EXPECT_EQ(malformed.exit_status, 2);
  EXPECT_TRUE(has(malformed.err, "netctl get: flag --server: server \"localhost:6443\": ")) << malformed.err;
}

TEST_P(Netctl, WarningsOfTheServerAreShownOnceEach) {
  if (GetParam() == Over::kKubernetes) GTEST_SKIP() << "1.20 warns of nothing";
  const auto pool = [](const char* name, const char* cidr) {
    return std::string("---\n{apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: ") + name +
           "}, spec: {cidr: " + cidr + ", bogus: 1}}\n";
  };
  const ProgramResult result =
      run({"apply", "--validate=ignore", "-f", "-"}, pool("a", "10.1.0.0/16") + pool("b", "10.2.0.0/16"));
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err, "Warning: unknown field \"spec.bogus\"\n");
}

TEST_P(Netctl, DryRunsShowWhatWouldBeAndWriteNothing) {
  ASSERT_EQ(run({"apply", "-f", "-"}, kBook).exit_status, 0);
  const std::string before = run({"get", "ippools,bgpconfigurations", "-o", "json"}).out;
  for (const std::string mode : {"--dry-run=client", "--dry-run=server"}) {
    const auto spec = [&](const std::string& type, const std::string& patch) {
      const ProgramResult shown =
          run({"patch", "ippool", "project1ippool", mode, "-t", type, "-p", patch, "-o", "jsonpath={.spec.disabled}"});
      EXPECT_EQ(shown.exit_status, 0) << shown.err;
      return shown.out;
    };
    EXPECT_EQ(spec("merge", R"({"spec":{"disabled":true}})"), "true") << mode;
    EXPECT_EQ(spec("json", R"([{"op":"add","path":"/spec/disabled","value":true}])"), "true") << mode;
    EXPECT_EQ(spec("strategic", "spec: {disabled: true}"), "true") << mode;
    EXPECT_EQ(run({"label", "ippool", "project1ippool", "a=b", mode, "-o", "jsonpath={.metadata.labels.a}"}).out, "b");
    EXPECT_EQ(run({"delete", "ippool", "project1ippool", mode}).exit_status, 0) << mode;
    EXPECT_EQ(run({"delete", "ippool", "frob", mode}).exit_status, 4) << mode;
    EXPECT_EQ(run({"apply", "-f", "-", mode}, kBook).exit_status, 0) << mode;
    EXPECT_EQ(run({"replace", "-f", "-", mode}, kBook).exit_status, 0) << mode;
  }
  EXPECT_EQ(run({"create", "-f", "-", "--dry-run=client"}, kBook).exit_status, 0);
  EXPECT_EQ(run({"create", "-f", "-", "--dry-run=server"}, kBook).exit_status, 1) << "they exist";
  EXPECT_EQ(run({"get", "ippools,bgpconfigurations", "-o", "json"}).out, before);
}

TEST_P(Netctl, StrategicPatchesAreTheSameHereAndThere) {
  const char* node =
      "apiVersion: v1\nkind: Node\nmetadata: {name: w1}\nspec: {taints: [{key: a, effect: NoSchedule}]}\n";
  ASSERT_EQ(run({"apply", "-f", "-"}, node).exit_status, 0);
  const std::vector<std::string> patch{
      "patch", "node", "w1", "-p", "spec: {podCIDR: 10.0.0.0/24, podCIDRs: [10.0.0.0/24]}", "-o", "jsonpath={.spec}"};
  const auto with = [&](const std::string& mode) {
    std::vector<std::string> words = patch;
    words.push_back(mode);
    return run(words);
  };
  const ProgramResult client = with("--dry-run=client");
  const ProgramResult server = with("--dry-run=server");
  EXPECT_EQ(client.exit_status, 0) << client.err;
  EXPECT_TRUE(has(client.out, "podCIDR") && has(client.out, "taints")) << client.out;
  EXPECT_EQ(client.out.size(), server.out.size()) << client.out << "\n" << server.out;
  EXPECT_EQ(run({"delete", "node", "w1"}).exit_status, 0);
}

TEST_P(Netctl, VerboseTellsOfRequestsButNoSecret) {
  const ProgramResult first = run({"get", "ippools", "-v"});
  EXPECT_TRUE(has(first.err, "GET ") && has(first.err, "/apis/projectcalico.org/v3/ippools?limit=500: 200 OK in "))
      << first.err;
  EXPECT_FALSE(has(first.err, "\n> ")) << "headers are for -vv: " << first.err;
  const char* secret =
      "apiVersion: v1\nkind: Secret\nmetadata: {name: bgp, namespace: default}\nstringData: {rack: hushhush}\n";
  const ProgramResult applied = run({"apply", "-f", "-", "-vv"}, secret);
  EXPECT_EQ(applied.exit_status, 0) << applied.err;
  EXPECT_TRUE(has(applied.err, "\n> Accept: application/json\n") && has(applied.err, "\n< Content-Type: "));
  EXPECT_FALSE(has(applied.err, "hushhush") || has(applied.err, "aHVzaGh1c2g")) << applied.err;
  EXPECT_FALSE(has(applied.err, "margay-test-admin")) << applied.err;
  EXPECT_EQ(has(applied.err, "> Authorization: Bearer ***\n"), GetParam() == Over::kKubernetes) << applied.err;
}

TEST_P(Netctl, WhatIsWrongWithTheConnectionIsNamed) {
  const auto error_of = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"get", "tiers", "--request-timeout=2s"});
    const ProgramResult result = run(flags);
    EXPECT_EQ(result.exit_status, 1) << result.err;
    return result.err;
  };
  EXPECT_EQ(error_of({"--server", "http://127.0.0.1:1"}),
            "error: tiers: http://127.0.0.1:1: connect to tcp://127.0.0.1:1: Connection refused (--server)\n");
  EXPECT_EQ(error_of({"--kubeconfig", "/nosuch"}), "error: /nosuch: cannot open: No such file or directory\n");
  EXPECT_TRUE(has(error_of({"--context", "frob"}), "context \"frob\" does not exist (there are: "));
  write_text(dir_.file("broken"), "a: [\n");
  EXPECT_TRUE(has(error_of({"--kubeconfig", dir_.file("broken")}), "broken: line 2, column 1: "));
  if (GetParam() == Over::kUnixSocket) return;
  const std::string kubeconfig = read_text(server_->kubeconfig());
  const std::size_t port_at = kubeconfig.find("://127.0.0.1:") + 13;
  const std::string address =
      "127.0.0.1:" + kubeconfig.substr(port_at, kubeconfig.find_first_not_of("0123456789", port_at) - port_at);
  if (GetParam() == Over::kTcp) {
    EXPECT_TRUE(has(error_of({"--server", "https://" + address}), "TLS: the other side does not speak TLS (--server)"));
    return;
  }
  EXPECT_TRUE(has(error_of({"--server", "http://" + address}), "HTTP request to an HTTPS server"));
  EXPECT_TRUE(
      has(error_of({"--server", "https://" + address}), "--certificate-authority FILE says what it is checked"));
  EXPECT_TRUE(
      has(error_of({"--token", "expired"}), "Unauthorized; the credentials are wrong or have expired (context "));
}

TEST_P(Netctl, AWatchShowsChangesAndEndsWithTheSignal) {
  const std::string screen = dir_.file("screen");
  ChildProcess watch({.argv = {program_path("netctl"), "get", "ippools", "-w", "-o", "name"},
                      .environment = environment(),
                      .stdin_text = "",
                      .output_path = screen});
  ASSERT_EQ(run({"apply", "-f", "-"}, kBook).exit_status, 0);
  EXPECT_TRUE(poll_until(std::chrono::seconds(20), [&] {
    // The watch may have begun before or after the pool was there; a change shows in either case.
    (void)run({"label", "ippool", "project1ippool", "round=x" + std::to_string(rounds_++), "--overwrite"});
    return read_text(screen).find("ippool.projectcalico.org/project1ippool\n") != std::string::npos;
  })) << read_text(screen);
  watch.send_signal(SIGINT);
  EXPECT_TRUE(poll_until(std::chrono::seconds(20), [&] { return !watch.is_running(); }));
  EXPECT_EQ(watch.stop(), 0) << read_text(screen);
}

TEST_P(Netctl, IsAPluginOfKubectlUnderItsName) {
  const std::string plugin = dir_.file("kubectl-netctl");
  ASSERT_EQ(symlink(program_path("netctl").c_str(), plugin.c_str()), 0);
  const ProgramResult help =
      run_program({.argv = {plugin, "get", "--help"}, .environment = {}, .stdin_text = "", .output_path = ""});
  EXPECT_EQ(help.exit_status, 0);
  EXPECT_NE(help.out.find("kubectl netctl get [KIND]"), std::string::npos) << help.out;
  if (old_kubectl().empty()) GTEST_SKIP() << "no kubectl on this machine";
  auto variables = environment();
  variables["PATH"] = dir_.path() + ":" + getenv("PATH");
  const ProgramResult plugin_run = run_program({.argv = {old_kubectl(), "netctl", "get", "ippol"},
                                                .environment = variables,
                                                .stdin_text = "",
                                                .output_path = ""});
  EXPECT_EQ(plugin_run.exit_status, 2) << plugin_run.out;
  EXPECT_TRUE(has(plugin_run.err, "kubectl netctl get: unknown kind \"ippol\"; did you mean \"ippool\"?"))
      << plugin_run.err;
}

TEST_P(Netctl, CompletesNamesOfLiveObjects) {
  ASSERT_EQ(run({"apply", "-f", "-"}, kBook).exit_status, 0);
  EXPECT_EQ(run({"__complete", "get", "ippool", "pro"}).out, "project1ippool\n:4\n");
  EXPECT_EQ(run({"__complete", "get", "-n", "kube-s"}).out, "kube-system\n:4\n");
}

TEST_P(Netctl, BashCompletesWithTheScript) {
  ASSERT_EQ(run({"apply", "-f", "-"}, kBook).exit_status, 0);
  const auto completed = [&](const std::string& line) {
    const ProgramResult result =
        run_shell("bash", "source <(netctl completion bash) && COMP_LINE='" + line +
                              "' && COMP_POINT=${#COMP_LINE} && _netctl && printf '%s ' \"${COMPREPLY[@]}\"");
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  };
  EXPECT_EQ(completed("netctl ver"), "version ");
  EXPECT_EQ(completed("netctl get ippool "), "project1ippool ");
  EXPECT_EQ(completed("netctl get ippool/pro"), "ippool/project1ippool ");
  EXPECT_EQ(completed("netctl get ippools -o cust"), "custom-columns= custom-columns-file= ");
  EXPECT_EQ(completed("netctl get ippools -o=js"), "json jsonl jsonpath= jsonpath-file= ");
  EXPECT_EQ(completed("netctl get ippools --field-s"), "--field-selector ");
  EXPECT_EQ(completed("netctl get -n kube-s"), "kube-system ");
}

TEST_P(Netctl, FishCompletesWithTheScript) {
  if (run_shell("sh", "command -v fish").exit_status != 0) GTEST_SKIP() << "fish is not installed";
  ASSERT_EQ(run({"apply", "-f", "-"}, kBook).exit_status, 0);
  const ProgramResult result =
      run_shell("fish", "netctl completion fish | source; complete -C 'netctl get ippool pro'");
  EXPECT_EQ(result.out, "project1ippool\n") << result.err;
}

INSTANTIATE_TEST_SUITE_P(Against, Netctl, ::testing::Values(Over::kTcp, Over::kUnixSocket, Over::kKubernetes),
                         [](const auto& over) -> std::string {
                           switch (over.param) {
                             case Over::kTcp: return "Tcp";
                             case Over::kUnixSocket: return "UnixSocket";
                             case Over::kKubernetes: return "Kubernetes";
                           }
                           return "";
                         });

}  // namespace
}  // namespace margay::test
