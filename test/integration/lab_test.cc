// netctl lab as a user meets it: real programs, real packets. Needs root; what is missing is said and it is skipped.
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/core/text.h"
#include "base/json/value.h"
#include "ctl/lab/net_space.h"
#include "ctl/lab/paths.h"
#include "gtest/gtest.h"
#include "test/support/process.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

constexpr seconds kDeadline{30};

ProgramResult netctl(std::vector<std::string> words) {
  words.insert(words.begin(), program_path("netctl"));
  return run_program({.argv = words, .environment = {{"NO_COLOR", "1"}}, .stdin_text = "", .output_path = ""});
}

class LabTest : public testing::Test {
 protected:
  static std::vector<std::string> with_name(std::vector<std::string> words) {
    words.insert(words.begin(), "lab");
    words.insert(words.end(), {"--name", name()});
    return words;
  }
  static std::string name() { return concat("test-", getpid()); }
  static ProgramResult lab(const std::vector<std::string>& words) { return netctl(with_name(words)); }

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "network namespaces need root";
    const std::string space = concat("margay-probe-", getpid());
    const Status made = lab::create_space(space);
    (void)lab::remove_space(space);
    if (!made.ok()) GTEST_SKIP() << "no network namespace can be made: " << made.error().message;
  }
  void TearDown() override {
    if (HasFailure()) {
      const std::string folder = lab::Paths(name()).folder();
      const ProgramResult logs = run_program({.argv = {"sh", "-c", concat("tail -n 30 ", folder, "/logs/*")},
                                              .environment = {},
                                              .stdin_text = "",
                                              .output_path = ""});
      std::fprintf(stderr, "%s\n", logs.out.c_str());
    }
    (void)lab({"down"});
  }

  // "from to protocol/port verdict" of every cell.
  static std::set<std::string> cells(const std::string& text) {
    std::set<std::string> out;
    const auto parsed = json::parse(text);
    if (!parsed.ok() || parsed->as_array() == nullptr) return out;
    for (const json::Value& cell : *parsed->as_array()) {
      out.insert(concat(cell.string_at({"from"}), " ", cell.string_at({"to"}), " ", cell.string_at({"protocol"}), "/",
                        json::dump(*cell.find("port")), " ", cell.string_at({"verdict"})));
    }
    return out;
  }
  static std::set<std::string> matrix() { return cells(lab({"matrix", "-o", "json"}).out); }
  static std::set<std::string> calculated() {
    const std::string kubeconfig = lab::Paths(name()).kubeconfig();
    return cells(netctl({"policy", "eval", "--matrix", "-o", "json", "--kubeconfig", kubeconfig}).out);
  }
  // Policy alone answers for more ports than the pods serve.
  static bool is_calculated(const std::set<std::string>& packets) {
    const std::set<std::string> policy = calculated();
    return std::includes(policy.begin(), policy.end(), packets.begin(), packets.end());
  }
  static std::string show(const std::set<std::string>& lines) {
    std::string out;
    for (const std::string& line : lines) out += line + "\n";
    return out;
  }
  static ProgramResult with_kubeconfig(std::vector<std::string> words) {
    words.insert(words.end(), {"--kubeconfig", lab::Paths(name()).kubeconfig()});
    return netctl(std::move(words));
  }
  // What nodes say of themselves, asked in each way there is.
  static void expect_nodes_tell() {
    const ProgramResult all = with_kubeconfig({"node", "status", "-o", "json"});
    EXPECT_EQ(all.exit_status, 0) << all.out << all.err;
    const auto parsed = json::parse(all.out);
    ASSERT_TRUE(parsed.ok()) << all.out;
    const json::Array& nodes = *parsed->find("nodes")->as_array();
    EXPECT_EQ(nodes.size(), 4U);
    for (const json::Value& node : nodes) {
      EXPECT_EQ(*node.find("healthy"), json::Value(true)) << all.out;
      for (const json::Value& peer : *node.find("peers")->as_array()) {
        EXPECT_NE(peer.find("asNumber"), nullptr) << all.out;
        EXPECT_NE(peer.find("prefixesReceived"), nullptr) << all.out;
      }
    }
    EXPECT_EQ(with_kubeconfig({"get", "caliconodestatuses", "-o", "name"}).out, "") << "they are removed again";
    const std::string socket = lab::Paths(name()).node_socket("node-1");
    const ProgramResult one = netctl({"node", "status", "--socket", socket});
    EXPECT_EQ(one.exit_status, 0) << one.out << one.err;
    EXPECT_NE(one.out.find("node-to-node mesh"), std::string::npos) << one.out;
    expect_routes(socket);
    const TempDir folder;
    const std::string archive = folder.file("bundle.tar.gz");
    const ProgramResult bundle =
        with_kubeconfig({"support-bundle", "--socket", socket, "--no-logs", "--output-file", archive});
    EXPECT_EQ(bundle.exit_status, 0) << bundle.err;
    const ProgramResult listed =
        run_program({.argv = {"tar", "-tzf", archive}, .environment = {}, .stdin_text = "", .output_path = ""});
    for (const char* part : {"/nodes.json", "/agent/routes.json", "/cluster/pods.json", "/manifest.json"}) {
      EXPECT_NE(listed.out.find(part), std::string::npos) << listed.out << listed.err;
    }
  }
  static void expect_routes(const std::string& socket) {
    EXPECT_EQ(netctl({"bgp", "peers", "--socket", socket}).exit_status, 0);
    const ProgramResult routes = netctl({"bgp", "routes", "-o", "json", "--socket", socket});
    ASSERT_EQ(routes.exit_status, 0) << routes.err;
    std::string learnt, peer;
    const auto parsed = json::parse(routes.out);
    for (const json::Value& route : *parsed->find("routes")->as_array()) {
      if (route.string_at({"peer"}).empty()) continue;
      learnt = route.string_at({"prefix"});
      peer = route.string_at({"peer"});
    }
    ASSERT_FALSE(learnt.empty()) << routes.out;
    EXPECT_EQ(netctl({"bgp", "routes", learnt, "--socket", socket}).exit_status, 0);
    const std::string address = learnt.substr(0, learnt.find('/'));
    EXPECT_NE(netctl({"bgp", "routes", address, "--socket", socket}).out.find(learnt), std::string::npos);
    EXPECT_NE(netctl({"bgp", "routes", "--peer", peer, "--received", "--socket", socket}).out.find(learnt),
              std::string::npos);
    EXPECT_EQ(netctl({"bgp", "routes", "--peer", peer, "--advertised", "--socket", socket}).exit_status, 0);
    EXPECT_EQ(netctl({"bgp", "routes", "--peer", "192.0.2.250", "--received", "--socket", socket}).exit_status, 4);
    EXPECT_NE(netctl({"bgp", "neighbor", peer, "--socket", socket}).out.find("state: Established"), std::string::npos);
    EXPECT_EQ(netctl({"bgp", "neighbor", "192.0.2.250", "--socket", socket}).exit_status, 4);
  }
  static ProgramResult apply(const std::string& example) {
    return lab({"apply", "-f", source_path("docs/examples/three-tier/" + example)});
  }
};

