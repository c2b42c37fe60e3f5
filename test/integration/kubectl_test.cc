// Real kubectl, of 1.20 and of whatever newer one this machine has, against margay-apiserver.

#include <gtest/gtest.h>

#include <string>

#include "base/core/text.h"
#include "test/integration/kubectl_fixture.h"

namespace margay::test {
namespace {

class Kubectl : public KubectlTest {};

TEST_P(Kubectl, AppliesAndAppliesAgain) {
  EXPECT_TRUE(has(output({"apply", "-f", "-"}, pool("a")), "ippool.projectcalico.org/a created"));
  EXPECT_TRUE(has(output({"apply", "-f", "-"}, pool("a")), "unchanged"));
  std::string changed = pool("a");
  changed.replace(changed.find("CrossSubnet"), 11, "Always");
  EXPECT_TRUE(has(output({"apply", "-f", "-"}, changed), "configured"));
  EXPECT_EQ(output({"get", "ippools.projectcalico.org", "a", "-o", "jsonpath={.spec.ipipMode}"}), "Always");
}

TEST_P(Kubectl, AppliesOnTheServerSide) {
  EXPECT_TRUE(has(output({"apply", "--server-side", "-f", "-"}, pool("ssa")), "serverside-applied"));
  EXPECT_EQ(output({"get", "ippool", "ssa", "-o", "jsonpath={.spec.cidr}"}), "10.20.0.0/16");
}

TEST_P(Kubectl, CreatesAndRefusesTheSecondTime) {
  output({"create", "-f", "-"}, pool("b"));
  const ProgramResult again = run({"create", "-f", "-"}, pool("b"));
  EXPECT_EQ(again.exit_status, 1);
  EXPECT_TRUE(has(again.err, "AlreadyExists")) << again.err;
}

TEST_P(Kubectl, ShowsPrinterColumnsAndWideOnes) {
  output({"create", "-f", "-"}, pool("c"));
  const std::string table = output({"get", "ippools"});
  EXPECT_TRUE(has(table, "CIDR")) << table;
  EXPECT_TRUE(has(table, "10.20.0.0/16")) << table;
  EXPECT_FALSE(has(table, "IPIPMODE")) << table;
  EXPECT_TRUE(has(output({"get", "ippools", "-o", "wide"}), "CrossSubnet"));
}

TEST_P(Kubectl, DescribesAnObject) {
  output({"create", "-f", "-"}, pool("d"));
  const std::string text = output({"describe", "ippool", "d"});
  EXPECT_TRUE(has(text, "10.20.0.0/16")) << text;
  EXPECT_TRUE(has(text, "Events:")) << text;
}

TEST_P(Kubectl, EditsThroughAnEditor) {
  output({"create", "-f", "-"}, pool("e"));
  output({"edit", "ippool", "e"}, "", {{"EDITOR", "sed -i s/CrossSubnet/Never/"}, {"KUBE_EDITOR", ""}});
  EXPECT_EQ(output({"get", "ippool", "e", "-o", "jsonpath={.spec.ipipMode}"}), "Never");
}

TEST_P(Kubectl, LabelsAndSelects) {
  output({"create", "-f", "-"}, pool("f"));
  output({"create", "-f", "-"}, pool("g"));
  output({"label", "ippool", "f", "zone=one"});
  EXPECT_EQ(output({"get", "ippools", "-l", "zone=one", "-o", "name"}), "ippool.projectcalico.org/f\n");
  output({"label", "ippool", "f", "zone-"});
  EXPECT_EQ(output({"get", "ippools", "-l", "zone", "-o", "name"}), "");
}

TEST_P(Kubectl, PatchesInEveryWay) {
  output({"create", "-f", "-"}, pool("h"));
  output({"patch", "ippool", "h", "--type=merge", "-p", R"({"spec":{"ipipMode":"Always"}})"});
  output(
      {"patch", "ippool", "h", "--type=json", "-p", R"([{"op":"replace","path":"/spec/natOutgoing","value":false}])"});
  EXPECT_EQ(output({"get", "ippool", "h", "-o", "jsonpath={.spec.ipipMode},{.spec.natOutgoing}"}), "Always,false");
  output({"create", "namespace", "patched"});
  output({"patch", "namespace", "patched", "-p", R"({"metadata":{"annotations":{"a":"b"}}})"});
  EXPECT_EQ(output({"get", "ns", "patched", "-o", "jsonpath={.metadata.annotations.a}"}), "b");
}

TEST_P(Kubectl, DeletesAndSaysWhatIsMissing) {
  output({"create", "-f", "-"}, pool("i"));
  EXPECT_TRUE(has(output({"delete", "ippool", "i"}), "deleted"));
  const ProgramResult gone = run({"get", "ippool", "i"});
  EXPECT_EQ(gone.exit_status, 1);
  EXPECT_TRUE(has(gone.err, "NotFound")) << gone.err;
}

TEST_P(Kubectl, WatchesChanges) {
  const std::string log = home_.file("watch.log");
  ChildProcess watcher({{binary_, "--kubeconfig", server_->kubeconfig(), "get", "ippools", "-w", "-o", "name"},
                        {{"HOME", home_.path()}},
                        "",
                        log});
  // Objects are made until the watcher, which needs a moment to connect, has reported one.
  int made = 0;
  EXPECT_TRUE(poll_until(std::chrono::seconds(30), [&] {
    output({"create", "-f", "-"}, pool(concat("watched-", ++made)));
    return has(read_text(log), "ippool.projectcalico.org/watched-");
  })) << read_text(log);
}

TEST_P(Kubectl, InvalidObjectsAreExplained) {
  std::string bad = pool("bad");
  bad.replace(bad.find("CrossSubnet"), 11, "Sideways");
  const ProgramResult result = run({"apply", "-f", "-"}, bad);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_TRUE(has(result.err, "spec.ipipMode")) << result.err;
}

TEST_P(Kubectl, KubernetesKindsHaveTheirColumns) {
  output({"create", "serviceaccount", "robot"});
  EXPECT_TRUE(has(output({"get", "serviceaccounts"}), "robot"));
  EXPECT_TRUE(has(output({"get", "namespaces"}), "Active"));
  EXPECT_TRUE(has(output({"api-resources"}), "bgppeers"));
  const ProgramResult none = run({"get", "pods", "-A"});
  EXPECT_EQ(none.exit_status, 0);
  EXPECT_TRUE(has(none.err, "No resources found")) << none.err;
}

INSTANTIATE_TEST_SUITE_P(Versions, Kubectl, kubectl_versions(), kubectl_name);

}  // namespace
}  // namespace margay::test
