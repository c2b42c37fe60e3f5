// Each topology that docs/examples/lab shows, brought up as a user would; who must reach whom is asked with packets.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/core/text.h"
#include "ctl/lab/topology.h"
#include "gtest/gtest.h"
#include "test/e2e/lab.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

constexpr seconds kConverged{60};
constexpr const char* kPods = "three-tier/1-pods.yaml";

// Everybody to everybody, on the port that each declares.
std::set<std::string> everybody() {
  const std::pair<const char*, int> pods[] = {
      {"other/stranger", 80}, {"shop/backend", 8080}, {"shop/db", 5432}, {"shop/web", 80}};
  std::set<std::string> out;
  for (const auto& [from, unused] : pods) {
    for (const auto& [to, port] : pods) {
      if (std::string_view(from) != to) out.insert(concat(from, " ", to, " TCP/", port, " allow"));
    }
  }
  return out;
}

// The three tiers' policy: the shop's pods take only what is named; nobody guards the stranger.
std::set<std::string> three_tiers() {
  std::set<std::string> out;
  for (std::string line : everybody()) {
    const bool is_open = line.find(" other/stranger ") != std::string::npos ||
                         line.find(" shop/web ") != std::string::npos || line.starts_with("shop/web shop/backend") ||
                         line.starts_with("shop/backend shop/db");
    if (!is_open) line.replace(line.rfind(' ') + 1, std::string::npos, "deny");
    out.insert(std::move(line));
  }
  return out;
}

void expect_reached(const Lab& lab, const std::set<std::string>& wanted) {
  std::set<std::string> got;
  EXPECT_TRUE(poll_until(kConverged,
                         [&] {
                           got = lab.matrix();
                           return got == wanted;
                         }))
      << "packets:\n"
      << show(got) << "wanted:\n"
      << show(wanted);
}

std::vector<std::string> nodes_of(const std::string& file) {
  std::vector<std::string> out;
  const auto topology = lab::parse_topology(read_text(file), file);
  EXPECT_TRUE(topology.ok()) << topology.error().message;
  if (!topology.ok()) return out;
  for (const lab::LabNode& node : topology->nodes) out.push_back(node.name);
  return out;
}

class Topologies : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = missing_for_labs(); !missing.empty()) GTEST_SKIP() << missing;
  }
  // Comes up, all sessions too, all routes are where they should be, all pods reach each other.
  static void expect_whole(const Lab& lab, const std::string& file) {
    ASSERT_TRUE(lab.up_from(file));
    ASSERT_TRUE(lab.apply_example(kPods));
    expect_reached(lab, everybody());
    EXPECT_TRUE(lab.becomes_well());
    EXPECT_TRUE(lab.routes_spread(nodes_of(file), 3));
  }
  static std::string example(const std::string& name) { return source_path("docs/examples/lab/" + name); }
  // What the router in the middle has learnt of pods.
  static bool knows_pods(const Lab& lab) {
    return lab.run({"exec", "node/router", "--", "ip", "route"}).out.find("10.244.") != std::string::npos;
  }
  // That brand in place of margay-bgpd.
  static std::string with_routers(const std::string& name, const std::string& kind) {
    std::string text = read_text(example(name));
    const std::string ours = "kind: margay-bgpd";
    for (std::size_t at = text.find(ours); at != std::string::npos; at = text.find(ours, at + 1)) {
      text.replace(at, ours.size(), "kind: " + kind);
    }
    return text;
  }
};

TEST_F(Topologies, FullMesh) {
  const Lab lab("mesh");
  expect_whole(lab, example("full-mesh.yaml"));
  EXPECT_TRUE(knows_pods(lab));
}

// Nodes offer an eBGP peer what they know of others too, as Calico's do; the lab's filter keeps packets from circling.
TEST_F(Topologies, FullMeshAndARouterOfAnotherAs) {
  const Lab lab("ebgp");
  const TempDir folder;
  std::string text = read_text(example("full-mesh.yaml"));
  text.replace(text.find("asNumber: 64512"), 15, "asNumber: 65000");
  write_text(folder.file("lab.yaml"), text);
  expect_whole(lab, folder.file("lab.yaml"));
  EXPECT_TRUE(knows_pods(lab));
}

TEST_F(Topologies, OneReflector) {
  const Lab lab("rr1");
  expect_whole(lab, example("one-reflector.yaml"));
}

TEST_F(Topologies, TwoReflectors) {
  const Lab lab("rr2");
  expect_whole(lab, example("two-reflectors.yaml"));
}

TEST_F(Topologies, ARouterPerRack) {
  const Lab lab("racks");
  expect_whole(lab, example("tor-per-rack.yaml"));
  EXPECT_TRUE(knows_pods(lab));
}

TEST_F(Topologies, IpInIpAcrossSubnets) {
  const Lab lab("ipip");
  expect_whole(lab, example("ipip-cross-subnet.yaml"));
  EXPECT_FALSE(knows_pods(lab)) << "packets between the racks pass it inside of others";
}