TEST_F(LabTest, UpPodsPolicyACrashAndDown) {
  const ProgramResult up = lab({"up", "-f", source_path("docs/examples/lab/full-mesh.yaml")});
  ASSERT_EQ(up.exit_status, 0) << up.err;
  const ProgramResult again = lab({"up"});
  EXPECT_EQ(again.exit_status, 1);
  EXPECT_NE(again.err.find("there is a lab"), std::string::npos) << again.err;

  ASSERT_EQ(apply("1-pods.yaml").exit_status, 0);
  std::set<std::string> open;
  EXPECT_TRUE(poll_until(kDeadline, [&] {
    open = matrix();
    return open.size() == 12 && show(open).find("deny") == std::string::npos;
  })) << show(open);

  const ProgramResult policy = apply("2-policy.yaml");
  ASSERT_EQ(policy.exit_status, 0) << policy.err;
  std::set<std::string> got;
  EXPECT_TRUE(poll_until(kDeadline,
                         [&] {
                           got = matrix();
                           return is_calculated(got) && got.contains("other/stranger shop/db TCP/5432 deny");
                         }))
      << show(got) << "calculated:\n"
      << show(calculated());
  EXPECT_TRUE(got.contains("shop/backend shop/db TCP/5432 allow")) << show(got);

  const ProgramResult connected = lab({"connect", "shop/backend", "shop/db"});
  EXPECT_EQ(connected.exit_status, 0) << connected.err;
  EXPECT_NE(connected.out.find("it says: shop/db on node-"), std::string::npos) << connected.out;
  const ProgramResult refused = lab({"connect", "shop/web", "shop/db:5432"});
  EXPECT_EQ(refused.exit_status, 1) << refused.out;

  EXPECT_TRUE(poll_until(kDeadline, [] { return lab({"status"}).exit_status == 0; })) << lab({"status"}).out;
  expect_nodes_tell();
  EXPECT_EQ(lab({"node", "kill", "node-1"}).exit_status, 0);
  EXPECT_EQ(lab({"status"}).exit_status, 3);
  const ProgramResult killed = with_kubeconfig({"node", "status", "node-1", "--wait", "1s"});
  EXPECT_EQ(killed.exit_status, 3);
  EXPECT_NE(killed.err.find("node-1: no answer within 1s"), std::string::npos) << killed.err;
  EXPECT_EQ(matrix(), got) << "what is in the kernel stays";
  EXPECT_EQ(lab({"node", "start", "node-1"}).exit_status, 0);
  EXPECT_TRUE(poll_until(kDeadline, [] { return lab({"status"}).exit_status == 0; })) << lab({"status"}).out;

  const lab::Paths paths(name());
  EXPECT_EQ(lab({"exec", "shop/web", "--", "false"}).exit_status, 1);
  ASSERT_TRUE(lab::has_space(paths.space_of_pod("shop", "web")));
  EXPECT_EQ(netctl({"delete", "pod", "web", "-n", "shop", "--kubeconfig", paths.kubeconfig()}).exit_status, 0);
  EXPECT_TRUE(poll_until(kDeadline, [&] { return !lab::has_space(paths.space_of_pod("shop", "web")); }));

  const ProgramResult down = lab({"down"});
  EXPECT_EQ(down.exit_status, 0) << down.err;
  EXPECT_TRUE(lab::spaces_with(paths.space_prefix()).empty());
  EXPECT_EQ(access(paths.folder().c_str(), F_OK), -1);
  EXPECT_EQ(lab({"down"}).exit_status, 4) << "there is none any more";
}

TEST_F(LabTest, WrongInputLeavesNothing) {
  const TempDir folder;
  write_text(folder.file("lab.yaml"), "subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a, a]}\n");
  const ProgramResult twice = lab({"up", "-f", folder.file("lab.yaml")});
  EXPECT_EQ(twice.exit_status, 1);
  EXPECT_NE(twice.err.find("lab.yaml:2:"), std::string::npos) << twice.err;
  write_text(folder.file("lab.yaml"),
             "subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a]}\n"
             "objects:\n- {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: p}, spec: {cidr: 3}}\n");
  const ProgramResult broken = lab({"up", "-f", folder.file("lab.yaml")});
  EXPECT_EQ(broken.exit_status, 1);
  EXPECT_NE(broken.err.find("spec.cidr"), std::string::npos) << broken.err;
  EXPECT_TRUE(lab::spaces_with(lab::Paths(name()).space_prefix()).empty()) << "what was begun is taken down";
  EXPECT_EQ(netctl({"lab", "up", "--name", "A/B"}).exit_status, 2);
  EXPECT_EQ(lab({"status"}).exit_status, 4);
}

}  // namespace
}  // namespace margay::test
