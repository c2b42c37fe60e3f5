// Policy where kube-proxy works in IPVS mode, with IPVS itself. Needs root, ipvsadm, and a kernel with ip_vs: those of
// virtual machines have it (test/vm/suite).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "gtest/gtest.h"
#include "test/support/one_node.h"
#include "test/support/patience.h"
#include "test/support/sample_objects.h"

namespace margay::test {
namespace {

using json::Array;
using json::Object;
using model::Kind;

constexpr const char* kService = "10.96.0.10";
constexpr const char* kOutsideAddress = "100.127.255.2";

sockaddr_in tcp_at(const std::string& address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  (void)inet_pton(AF_INET, address.c_str(), &out.sin_addr);
  return out;
}

// Connections come about without anybody who accepts them.
class Listener {
 public:
  Listener(const NetSpace& space, std::uint16_t port) {
    space.call([&] {
      fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in any = tcp_at("0.0.0.0", port);
      EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
      EXPECT_EQ(listen(fd_, 64), 0);
    });
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  int fd_ = -1;
};

bool connects(const NetSpace& from, const std::string& address, std::uint16_t port) {
  bool is_there = false;
  from.call([&] {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{patience(), 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    const sockaddr_in to = tcp_at(address, port);
    is_there = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
    close(fd);
  });
  return is_there;
}

class Ipvs : public testing::Test {
 protected:
  // What is missing; "": nothing.
  std::string start() {
    std::string why;
    node_ = OneNode::start({}, &why);
    if (node_ == nullptr) return why;
    for (const char* module : {"ip_vs", "ip_vs_rr"}) (void)run({"modprobe", module});
    const ProgramResult there = run({"ipvsadm", "-l"});
    if (there.exit_status != 0) return concat("no IPVS: ", there.err);
    put_namespace(objects_, "default");
    for (const std::string name : {"a", "b", "c"}) {
      const IpAddress address = IpAddress::parse(address_of(name)).value();
      put_pod(objects_, {.name = name, .node = OneNode::kName, .labels = {{"app", name}}, .address = address});
      node_->pod("default", name, {address});
    }
    return "";
  }
  void TearDown() override {
    if (HasFailure() && node_ != nullptr) {
      std::fprintf(stderr, "%s\n%s\n", node_->logs().c_str(), run({"iptables-save", "-c", "-t", "filter"}).out.c_str());
    }
  }
  static std::string address_of(const std::string& pod) {
    return concat("10.77.0.", static_cast<int>(pod[0] - 'a') + 1);
  }
  ProgramResult run(const std::vector<std::string>& argv) { return node_->node().run(argv); }
  const NetSpace& pod(const std::string& name) {
    return node_->pod("default", name, {IpAddress::parse(address_of(name)).value()});
  }
  // As kube-proxy does it.
  void serve(const std::string& address, const std::string& backend) {
    const std::vector<std::vector<std::string>> commands = {{"ipvsadm", "-A", "-t", address, "-s", "rr"},
                                                            {"ipvsadm", "-a", "-t", address, "-r", backend, "-m"}};
    for (const std::vector<std::string>& argv : commands) {
      const ProgramResult done = run(argv);
      EXPECT_EQ(done.exit_status, 0) << join(argv, " ") << ": " << done.err;
    }
  }
  void serve_all() {
    node_->node().set("ipv4/vs/conntrack", "1");
    node_->node().ip({"link add kube-ipvs0 type dummy", concat("addr add ", kService, "/32 dev kube-ipvs0")});
    serve(concat(kService, ":80"), address_of("b") + ":8001");
    serve(concat(kService, ":81"), address_of("b") + ":8002");
    serve(concat(kService, ":82"), address_of("c") + ":8001");
    serve(concat(kService, ":83"), concat(kOutsideAddress, ":8001"));
    serve(concat(OneNode::kAddress, ":30080"), address_of("b") + ":8001");
  }
  [[nodiscard]] bool has_rules() {
    return run({"iptables-save", "-t", "filter"}).out.find("-j margay-from-wl-ip") != std::string::npos;
  }
  void bring() {
    for (const std::string& line : node_->bring_to(objects_)) ADD_FAILURE() << line;
    ASSERT_EQ(node_->wait_for_kernel(std::chrono::seconds(30 * patience())), "");
  }
  void put_host_policy(const char* action) {
    put_policy(objects_, "", "forward",
               {{"selector", "role == 'host'"},
                {"applyOnForward", true},
                {"ingress", Array{Object{{"action", action}, {"source", Object{{"nets", Array{kOutsideNet}}}}}}},
                {"types", Array{"Ingress"}}});
  }
  void set_node_ports(json::Value ranges) {
    objects_[{Kind::kFelixConfiguration, "", "default"}] =
        Object{{"apiVersion", "projectcalico.org/v3"},
               {"kind", "FelixConfiguration"},
               {"metadata", Object{{"name", "default"}}},
               {"spec", Object{{"kubeNodePortRanges", std::move(ranges)}}}};
  }

  static constexpr const char* kOutsideNet = "100.127.255.2/32";
  ObjectMap objects_;
  std::unique_ptr<OneNode> node_;
};

TEST_F(Ipvs, PolicyHoldsWhereIpvsGivesPacketsTheirDestination) {
  if (const std::string missing = start(); !missing.empty()) GTEST_SKIP() << missing;
  put_policy(objects_, "", "b",
             {{"selector", "app == 'b'"},
              {"ingress", Array{policy_rule("Allow", "TCP", "app == 'a'", 8001)}},
              {"types", Array{"Ingress"}}});
  put_policy(objects_, "", "a",
             {{"selector", "app == 'a'"},
              {"egress", Array{Object{{"action", "Allow"}, {"destination", Object{{"selector", "app == 'b'"}}}}}},
              {"types", Array{"Egress"}}});
  node_->start_agent();
  bring();
  if (HasFailure()) return;
  const Listener b1(pod("b"), 8001), b2(pod("b"), 8002), c(pod("c"), 8001), far(node_->outside(), 8001);
  serve_all();
  ASSERT_TRUE(poll_until(std::chrono::seconds(30 * patience()), [this] { return has_rules(); }));

  EXPECT_TRUE(connects(pod("a"), kService, 80)) << "pod, Service, pod of the same node";
  EXPECT_FALSE(connects(pod("c"), kService, 80)) << "whom b does not let in";
  EXPECT_FALSE(connects(pod("a"), kService, 81)) << "at a port that b does not let in";
  EXPECT_TRUE(connects(pod("b"), kService, 82));
  EXPECT_FALSE(connects(pod("a"), kService, 82)) << "whom a may not go to";
  EXPECT_TRUE(connects(pod("c"), kService, 83)) << "pod, Service, elsewhere";
  EXPECT_FALSE(connects(pod("a"), kService, 83));
  EXPECT_FALSE(connects(node_->outside(), OneNode::kAddress, 30080)) << "from outside to a node port";
  EXPECT_TRUE(connects(node_->node(), kService, 82)) << "a host reaches its workloads";

  put_policy(objects_, "", "outside",
             {{"selector", "app == 'b'"},
              {"ingress", Array{Object{{"action", "Allow"}, {"source", Object{{"nets", Array{kOutsideNet}}}}}}},
              {"types", Array{"Ingress"}}});
  bring();
  EXPECT_TRUE(connects(node_->outside(), OneNode::kAddress, 30080)) << "the pod's policy lets it in";

  // A host endpoint: node ports are forwarded, so its own policy says nothing about them.
  objects_[{Kind::kHostEndpoint, "", "up"}] =
      Object{{"apiVersion", "projectcalico.org/v3"},
             {"kind", "HostEndpoint"},
             {"metadata", Object{{"name", "up"}, {"labels", Object{{"role", "host"}}}}},
             {"spec", Object{{"node", OneNode::kName}, {"interfaceName", "up0"}}}};
  bring();
  const Listener host(node_->node(), 8003);
  EXPECT_FALSE(connects(node_->outside(), OneNode::kAddress, 8003)) << "nothing lets it in";
  EXPECT_TRUE(connects(node_->outside(), OneNode::kAddress, 30080));
  put_host_policy("Deny");
  bring();
  EXPECT_FALSE(connects(node_->outside(), OneNode::kAddress, 30080)) << "policy with applyOnForward";
  put_host_policy("Allow");
  bring();
  EXPECT_TRUE(connects(node_->outside(), OneNode::kAddress, 30080));
  objects_.erase({Kind::kGlobalNetworkPolicy, "", "forward"});
  set_node_ports(Array{"31000:31100"});
  bring();
  ASSERT_TRUE(poll_until(std::chrono::seconds(30 * patience()), [this] {
    return run({"iptables-save", "-t", "filter"}).out.find("31000:31100") != std::string::npos;
  }));
  EXPECT_FALSE(connects(node_->outside(), OneNode::kAddress, 30080)) << "not a node port any more";

  node_->node().ip({"link del kube-ipvs0"});
  EXPECT_TRUE(poll_until(std::chrono::seconds(30 * patience()), [this] { return !has_rules(); }));
}

}  // namespace
}  // namespace margay::test
