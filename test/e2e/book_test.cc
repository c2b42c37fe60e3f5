// What books about Kubernetes networking show their readers: BGP peers for all nodes and for one, a pool whose packets
// are wrapped between subnets, policies between tiers. Packets are held against what policy calculates.
#include <algorithm>

#include "base/core/text.h"
#include "gtest/gtest.h"
#include "test/e2e/lab.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

constexpr seconds kEnough{60};

class Book : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = missing_for_labs(); !missing.empty()) GTEST_SKIP() << missing;
  }
  static bool all_open(const Lab& lab, std::size_t cells) {
    return poll_until(kEnough, [&] {
      const std::set<std::string> got = lab.matrix();
      return got.size() == cells && show(got).find("deny") == std::string::npos;
    });
  }
  static std::size_t blocks_of_router(const Lab& lab) {
    const std::string routes = lab.run({"exec", "node/router", "--", "ip", "route"}).out;
    std::size_t count = 0;
    for (const std::string_view line : split(routes, '\n')) count += line.starts_with("10.244.") ? 1U : 0U;
    return count;
  }
  // Sessions of a node, as `lab status` shows them: "4/4".
  static std::string sessions_of(const Lab& lab, const std::string& node) {
    const std::string status = lab.run({"status"}).out;
    for (const std::string_view line : split(status, '\n')) {
      if (!line.starts_with(node + " ")) continue;
      for (const std::string_view word : split(line, ' ')) {
        if (word.find('/') != std::string_view::npos) return std::string(word);
      }
    }
    return {};
  }
  static bool has_sessions(const Lab& lab, const std::string& node, const std::string& wanted) {
    return poll_until(kEnough, [&] { return sessions_of(lab, node) == wanted; });
  }
};

TEST_F(Book, PeersForAllNodesAndForOne) {
  const Lab lab("peers");
  ASSERT_TRUE(lab.up("full-mesh.yaml"));
  ASSERT_TRUE(lab.apply_example("three-tier/1-pods.yaml"));
  ASSERT_TRUE(all_open(lab, 12));

  // The lab's own peers give way to those of the book.
  ASSERT_TRUE(
      lab.apply("apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: for-all}\n"
                "spec: {peerIP: 172.31.1.1, asNumber: 64512}\n"));
  ASSERT_EQ(lab.netctl({"delete", "bgppeer", "router-rack-a", "router-rack-b"}).exit_status, 0);
  EXPECT_TRUE(lab.becomes_well());
  EXPECT_TRUE(has_sessions(lab, "node-4", "4/4")) << sessions_of(lab, "node-4");
  EXPECT_TRUE(poll_until(kEnough, [&] { return blocks_of_router(lab) == 4; })) << blocks_of_router(lab);

  ASSERT_EQ(lab.netctl({"delete", "bgppeer", "for-all"}).exit_status, 0);
  ASSERT_TRUE(
      lab.apply("apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: for-node-3}\n"
                "spec: {node: node-3, peerIP: 172.31.2.1, asNumber: 64512}\n"));
  EXPECT_TRUE(has_sessions(lab, "node-3", "4/4")) << sessions_of(lab, "node-3");
  EXPECT_TRUE(has_sessions(lab, "node-4", "3/3")) << sessions_of(lab, "node-4");
  EXPECT_TRUE(poll_until(kEnough, [&] { return blocks_of_router(lab) == 1; })) << "a node offers its own routes";
}

