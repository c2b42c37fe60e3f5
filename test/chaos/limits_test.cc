// What an agent does with what is too much, cannot be expressed or is not there: it says so, and fails closed. On the
// real kernel; needs root. MARGAY_LIMIT_MEMBERS: how large the large set is (30,000 without it).
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/ip/prefix.h"
#include "gtest/gtest.h"
#include "test/support/one_node.h"
#include "test/support/packet_prober.h"
#include "test/support/sample_objects.h"
#include "test/support/sync_client.h"

namespace margay::test {
namespace {

using json::Array;
using json::Object;

IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }

class Limits : public testing::Test {
 protected:
  // With a pod that is open to all.
  bool start(const OneNodeOptions& options = {}) {
    node_ = OneNode::start(options, &why_);
    if (node_ == nullptr) return false;
    put_namespace(objects_, "default");
    put_pod(objects_, {.name = "a", .node = OneNode::kName, .labels = {{"app", "a"}}, .address = kPod});
    pod_ = &node_->pod("default", "a", {kPod});
    node_->add_outside({ip("203.0.113.1"), ip("11.0.0.0")});
    return true;
  }
  void TearDown() override {
    if (HasFailure() && node_ != nullptr) std::fprintf(stderr, "%s\n", node_->logs().c_str());
  }
  void run_agent() {
    bring();
    node_->start_agent();
    ASSERT_EQ(node_->wait_for_kernel(std::chrono::seconds(200)), "");
  }
  void bring() {
    for (const std::string& line : node_->bring_to(objects_)) ADD_FAILURE() << line;
  }
  // A new connection from outside.
  bool passes(const std::string& from) {
    PacketProber prober(node_->node());
    const std::vector<ProbeQuestion> questions = {{.from = &node_->outside(),
                                                   .to = pod_,
                                                   .source = ip(from),
                                                   .destination = kPod,
                                                   .protocol = ProbeProtocol::kTcp,
                                                   .destination_port = 8080}};
    return prober.ask(questions).front() == ProbeAnswer::kAnswered;
  }

  // "VmHWM: 12345 kB": the agent's, at most.
  std::string memory() {
    const std::string status = read_text(concat("/proc/", node_->agent()->pid(), "/status"));
    const std::size_t begin = status.find("VmHWM:");
    return begin == std::string::npos ? "" : status.substr(begin, status.find('\n', begin) - begin);
  }
  static std::uint32_t number_from(const char* variable, std::uint32_t otherwise) {
    const char* given = std::getenv(variable);
    return given == nullptr ? otherwise : parse_number<std::uint32_t>(given).value_or(otherwise);
  }

