// What is done to a cluster that lives, under traffic: every datagram has to arrive.
#include "base/core/text.h"
#include "gtest/gtest.h"
#include "test/e2e/lab.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

constexpr seconds kLimit{60};

class Changes : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = missing_for_labs(); !missing.empty()) GTEST_SKIP() << missing;
  }
  // Four nodes in two racks, a pod on each; all reach each other.
  static void bring_up(const Lab& lab) {
    ASSERT_TRUE(lab.up("full-mesh.yaml"));
    ASSERT_TRUE(lab.apply_example("three-tier/1-pods.yaml"));
    ASSERT_TRUE(all_reach(lab, 4)) << show(lab.matrix());
    ASSERT_TRUE(lab.becomes_well());
    ASSERT_TRUE(lab.routes_spread({"node-1", "node-2", "node-3", "node-4"}, 3));
  }
  static bool all_reach(const Lab& lab, std::size_t pods) {
    return poll_until(kLimit, [&] {
      const std::set<std::string> got = lab.matrix();
      return got.size() == pods * (pods - 1) && show(got).find("deny") == std::string::npos;
    });
  }
  static void patch(const Lab& lab, const std::string& kind, const std::string& name, const std::string& change) {
    const ProgramResult done = lab.netctl({"patch", kind, name, "--type", "merge", "-p", change});
    ASSERT_EQ(done.exit_status, 0) << done.err;
  }
  static std::string pod(const std::string& name, const std::string& node) {
    return concat("apiVersion: v1\nkind: Pod\nmetadata: {name: ", name, ", namespace: shop}\nspec:\n",
                  node.empty() ? "" : concat("  nodeName: ", node, "\n"), "  containers: [{name: c, image: x}]\n");
  }
  static std::string node_of(const Lab& lab, const std::string& name) {
    const ProgramResult got =
        lab.netctl({"get", "pod", name, "-n", "shop", "-o", "jsonpath={.spec.nodeName}{\" \"}{.status.phase}"});
    return got.exit_status == 0 ? got.out : got.err;
  }
};

TEST_F(Changes, FromMeshToReflectorsAndBack) {
  const Lab lab("reflect");
  bring_up(lab);
  if (HasFatalFailure()) return;
  Traffic across(lab, lab.pod_on("node-1"), lab.pod_on("node-4"));
  Traffic back(lab, lab.pod_on("node-3"), lab.pod_on("node-2"));

  // Reflectors first, then the mesh goes: nobody is without a teacher.
  for (const char* node : {"node-1", "node-3"}) {
    patch(lab, "node", node,
          R"({"metadata":{"labels":{"role":"reflector"},)"
          R"("annotations":{"projectcalico.org/RouteReflectorClusterID":"192.0.2.255"}}})");
  }
  ASSERT_TRUE(
      lab.apply("apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: to-reflectors}\n"
                "spec: {nodeSelector: all(), peerSelector: role == 'reflector'}\n"));
  ASSERT_TRUE(lab.becomes_well());
  patch(lab, "bgpconfiguration", "default", R"({"spec":{"nodeToNodeMeshEnabled":false}})");
  // node-2 and node-4 are left with the two reflectors and the router.
  EXPECT_TRUE(poll_until(kLimit, [&] {
    const ProgramResult status = lab.run({"status"});
    std::size_t few = 0;
    for (std::size_t at = status.out.find("3/3"); at != std::string::npos; at = status.out.find("3/3", at + 1)) ++few;
    return status.exit_status == 0 && few == 2;
  })) << lab.run({"status"}).out;
  EXPECT_TRUE(lab.routes_spread({"node-1", "node-2", "node-3", "node-4"}, 3));
  EXPECT_TRUE(all_reach(lab, 4));

  patch(lab, "bgpconfiguration", "default", R"({"spec":{"nodeToNodeMeshEnabled":true}})");
  ASSERT_TRUE(lab.becomes_well());
  ASSERT_EQ(lab.netctl({"delete", "bgppeer", "to-reflectors"}).exit_status, 0);
  for (const char* node : {"node-1", "node-3"}) {
    patch(lab, "node", node, R"({"metadata":{"annotations":{"projectcalico.org/RouteReflectorClusterID":null}}})");
  }
  ASSERT_TRUE(lab.becomes_well());
  EXPECT_TRUE(lab.routes_spread({"node-1", "node-2", "node-3", "node-4"}, 3));
  EXPECT_EQ(across.lost(), 0U) << "of " << across.sent();
  EXPECT_GT(across.sent(), 100U);
  EXPECT_EQ(back.lost(), 0U) << "of " << back.sent();
  EXPECT_GT(back.sent(), 100U);
}

