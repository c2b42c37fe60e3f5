// The same on a real kube-apiserver and etcd: agents and controllers each with their own account and the shipped
// rights, kubectl as the user.
#include "base/core/text.h"
#include "ctl/lab/net_space.h"
#include "ctl/lab/paths.h"
#include "gtest/gtest.h"
#include "test/e2e/lab.h"
#include "test/support/api_servers.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

constexpr seconds kTime{60};

class Kubernetes : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = missing_for_labs(); !missing.empty()) GTEST_SKIP() << missing;
    std::string why;
    server_ = start_kube_apiserver(&why);
    if (server_ == nullptr) GTEST_SKIP() << why;
  }
  [[nodiscard]] std::vector<std::string> server_flags() const {
    return {"--kubeconfig",
            server_->kubeconfig(),
            "--node-kubeconfig",
            server_->kubeconfig_of("margay-node"),
            "--controllers-kubeconfig",
            server_->kubeconfig_of("margay-controllers")};
  }
  [[nodiscard]] ProgramResult kubectl(std::vector<std::string> words) const {
    words.insert(words.begin(), {old_kubectl(), "--kubeconfig", server_->kubeconfig()});
    return run_program({.argv = words, .environment = {{"HOME", folder_.path()}}, .stdin_text = "", .output_path = ""});
  }
  void apply(const std::string& example) const {
    const ProgramResult done = kubectl({"apply", "--validate=false", "-f", source_path("docs/examples/" + example)});
    ASSERT_EQ(done.exit_status, 0) << done.out << done.err;
  }
  void apply_text(const std::string& text) const {
    write_text(folder_.file("objects.yaml"), text);
    const ProgramResult done = kubectl({"apply", "--validate=false", "-f", folder_.file("objects.yaml")});
    ASSERT_EQ(done.exit_status, 0) << done.out << done.err;
  }
  void expect_old_slices(const Lab& lab) const;
  static std::string log(const Lab& lab, const std::string& program) {
    return read_text(lab::Paths(lab.name()).log(program));
  }

  TempDir folder_;
  std::unique_ptr<ApiServer> server_;
};

// Kubernetes 1.20 has EndpointSlices as v1beta1 alone, which say the node of an endpoint in its topology. Policy about
// services and addresses told where an endpoint is work all the same, and `netctl policy eval` agrees.
void Kubernetes::expect_old_slices(const Lab& lab) const {
  const std::string node = kubectl({"get", "pod", "-n", "shop", "db", "-o", "jsonpath={.spec.nodeName}"}).out;
  const std::string address = lab.addresses("shop", "db").front().to_string();
  apply_text(
      concat("apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: shop}\n"
             "spec: {type: NodePort, externalTrafficPolicy: Local, externalIPs: [203.0.113.7], "
             "ports: [{port: 5432}]}\n---\n",
             "apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\naddressType: IPv4\n"
             "metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}\n"
             "endpoints: [{addresses: [",
             address, "], topology: {kubernetes.io/hostname: ", node,
             "}}]\n"
             "ports: [{port: 5432, protocol: TCP}]\n---\n",
             "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: backend, namespace: shop}\n"
             "spec:\n  selector: tier == 'backend'\n  types: [Egress]\n"
             "  egress: [{action: Allow, destination: {services: {name: db, namespace: shop}}}]\n"));
  EXPECT_EQ(kubectl({"patch", "bgpconfiguration", "default", "--type=merge", "-p",
                     R"({"spec":{"serviceExternalIPs":[{"cidr":"203.0.113.0/24"}]}})"})
                .exit_status,
            0);
  // What another node has heard; service addresses are not for its kernel, where kube-proxy takes them.
  const auto is_told = [&lab, other = node == "node-4" ? "node-1" : "node-4"] {
    const std::string socket = lab::Paths(lab.name()).node_socket(other);
    return lab.netctl({"bgp", "routes", "203.0.113.7/32", "--socket", socket}).exit_status == 0;
  };
  EXPECT_TRUE(poll_until(kTime,
                         [&] {
                           const std::set<std::string> got = lab.matrix();
                           return got.contains("shop/backend shop/db TCP/5432 allow") &&
                                  got.contains("shop/backend shop/web TCP/80 deny") && lab.is_as_calculated();
                         }))
      << show(lab.matrix()) << show(lab.calculated());
  EXPECT_TRUE(poll_until(kTime, [&] { return is_told(); }));

  EXPECT_EQ(kubectl({"delete", "endpointslice", "-n", "shop", "db-1"}).exit_status, 0);
  EXPECT_TRUE(poll_until(kTime, [&] {
    return lab.matrix().contains("shop/backend shop/db TCP/5432 deny") && lab.is_as_calculated();
  })) << show(lab.matrix());
  EXPECT_TRUE(poll_until(kTime, [&] { return !is_told(); }));
  EXPECT_EQ(kubectl({"delete", "networkpolicies.projectcalico.org", "-n", "shop", "backend"}).exit_status, 0);
}

TEST_F(Kubernetes, PodsPolicyUpgradesAndDeletions) {
  const Lab lab("kube");
  ASSERT_TRUE(lab.up("full-mesh.yaml", server_flags()));
  apply("three-tier/1-pods.yaml");
  std::set<std::string> got;
  ASSERT_TRUE(poll_until(kTime, [&] {
    got = lab.matrix();
    return got.size() == 12 && show(got).find("deny") == std::string::npos;
  })) << show(got);
  EXPECT_TRUE(lab.becomes_well());
  const ProgramResult wide = kubectl({"get", "pods", "-A", "-o", "wide"});
  EXPECT_NE(wide.out.find("10.244."), std::string::npos) << wide.out;

  // Upgraded one by one under traffic.
  {
    Traffic traffic(lab, lab.pod_on("node-1"), lab.pod_on("node-4"));
    for (const char* node : {"node-1", "node-4"}) {
      ASSERT_EQ(lab.run({"node", "stop", node}).exit_status, 0);
      ASSERT_EQ(lab.run({"node", "start", node}).exit_status, 0);
      ASSERT_TRUE(lab.becomes_well()) << node;
    }
    EXPECT_EQ(traffic.lost(), 0U) << "of " << traffic.sent();
    EXPECT_GT(traffic.sent(), 100U);
  }

  expect_old_slices(lab);

  apply("three-tier/2-policy.yaml");
  EXPECT_TRUE(poll_until(kTime, [&] {
    return lab.is_as_calculated() && lab.matrix().contains("other/stranger shop/db TCP/5432 deny");
  })) << show(lab.matrix());

  const ProgramResult gone = kubectl({"delete", "pod", "-n", "shop", "web", "--timeout=60s"});
  EXPECT_EQ(gone.exit_status, 0) << gone.err;
  EXPECT_FALSE(lab::has_space(lab::Paths(lab.name()).space_of_pod("shop", "web")));

  for (const char* program : {"margay-node.node-1", "margay-node.node-3", "margay-controllers"}) {
    EXPECT_EQ(log(lab, program).find("forbidden"), std::string::npos) << log(lab, program);
  }
}

}  // namespace
}  // namespace margay::test
