// The real netctl against a real margay-apiserver, over TCP and over a unix socket: what unit tests cannot see, such as
// exit codes, closed pipes, signals and the names netctl is called by.
#include <unistd.h>

#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "test/support/api_servers.h"
#include "test/support/process.h"

namespace margay::test {
namespace {

class Netctl : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    std::string why;
    server_ = start_memory_server({.flags = {}, .unix_socket = GetParam()}, &why);
    if (server_ == nullptr) GTEST_SKIP() << why;
  }

  ProgramResult run(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), program_path("netctl"));
    return run_program({.argv = words, .environment = environment(), .stdin_text = input, .output_path = ""});
  }
  std::map<std::string, std::string> environment() const { return {{"KUBECONFIG", server_->kubeconfig()}}; }

  std::unique_ptr<ApiServer> server_;
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

  EXPECT_EQ(run({"get", "tier", "default", "frob"}).exit_status, 5);
  EXPECT_EQ(run({"version", "--server", "unix:///nowhere/api.sock", "--request-timeout=2s"}).exit_status, 3);
  EXPECT_EQ(run({"get", "tiers", "--server", "unix:///nowhere/api.sock", "--request-timeout=2s"}).exit_status, 1);
  EXPECT_EQ(run({"apply", "-f", "-"}, "kind: [").exit_status, 1);
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
}

TEST_P(Netctl, CompletesNamesOfLiveObjects) {
  ASSERT_EQ(run({"apply", "-f", "-"}, kBook).exit_status, 0);
  EXPECT_EQ(run({"__complete", "get", "ippool", "pro"}).out, "project1ippool\n:4\n");
  EXPECT_EQ(run({"__complete", "get", "-n", "kube-s"}).out, "kube-system\n:4\n");
}

INSTANTIATE_TEST_SUITE_P(Over, Netctl, ::testing::Bool(),
                         [](const auto& over) { return std::string(over.param ? "UnixSocket" : "Tcp"); });

}  // namespace
}  // namespace margay::test