TEST_F(Topologies, VxlanWithoutBgp) {
  const Lab lab("vxlan");
  expect_whole(lab, example("vxlan-without-bgp.yaml"));
  EXPECT_FALSE(knows_pods(lab));
  EXPECT_EQ(lab.run({"exec", "node/node-1", "--", "ss", "-Hltn", "sport", "=", ":179"}).out, "");
}

TEST_F(Topologies, DualStack) {
  const Lab lab("dual");
  expect_whole(lab, example("dual-stack.yaml"));
  EXPECT_EQ(lab.addresses("shop", "web").size(), 2U) << "the matrix asks over both";
}

TEST_F(Topologies, ThreeTiers) {
  const Lab lab("tiers");
  ASSERT_TRUE(lab.up("three-tier.yaml"));
  expect_reached(lab, three_tiers());
  EXPECT_TRUE(lab.is_as_calculated());
}

TEST_F(Topologies, TwoLabsAtOnceOneOnEtcd) {
  const Lab one("one");
  const Lab two("two");
  ASSERT_TRUE(one.up("full-mesh.yaml"));
  if (run_program({.argv = {"which", "etcd"}, .environment = {}, .stdin_text = "", .output_path = ""}).exit_status != 0)
    GTEST_SKIP() << "etcd is not installed";
  ASSERT_TRUE(two.up("full-mesh.yaml", {"--apiserver", "etcd"}));
  ASSERT_TRUE(two.apply_example(kPods));
  expect_reached(two, everybody());
  EXPECT_TRUE(one.matrix().empty()) << "pods of another lab";
  EXPECT_TRUE(one.becomes_well());
}

TEST_F(Topologies, AMissingProgramIsNamedWithItsPackage) {
  const Lab lab("missing");
  const TempDir folder;
  write_text(folder.file("lab.yaml"), with_routers("full-mesh.yaml", "bird"));
  const char* script =
      "for f in /usr/sbin/bird /usr/bin/bird; do [ ! -e $f ] || mount --bind /dev/null $f; done; exec \"$@\"";
  const ProgramResult up = run_program({.argv = {"unshare", "-m", "sh", "-c", script, "sh", program_path("netctl"),
                                                 "lab", "up", "-f", folder.file("lab.yaml"), "--name", lab.name()},
                                        .environment = {},
                                        .stdin_text = "",
                                        .output_path = ""});
  EXPECT_EQ(up.exit_status, 4) << up.err;
  EXPECT_NE(up.err.find("bird2"), std::string::npos) << up.err;
}

// Racks with routers of one brand, also in the middle; then an agent is restarted under traffic: its routes must stay.
class Brands : public Topologies, public testing::WithParamInterface<const char*> {
 protected:
  static bool has_programs(const std::string& kind) {
    const std::string program = kind == "bird"  ? "/usr/sbin/bird"
                                : kind == "frr" ? "/usr/lib/frr/bgpd"
                                                : "/usr/bin/gobgpd";
    return access(program.c_str(), X_OK) == 0;
  }
};

TEST_P(Brands, AreRoutersOfRacks) {
  const std::string kind = GetParam();
  if (!has_programs(kind)) GTEST_SKIP() << kind << " is not installed";
  const Lab lab(kind);
  const TempDir folder;
  const std::string file = folder.file("lab.yaml");
  write_text(file, with_routers("tor-per-rack.yaml", kind));
  expect_whole(lab, file);
  if (HasFailure()) return;

  Traffic traffic(lab, lab.pod_on("node-1"), lab.pod_on("node-4"));
  for (const char* node : {"node-1", "node-4"}) {
    ASSERT_EQ(lab.run({"node", "stop", node}).exit_status, 0);
    ASSERT_EQ(lab.run({"node", "start", node}).exit_status, 0);
    ASSERT_TRUE(lab.becomes_well());
  }
  EXPECT_EQ(traffic.lost(), 0U) << "of " << traffic.sent();
  EXPECT_GT(traffic.sent(), 100U);
}

TEST_P(Brands, AreTheRouterOfEveryTopology) {
  if (std::getenv("MARGAY_E2E_WHOLE") == nullptr) GTEST_SKIP() << "MARGAY_E2E_WHOLE is not set";
  const std::string kind = GetParam();
  if (!has_programs(kind)) GTEST_SKIP() << kind << " is not installed";
  for (const char* name : {"full-mesh.yaml", "one-reflector.yaml", "two-reflectors.yaml", "dual-stack.yaml"}) {
    const Lab lab(kind);
    const TempDir folder;
    std::string text = with_routers(name, kind);
    if (text.find("router: {") == std::string::npos) text += concat("router: {kind: ", kind, "}\n");
    write_text(folder.file("lab.yaml"), text);
    expect_whole(lab, folder.file("lab.yaml"));
    EXPECT_FALSE(HasFailure()) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Brands, testing::Values("bird", "frr", "gobgp"),
                         [](const auto& which) { return std::string(which.param); });

}  // namespace
}  // namespace margay::test