TEST_F(Changes, AgentsAreUpgradedOneByOne) {
  const Lab lab("upgrade");
  bring_up(lab);
  if (HasFatalFailure()) return;
  Traffic across(lab, lab.pod_on("node-1"), lab.pod_on("node-4"));
  Traffic back(lab, lab.pod_on("node-3"), lab.pod_on("node-2"));
  for (const char* node : {"node-1", "node-2", "node-3", "node-4"}) {
    ASSERT_EQ(lab.run({"node", "stop", node}).exit_status, 0);
    ASSERT_EQ(lab.run({"node", "start", node}).exit_status, 0);
    ASSERT_TRUE(lab.becomes_well()) << node;
    EXPECT_EQ(across.lost(), 0U) << "of " << across.sent() << ", after " << node;
    EXPECT_GT(across.sent(), 100U);
    EXPECT_EQ(back.lost(), 0U) << "of " << back.sent() << ", after " << node;
    EXPECT_GT(back.sent(), 100U);
  }
}

TEST_F(Changes, NodesAreAddedDrainedKilledAndCutOff) {
  const Lab lab("nodes");
  bring_up(lab);
  if (HasFatalFailure()) return;
  Traffic traffic(lab, lab.pod_on("node-1"), lab.pod_on("node-3"));

  // Added: a pod there is reached by all.
  const ProgramResult added = lab.run({"node", "add", "node-5", "rack-b"});
  ASSERT_EQ(added.exit_status, 0) << added.err;
  ASSERT_TRUE(lab.apply(pod("late", "node-5")));
  EXPECT_TRUE(all_reach(lab, 5)) << show(lab.matrix());
  EXPECT_TRUE(lab.becomes_well());

  // Drained: its pods go elsewhere.
  patch(lab, "node", "node-5", R"({"spec":{"unschedulable":true}})");
  ASSERT_EQ(lab.netctl({"delete", "pod", "late", "-n", "shop"}).exit_status, 0);
  EXPECT_TRUE(poll_until(kLimit, [&] { return lab.matrix().size() == 12; }));
  ASSERT_TRUE(lab.apply(pod("later", "")));
  EXPECT_TRUE(poll_until(kLimit, [&] { return node_of(lab, "later").ends_with(" Running"); })) << node_of(lab, "later");
  EXPECT_FALSE(node_of(lab, "later").starts_with("node-5"));
  EXPECT_TRUE(all_reach(lab, 5));

  // Killed: what is in its kernel goes on, and its pods are reached.
  ASSERT_EQ(lab.run({"node", "kill", "node-4"}).exit_status, 0);
  EXPECT_EQ(lab.run({"status"}).exit_status, 3);
  EXPECT_TRUE(all_reach(lab, 5)) << show(lab.matrix());
  ASSERT_EQ(lab.run({"node", "start", "node-4"}).exit_status, 0);
  EXPECT_TRUE(lab.becomes_well());

  // Cut off, a node where none of those who talk are: nobody else notices, and it comes back.
  ASSERT_EQ(lab.run({"node", "partition", "node-5"}).exit_status, 0);
  EXPECT_TRUE(all_reach(lab, 5));
  ASSERT_EQ(lab.run({"node", "heal", "node-5"}).exit_status, 0);
  EXPECT_TRUE(lab.becomes_well());
  EXPECT_EQ(traffic.lost(), 0U) << "of " << traffic.sent();
  EXPECT_GT(traffic.sent(), 100U);
}

}  // namespace
}  // namespace margay::test