TEST_F(Book, APoolIsWrappedBetweenSubnets) {
  const Lab lab("pool");
  const TempDir folder;
  // The router between the subnets knows no pods: between them nothing passes at first.
  write_text(folder.file("lab.yaml"),
             "subnets:\n- {name: a, prefixes: [172.31.1.0/24], nodes: [node-1, node-2]}\n"
             "- {name: b, prefixes: [172.31.2.0/24], nodes: [node-3, node-4]}\nrouter: {bgp: false}\n");
  ASSERT_TRUE(lab.up_from(folder.file("lab.yaml")));
  ASSERT_TRUE(lab.apply_example("three-tier/1-pods.yaml"));
  EXPECT_TRUE(poll_until(kEnough, [&] {
    const std::string got = show(lab.matrix());
    return static_cast<std::size_t>(std::count(got.begin(), got.end(), '\n')) == 12 &&
           got.find("allow") != std::string::npos && got.find("deny") != std::string::npos;
  })) << show(lab.matrix());
  ASSERT_TRUE(
      lab.apply("apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: pods-ipv4}\n"
                "spec: {cidr: 10.244.0.0/16, ipipMode: CrossSubnet, vxlanMode: Never, natOutgoing: true}\n"));
  EXPECT_TRUE(all_open(lab, 12)) << show(lab.matrix());
}

// One after the other, on the same pods.
TEST_F(Book, PoliciesBetweenTiers) {
  const Lab lab("policies");
  ASSERT_TRUE(lab.up("full-mesh.yaml"));
  std::string pods;
  for (const char* role : {"web", "backend", "db", "client"}) {
    pods += concat("---\napiVersion: v1\nkind: Pod\nmetadata: {name: ", role,
                   ", namespace: default, labels: {app: shop, role: ", role,
                   "}}\nspec: {containers: [{name: c, image: x, ports: [{containerPort: 80}, {containerPort: 53, "
                   "protocol: UDP}]}]}\n");
  }
  ASSERT_TRUE(lab.apply(pods));
  ASSERT_TRUE(all_open(lab, 24)) << show(lab.matrix());
  const auto kind = [](const std::string& name, const std::string& role, const std::string& rest) {
    return concat("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ", name,
                  ", namespace: default}\nspec:\n  podSelector: ",
                  role.empty() ? "{}" : concat("{matchLabels: {app: shop, role: ", role, "}}"), "\n", rest);
  };
  const std::string from_web = "from: [{podSelector: {matchLabels: {app: shop, role: web}}}]";
  const struct {
    std::string policy;
    std::vector<std::string> then;  // some cells, besides all being as calculated
  } steps[] = {
      {kind("backend", "backend", concat("  ingress: [{", from_web, "}]\n")),
       {"default/web default/backend TCP/80 allow", "default/client default/backend TCP/80 deny"}},
      {kind("web-egress", "web", "  policyTypes: [Egress]\n  egress: [{ports: [{port: 53, protocol: UDP}]}]\n"),
       {"default/web default/backend UDP/53 allow", "default/web default/backend TCP/80 deny"}},
      {kind("db", "db", "  ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/16}}], ports: [{port: 80}]}]\n"),
       {"default/client default/db TCP/80 allow", "default/client default/db UDP/53 deny"}},
      {kind("nobody", "", "  policyTypes: [Ingress, Egress]\n"),
       {"default/client default/web TCP/80 deny", "default/db default/client UDP/53 deny"}},
      {concat("apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: first}\n",
              "spec: {order: 1, selector: app == 'shop', types: [Ingress, Egress], ",
              "ingress: [{action: Allow}], egress: [{action: Allow}]}\n"),
       {"default/client default/web TCP/80 allow", "default/db default/client UDP/53 allow"}},
  };
  for (const auto& step : steps) {
    ASSERT_TRUE(lab.apply(step.policy));
    std::set<std::string> packets;
    std::set<std::string> policy;
    EXPECT_TRUE(poll_until(kEnough,
                           [&] {
                             packets = lab.matrix();
                             policy = lab.calculated();
                             return packets.size() == 24 &&
                                    std::includes(policy.begin(), policy.end(), packets.begin(), packets.end()) &&
                                    std::all_of(step.then.begin(), step.then.end(),
                                                [&](const std::string& cell) { return packets.contains(cell); });
                           }))
        << step.policy << show(packets) << "calculated:\n"
        << show(policy);
  }
}

}  // namespace
}  // namespace margay::test