  const IpAddress kPod = IpAddress::parse("10.77.0.1").value();
  std::string why_;
  ObjectMap objects_;
  std::unique_ptr<OneNode> node_;
  const NetSpace* pod_ = nullptr;
};

TEST_F(Limits, ALargeSetDeniesItsMembersAndNobodyElse) {
  if (!start()) GTEST_SKIP() << why_;
  const std::uint32_t members = number_from("MARGAY_LIMIT_MEMBERS", 30'000);
  constexpr std::uint32_t kInOne = 10'000;  // an object has to fit into a request
  for (std::uint32_t first = 0; first < members; first += kInOne) {
    Array nets;
    for (std::uint32_t i = first; i < std::min(members, first + kInOne); ++i) {
      nets.emplace_back(IpPrefix::host(IpAddress::v4(0x0b000000U + i)).to_string());
    }
    put_network_set(objects_, concat("large-", first / kInOne), {{"large", "yes"}}, std::move(nets));
  }
  put_policy(objects_, "", "large",
             {{"selector", "app == 'a'"},
              {"ingress", Array{policy_rule("Deny", "", "large == 'yes'"), policy_rule("Allow", "", "")}},
              {"types", Array{"Ingress"}}});
  run_agent();
  if (HasFailure()) return;
  EXPECT_FALSE(passes("11.0.0.0")) << "a member";
  EXPECT_TRUE(passes("203.0.113.1")) << "no member";
  std::printf("%u members: %s\n", members, memory().c_str());
}

TEST_F(Limits, ARuleThatCannotBeExpressedAllowsNothingAndIsNamed) {
  if (!start()) GTEST_SKIP() << why_;
  put_policy(objects_, "", "web",
             {{"selector", "app == 'a'"},
              {"ingress",
               Array{Object{{"action", "Allow"}, {"protocol", "TCP"}, {"http", Object{{"methods", Array{"GET"}}}}}}},
              {"types", Array{"Ingress"}}});
  run_agent();
  if (HasFailure()) return;
  EXPECT_FALSE(passes("203.0.113.1"));
  const std::string problems = json::dump(node_->ask("/problems"));
  EXPECT_NE(problems.find("web"), std::string::npos) << problems;
  EXPECT_NE(problems.find("http"), std::string::npos) << problems;
  objects_.erase({model::Kind::kGlobalNetworkPolicy, "", "web"});
  bring();
  ASSERT_EQ(node_->wait_for_kernel(), "");
  EXPECT_TRUE(passes("203.0.113.1"));
  EXPECT_EQ(json::dump(node_->ask("/problems")).find("web"), std::string::npos);
}

// Appendix C of calico.md, 5, beside the large set: MARGAY_LIMIT_SERVICES of them (1,000 without it), each with a
// slice.
TEST_F(Limits, ManyServicesCostNobodyHisPolicy) {
  if (!start()) GTEST_SKIP() << why_;
  const std::uint32_t services = number_from("MARGAY_LIMIT_SERVICES", 1'000);
  for (std::uint32_t i = 0; i < services; ++i) {
    const std::string name = concat("service-", i);
    const std::string address = IpAddress::v4(0x0a600001U + i).to_string();
    objects_[{model::Kind::kService, "default", name}] =
        Object{{"apiVersion", "v1"},
               {"kind", "Service"},
               {"metadata", Object{{"name", name}, {"namespace", "default"}}},
               {"spec", Object{{"clusterIP", address},
                               {"clusterIPs", Array{address}},
                               {"ports", Array{Object{{"port", 80}, {"protocol", "TCP"}}}}}}};
    objects_[{model::Kind::kEndpointSlice, "default", name}] = Object{
        {"apiVersion", "discovery.k8s.io/v1"},
        {"kind", "EndpointSlice"},
        {"metadata",
         Object{{"name", name}, {"namespace", "default"}, {"labels", Object{{"kubernetes.io/service-name", name}}}}},
        {"addressType", "IPv4"},
        {"endpoints", Array{Object{{"addresses", Array{kPod.to_string()}}}}},
        {"ports", Array{Object{{"port", 8080}, {"protocol", "TCP"}}}}};
  }
  put_policy(objects_, "", "closed", {{"selector", "app == 'a'"}, {"types", Array{"Ingress"}}});
  run_agent();
  if (HasFailure()) return;
  EXPECT_FALSE(passes("203.0.113.1"));
  std::printf("%u services: %s\n", services, memory().c_str());
}

// With exactly the rights of manifests/source/node.yaml, CAP_SYS_RESOURCE not among them, and small limits.
TEST_F(Limits, TheRightsOfTheManifestAreEnough) {
  OneNodeOptions options;
  options.agent_wrapper = {"prlimit",
                           "--memlock=65536",
                           "--nofile=1024",
                           "--",
                           "setpriv",
                           "--inh-caps=-all",
                           "--bounding-set=-all,+net_admin,+net_raw,+net_bind_service,+sys_admin",
                           "--"};
  if (!start(options)) GTEST_SKIP() << why_;
  for (const char* program : {"prlimit", "setpriv"}) {
    const ProgramResult found = node_->node().run({"which", program});
    if (found.exit_status != 0) GTEST_SKIP() << program << " is not installed";
  }
  put_policy(objects_, "", "some",
             {{"selector", "app == 'a'"},
              {"ingress", Array{policy_rule("Deny", "", "has(bad)"), policy_rule("Allow", "TCP", "", 8080)}},
              {"types", Array{"Ingress"}}});
  put_network_set(objects_, "bad", {{"bad", "yes"}}, Array{"11.0.0.0/32"});
  run_agent();
  if (HasFailure()) return;
  const std::string status = read_text(concat("/proc/", node_->agent()->pid(), "/status"));
  EXPECT_NE(status.find("CapEff:\t0000000000203400"), std::string::npos) << status;
  EXPECT_TRUE(passes("203.0.113.1"));
  EXPECT_FALSE(passes("11.0.0.0"));
}

// A folder with some of the machine's programs.
std::string folder_of_programs(const TempDir& dir, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    for (const char* place : {"/usr/sbin/", "/sbin/"}) {
      const std::string target = place + name;
      if (access(target.c_str(), X_OK) == 0 && symlink(target.c_str(), dir.file(name).c_str()) == 0) break;
    }
  }
  return dir.path();
}

const std::vector<std::string> kNftPrograms = {"iptables-nft-save",  "iptables-nft-restore",  "iptables-nft",
                                               "ip6tables-nft-save", "ip6tables-nft-restore", "ip6tables-nft"};

// In place of that program; "$input" is what it is to do.
void replace_program(const TempDir& dir, const std::string& name, const std::string& script) {
  (void)unlink(dir.file(name).c_str());
  write_text(dir.file(name), concat("#!/bin/sh\ninput=$(/bin/cat; echo .)\n", script,
                                    "\nprintf %s \"${input%.}\" | exec /usr/sbin/", name, " \"$@\"\n"));
  ASSERT_EQ(chmod(dir.file(name).c_str(), 0755), 0);
}

TEST_F(Limits, WhatTheKernelLacksIsSaidOnTheNodeAndTheRestWorks) {
  const TempDir dir;
  OneNodeOptions options;
  options.agent_environment["PATH"] = folder_of_programs(dir, kNftPrograms);
  replace_program(dir, "iptables-nft-restore",
                  "case \"$input\" in *'-m rpfilter'*) echo \"Couldn't load match 'rpfilter'\" >&2; exit 2;; esac");
  if (!start(options)) GTEST_SKIP() << why_;
  put_policy(objects_, "", "closed", {{"selector", "app == 'a'"}, {"types", Array{"Ingress"}}});
  run_agent();
  if (HasFailure()) return;
  EXPECT_FALSE(passes("203.0.113.1"));
  EXPECT_NE(json::dump(node_->ask("/status")).find("match rpfilter"), std::string::npos);
  SyncClient client(node_->server().kubeconfig());
  const kube::ResourceType nodes{"", "v1", "nodes", "Node", false};
  std::string seen;
  EXPECT_TRUE(poll_until(std::chrono::seconds(20), [&] {
    const auto node = client.get(nodes, {"", OneNode::kName});
    seen = node.ok() ? json::dump(*node->find("status")) : node.error().message;
    return seen.find("KernelLacksFeatures") != std::string::npos && seen.find("match rpfilter") != std::string::npos;
  })) << seen;
}

// Appendix C of calico.md, 16.
TEST_F(Limits, AToolThatCrashesIsRunLessAndLessOftenAndAtLastWorks) {
  const TempDir dir;
  OneNodeOptions options;
  options.agent_environment["PATH"] = folder_of_programs(dir, kNftPrograms);
  // What is only tried, in another network namespace, works.
  replace_program(dir, "iptables-nft-restore",
                  concat("if [ -e ", dir.file("broken"), " ]; then echo run >> ", dir.file("runs"),
                         "; ulimit -c 0; kill -SEGV $$; fi"));
  if (!start(options)) GTEST_SKIP() << why_;
  run_agent();
  if (HasFailure()) return;
  write_text(dir.file("broken"), "");
  put_policy(objects_, "", "closed", {{"selector", "app == 'a'"}, {"types", Array{"Ingress"}}});
  bring();
  const auto runs = [&] { return split(read_text(dir.file("runs")), '\n').size(); };
  EXPECT_TRUE(poll_until(std::chrono::seconds(30), [&] { return runs() > 4; }));
  EXPECT_LT(runs(), 100U) << "without a pause there would be hundreds";
  EXPECT_TRUE(node_->agent()->is_running());
  const std::string failed = node_->missing_in_kernel();
  EXPECT_NE(failed, "") << "it is said";
  (void)unlink(dir.file("broken").c_str());
  EXPECT_EQ(node_->wait_for_kernel(), "");
  EXPECT_FALSE(passes("203.0.113.1"));
}

// Appendix C of calico.md, 11.
TEST_F(Limits, AnInterfaceWithASmallerMtuIsSeenWhileItRuns) {
  if (!start()) GTEST_SKIP() << why_;
  run_agent();
  if (HasFailure()) return;
  const auto mtu = [this] {
    const json::Value status = node_->ask("/status");
    const json::Value* found = status.find({"tunnels", "hostMTU"});
    return found == nullptr || found->as_integer() == nullptr ? 0 : *found->as_integer();
  };
  // One without an address carries nothing of ours.
  node_->node().ip({"link add eth7 type veth peer name other7", "link set other7 up", "link set eth7 mtu 1300 up"});
  EXPECT_GT(mtu(), 1300);
  node_->node().ip({"addr add 198.51.100.77/32 dev eth7"});
  EXPECT_TRUE(poll_until(std::chrono::seconds(20), [&] { return mtu() == 1300; })) << mtu();
  node_->node().ip({"link del eth7"});
  EXPECT_TRUE(poll_until(std::chrono::seconds(20), [&] { return mtu() > 1300; })) << mtu();
}

TEST_F(Limits, WithoutTheProgramsOfIpv6TheRestWorks) {
  const TempDir dir;
  OneNodeOptions options;
  options.agent_environment["PATH"] =
      folder_of_programs(dir, {"iptables-nft-save", "iptables-nft-restore", "iptables-nft"});
  if (!start(options)) GTEST_SKIP() << why_;
  run_agent();
  if (HasFailure()) return;
  EXPECT_TRUE(passes("203.0.113.1"));
  put_policy(objects_, "", "closed", {{"selector", "app == 'a'"}, {"types", Array{"Ingress"}}});
  bring();
  ASSERT_EQ(node_->wait_for_kernel(), "");
  EXPECT_FALSE(passes("203.0.113.1"));
}

TEST_F(Limits, WithoutIptablesItSaysSoAndEnds) {
  const TempDir dir;
  OneNodeOptions options;
  options.agent_environment["PATH"] = dir.path();
  if (!start(options)) GTEST_SKIP() << why_;
  bring();
  node_->start_agent();
  EXPECT_TRUE(poll_until(std::chrono::seconds(20), [this] { return !node_->agent()->is_running(); }));
  EXPECT_NE(node_->logs().find("iptables"), std::string::npos);
}

}  // namespace
}  // namespace margay::test
