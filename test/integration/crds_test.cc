// The CRDs in a real kube-apiserver: installed by kubectl, established, structural, served with their columns.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "test/support/api_servers.h"

namespace margay::test {
namespace {

std::vector<std::string> shipped_plurals() {
  std::vector<std::string> plurals;
  for (const auto& entry : std::filesystem::directory_iterator(source_path("crds"))) {
    if (entry.path().extension() == ".yaml") plurals.push_back(entry.path().stem().string());
  }
  std::sort(plurals.begin(), plurals.end());
  return plurals;
}

class CrdsInKubernetes : public testing::Test {
 protected:
  // start_kube_apiserver installs the CRDs and waits until all are established; it aborts when one is refused.
  static void SetUpTestSuite() { server() = start_kube_apiserver(&why()); }
  static void TearDownTestSuite() { server().reset(); }
  void SetUp() override {
    if (server() == nullptr) GTEST_SKIP() << why();
  }
  static const std::string& home() {
    static const TempDir folder;  // what clients keep for the next time
    return folder.path();
  }
  static std::unique_ptr<ApiServer>& server() {
    static std::unique_ptr<ApiServer> instance;
    return instance;
  }
  static std::string& why() {
    static std::string reason;
    return reason;
  }
  static ProgramResult run(const std::string& program, const std::vector<std::string>& arguments) {
    std::vector<std::string> argv{program, "--kubeconfig", server()->kubeconfig()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run_program({argv, {{"HOME", home()}}, "", ""});
  }
  static ProgramResult kubectl(const std::vector<std::string>& arguments) { return run(old_kubectl(), arguments); }
};

TEST_F(CrdsInKubernetes, EveryFileIsEstablishedAndStructural) {
  const ProgramResult result = kubectl(
      {"get", "crd", "-o",
       R"(jsonpath={range .items[*]}{.spec.names.plural}{":"}{range .status.conditions[?(@.status=="True")]}{.type}{","}{end}{"\n"}{end})"});
  ASSERT_EQ(result.exit_status, 0) << result.err;
  for (const std::string& plural : shipped_plurals()) {
    EXPECT_NE(result.out.find(plural + ":"), std::string::npos) << plural << " is not installed";
  }
  EXPECT_EQ(result.out.find("NonStructuralSchema"), std::string::npos) << result.out;
}

TEST_F(CrdsInKubernetes, EveryKindIsServedWithItsColumns) {
  for (const std::string& plural : shipped_plurals()) {
    const bool is_upstream = plural == "clusternetworkpolicies" || plural.ends_with("adminnetworkpolicies");
    const std::string group = is_upstream ? ".policy.networking.k8s.io" : ".projectcalico.org";
    const ProgramResult result = kubectl({"get", plural + group, "-A", "-o", "wide"});
    EXPECT_EQ(result.exit_status, 0) << plural << ": " << result.err;
  }
}

TEST_F(CrdsInKubernetes, HelmInstallsChangesAndTakesAway) {
  const ProgramResult fetched = run_program({{source_path("scripts/kube-clients"), "--check"}, {}, "", ""});
  if (fetched.exit_status != 0) GTEST_SKIP() << "no Helm: scripts/kube-clients fetches one";
  const std::string helm = concat(trim(fetched.out), "/helm");
  const std::string chart = source_path("manifests/helm/margay");
  const ProgramResult installed = run(helm, {"install", "margay", chart, "--namespace", "kube-system"});
  ASSERT_EQ(installed.exit_status, 0) << installed.err;
  EXPECT_EQ(kubectl({"-n", "kube-system", "get", "daemonset", "margay-node"}).exit_status, 0);
  const ProgramResult changed =
      run(helm, {"upgrade", "margay", chart, "-n", "kube-system", "--set", "controllers.replicas=3"});
  ASSERT_EQ(changed.exit_status, 0) << changed.err;
  EXPECT_EQ(
      kubectl({"-n", "kube-system", "get", "deployment", "margay-controllers", "-o", "jsonpath={.spec.replicas}"}).out,
      "3");
  const ProgramResult gone = run(helm, {"uninstall", "margay", "-n", "kube-system"});
  ASSERT_EQ(gone.exit_status, 0) << gone.err;
  const std::string kinds =
      concat("daemonsets,deployments,clusterroles,clusterrolebindings,roles,rolebindings,", "serviceaccounts,secrets");
  const ProgramResult left = kubectl({"get", kinds, "-A", "-o", "name"});
  EXPECT_EQ(left.out.find("margay"), std::string::npos) << left.out;
}

TEST_F(CrdsInKubernetes, WhatIsInstalledIsTakenAndAppliedAgainChangesNothing) {
  // This server is older than checks in definitions (Kubernetes 1.23): its kubectl does not know the field, and what it
  // leaves out of those definitions is "configured" each time.
  const std::vector<std::string> apply = {"apply", "--validate=false", "-f", source_path("manifests/base/margay.yaml")};
  const ProgramResult first = kubectl(apply);
  ASSERT_EQ(first.exit_status, 0) << first.err;
  EXPECT_NE(first.out.find("daemonset.apps/margay-node created"), std::string::npos) << first.out;
  const ProgramResult second = kubectl(apply);
  ASSERT_EQ(second.exit_status, 0) << second.err;
  for (const std::string_view line : split(second.out, '\n')) {
    const bool has_checks = line.starts_with("customresourcedefinition.");
    EXPECT_TRUE(line.empty() || has_checks || line.ends_with(" unchanged")) << line;
  }
}

}  // namespace
}  // namespace margay::test
