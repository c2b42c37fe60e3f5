// Both programs at real interfaces: two nodes, a router and two pods in network namespaces (two_subnets.h). Needs root.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/core/text.h"
#include "dataplane/bpf/tc.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "ipip/ebpf/attachments.h"
#include "ipip/ebpf/ebpf_tunnel.h"
#include "ipip/ebpf/packets.h"
#include "ipip/ebpf/test_values.h"
#include "ipip/ebpf/two_subnets.h"

namespace margay::ipip {
namespace {

constexpr std::uint16_t kPort = 5000;
constexpr int kWaitMs = 2000;

bool has(const std::string& text, std::string_view piece) { return text.find(piece) != std::string::npos; }

// What arrives at an interface of a namespace, from the IPv4 header.
class Capture {
 public:
  Capture(const Space& space, const std::string& interface) {
    space.call([&] { socket_ = bpf::Fd(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); });
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(0x0800);
    where.sll_ifindex = static_cast<int>(space.index_of(interface).value());
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)), 0);
  }
  std::vector<Bytes> packets() const {
    std::vector<Bytes> out;
    Bytes buffer(std::size_t{1} << 17U);
    sockaddr_ll from{};
    socklen_t size = sizeof(from);
    ssize_t got = 0;
    while ((got = recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size)) >
           0) {
      if (from.sll_pkttype == PACKET_HOST) out.emplace_back(buffer.begin(), buffer.begin() + got);
    }
    return out;
  }

 private:
  bpf::Fd socket_;
};

std::string addresses_of(const Bytes& packet, std::size_t at) {
  const std::span bytes(packet);
  return concat(IpAddress::from_bytes(bytes.subspan(at + 12, 4))->to_string(), ">",
                IpAddress::from_bytes(bytes.subspan(at + 16, 4))->to_string());
}

class TunnelKernelTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto entered = netlink::ScratchNamespace::enter();
    if (!entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    net_ = std::make_unique<TwoSubnets>();
    ASSERT_EQ(net_->error, "");
    ASSERT_EQ(net_->start_tunnels(), "");
  }

  std::string ping(const std::string& address, const std::string& more = "-c 3") const {
    return net_->pod_a.run(concat("ping -n -i 0.01 -W 2 ", more, " ", address));
  }
  bool reaches(const std::string& address) const { return has(ping(address), " 0% packet loss"); }
  std::uint64_t drops_at_b(DropIndex reason) const { return net_->tunnel_b->stats().value().drops.at(reason); }
  NodeTraffic traffic_of_a() const { return net_->tunnel_a->stats().value().nodes[ip("10.2.0.1")]; }
  // A new life of the agent on node_a: what it took over, and replaced.
  std::unique_ptr<EbpfTunnel> restart(dataplane::ApplyReport& report) const {
    std::unique_ptr<EbpfTunnel> next;
    net_->node_a.call([&] {
      next = net_->make_tunnel(true);
      if (next) report = next->apply(TimePoint{});
    });
    return next;
  }
  bpf::TcPlace uplink_place(bpf::Direction direction) const {
    return place_of(net_->node_a.index_of("eth0"), direction);
  }
  bool is_attached(const bpf::TcPlace& place) const {
    bool out = false;
    net_->node_a.call([&] { out = bpf::program_at(place).value().has_value(); });
    return out;
  }
  // From the router, as it is.
  void inject(const Bytes& packet, const std::string& to) const {
    bpf::Fd socket;
    net_->router.call([&] { socket = bpf::Fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)); });
    sockaddr_in at{};
    at.sin_family = AF_INET;
    ASSERT_EQ(inet_pton(AF_INET, to.c_str(), &at.sin_addr), 1);
    const ssize_t sent =
        sendto(socket.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&at), sizeof(at));
    ASSERT_EQ(sent, static_cast<ssize_t>(packet.size()));
  }

  std::unique_ptr<TwoSubnets> net_;
};

TEST_F(TunnelKernelTest, PodsOfTwoSubnetsMeetByOrdinaryIpInIp) {
  const Capture router(net_->router, "port_a");
  ASSERT_TRUE(reaches(kPodB)) << ping(kPodB);
  std::size_t echoes = 0;
  for (const Bytes& packet : router.packets()) {
    ASSERT_EQ(addresses_of(packet, 0), "10.1.0.1>10.2.0.1");
    ASSERT_EQ(packet[9], kProtocolIpip);
    ASSERT_EQ(checksum_of(packet, 0), 0);
    ASSERT_EQ(addresses_of(packet, kIpv4Bytes), concat(kPodA, ">", kPodB));
    ++echoes;
  }
  EXPECT_EQ(echoes, 3U);
  const NodeTraffic traffic = traffic_of_a();
  EXPECT_EQ(traffic.packets_out, 3U);
  EXPECT_EQ(traffic.packets_in, 3U);
  EXPECT_EQ(traffic.bytes_out, 3U * 84);
}

TEST_F(TunnelKernelTest, TcpGoesThroughInLargeSegments) {
  const Capture router(net_->router, "port_a");
  constexpr std::uint64_t kBytes = 8 << 20;
  EXPECT_EQ(stream(*net_, kBytes), kBytes);
  std::size_t longest = 0;
  for (const Bytes& packet : router.packets()) longest = std::max(longest, packet.size());
  EXPECT_GT(longest, 1500U) << "GSO did not survive the tunnel";
  const TunnelStats stats = net_->tunnel_b->stats().value();
  for (const auto& [reason, count] : stats.drops) EXPECT_EQ(count, 0U) << to_string(reason);
}

TEST_F(TunnelKernelTest, TcpGoesThroughWithoutOffloads) {
  ASSERT_EQ(net_->pod_a.ip({"link set eth0 gso_max_segs 1"}), "");
  const Capture router(net_->router, "port_a");
  constexpr std::uint64_t kBytes = 1 << 20;
  EXPECT_EQ(stream(*net_, kBytes), kBytes);
  for (const Bytes& packet : router.packets()) ASSERT_LE(packet.size(), 1500U) << "longer than the MTU";
}

TEST_F(TunnelKernelTest, FragmentsOfDatagramsComeTogether) {
  const bpf::Fd from = udp_socket(net_->pod_a, kPodA, kPort), to = udp_socket(net_->pod_b, kPodB, kPort);
  const int may_fragment = IP_PMTUDISC_DONT;
  ASSERT_EQ(setsockopt(from.get(), IPPROTO_IP, IP_MTU_DISCOVER, &may_fragment, sizeof(may_fragment)), 0);
  for (const std::size_t size : {1472U, 1473U, 4000U, 60000U}) {
    const std::string text(size, 'x');
    ASSERT_TRUE(send_to(from, kPodB, kPort, text));
    EXPECT_EQ(receive(to).size(), size);
  }
}

// A pod's connected socket that never fragments, and what it has learnt of the path.
class PathProbe {
 public:
  explicit PathProbe(const TwoSubnets& net)
      : from_(udp_socket(net.pod_a, kPodA, kPort)), to_(udp_socket(net.pod_b, kPodB, kPort)) {
    const int never_fragment = IP_PMTUDISC_DO, on = 1;
    EXPECT_EQ(setsockopt(from_.get(), IPPROTO_IP, IP_MTU_DISCOVER, &never_fragment, sizeof(never_fragment)), 0);
    EXPECT_EQ(setsockopt(from_.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof(on)), 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(kPort);
    EXPECT_EQ(inet_pton(AF_INET, kPodB, &at.sin_addr), 1);
    EXPECT_EQ(connect(from_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)), 0);
  }
  // What the pod is told after a packet of that length; 0: nothing.
  int mtu_after(int length) const {
    const std::string text(static_cast<std::size_t>(length - kHeaders), 'x');
    if (send(from_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) return 0;
    pollfd event{from_.get(), 0, 0};
    if (poll(&event, 1, kWaitMs) != 1) return 0;
    int mtu = 0;
    socklen_t size = sizeof(mtu);
    EXPECT_EQ(getsockopt(from_.get(), IPPROTO_IP, IP_MTU, &mtu, &size), 0);
    return mtu;
  }
  // How long a packet of that length is that arrives.
  int arrives(int length) const {
    const std::string text(static_cast<std::size_t>(length - kHeaders), 'x');
    static_cast<void>(send(from_.get(), text.data(), text.size(), 0));  // the error of before may be told here
    static_cast<void>(send(from_.get(), text.data(), text.size(), 0));
    return static_cast<int>(receive(to_).size()) + kHeaders;
  }

 private:
  static constexpr int kHeaders = 28;
  bpf::Fd from_, to_;
};

// The pod's own interface has 1500; the route of the node says 1480, and the kernel tells the pod.
TEST_F(TunnelKernelTest, APodLearnsTheMtuOfTheTunnel) {
  const PathProbe probe(*net_);
  EXPECT_EQ(probe.mtu_after(1500), 1480);
  EXPECT_EQ(probe.arrives(1480), 1480);
  EXPECT_EQ(net_->tunnel_a->stats().value().drops.at(kDropTooBig), 0U);
}

// Between the nodes there is less room than at their uplinks. The router says so to the node, the node to the pod.
TEST_F(TunnelKernelTest, APodLearnsOfASmallerMtuBetweenTheNodes) {
  ASSERT_EQ(net_->router.ip({"link set port_b mtu 1400"}), "");
  const PathProbe probe(*net_);
  EXPECT_EQ(probe.mtu_after(1480), 1380);
  EXPECT_EQ(probe.arrives(1380), 1380);
  EXPECT_GE(traffic_of_a().too_big_on_the_way, 1U);
  constexpr std::uint64_t kBytes = 1 << 20;
  EXPECT_EQ(stream(*net_, kBytes), kBytes);
}

// One that routers may fragment is not fragmented outside, where nobody could put it together: its sender does it.
TEST_F(TunnelKernelTest, DatagramsThatMayBeFragmentedPassASmallerMtuToo) {
  ASSERT_EQ(net_->router.ip({"link set port_b mtu 1400"}), "");
  const bpf::Fd from = udp_socket(net_->pod_a, kPodA, kPort), to = udp_socket(net_->pod_b, kPodB, kPort);
  const int may_fragment = IP_PMTUDISC_WANT;
  ASSERT_EQ(setsockopt(from.get(), IPPROTO_IP, IP_MTU_DISCOVER, &may_fragment, sizeof(may_fragment)), 0);
  const std::string text(1400, 'x');
  ASSERT_TRUE(send_to(from, kPodB, kPort, text));  // for this one the size is learnt
  std::size_t arrived = 0;
  for (int i = 0; i < 3 && arrived == 0; ++i) {
    static_cast<void>(send_to(from, kPodB, kPort, text));
    arrived = receive(to).size();
  }
  EXPECT_EQ(arrived, text.size());
}

TEST_F(TunnelKernelTest, ASpoofedOuterSourceIsDroppedAndCounted) {
  const bpf::Fd victim = udp_socket(net_->pod_b, kPodB, kPort);
  // A UDP header without checksum, to kPort, eight bytes long.
  const Bytes udp = {0x10, 0x00, 0x13, 0x88, 0x00, 0x08, 0x00, 0x00};
  const auto tunnelled = [&](const char* outer) {
    return ipv4({.from = ip(outer), .to = ip("10.2.0.1"), .protocol = kProtocolIpip},
                ipv4({.from = ip(kPodA), .to = ip(kPodB)}, udp));
  };
  inject(tunnelled("10.9.9.9"), "10.2.0.1");
  EXPECT_EQ(drops_at_b(kDropUnknownSender), 1U);
  std::string nothing(10, '\0');
  EXPECT_LT(recv(victim.get(), nothing.data(), nothing.size(), MSG_DONTWAIT), 0);
  // The same from a node arrives: the packet itself was a good one.
  inject(tunnelled("10.1.0.1"), "10.2.0.1");
  EXPECT_EQ(recv(victim.get(), nothing.data(), nothing.size(), 0), 0);
  EXPECT_EQ(drops_at_b(kDropUnknownSender), 1U);
}

// Each node says that the other has the prefix.
TEST_F(TunnelKernelTest, LoopsEnd) {
  for (const auto& [node, tunnel, gateway, other] :
       {std::tuple(&net_->node_a, net_->tunnel_a.get(), "10.1.0.254", "10.2.0.1"),
        std::tuple(&net_->node_b, net_->tunnel_b.get(), "10.2.0.254", "10.1.0.1")}) {
    ASSERT_EQ(node->ip({concat("route add 192.168.3.0/24 via ", gateway, " dev eth0")}), "");
    tunnel->set_remote(net("192.168.3.0/24"), ip(other));
    node->call([&tunnel = tunnel] { EXPECT_TRUE(tunnel->apply(TimePoint{}).is_in_sync()); });
  }
  static_cast<void>(ping("192.168.3.1", "-c 1 -W 0.1"));
  EXPECT_EQ(traffic_of_a().packets_out, 1U);
  EXPECT_EQ(net_->tunnel_a->stats().value().drops.at(kDropSpoofedSource), 1U) << "our own pod's packet comes back";

  ASSERT_EQ(net_->router.ip({"route add 192.168.3.0/24 via 10.1.0.1"}), "");
  static_cast<void>(net_->router.run("ping -n -c 1 -t 9 -W 0.5 192.168.3.1"));
  EXPECT_EQ(traffic_of_a().packets_out, 1U + 4U) << "each node counts down: 8, 6, 4 and 2 leave node_a";
}

TEST_F(TunnelKernelTest, TheTunnelOutlivesItsProcessAndIsTakenOver) {
  ASSERT_TRUE(reaches(kPodB));
  const pid_t child = fork();
  if (child == 0) {
    net_->node_a.call([&] {
      auto tunnel = net_->make_tunnel(true);
      if (tunnel && tunnel->apply(TimePoint{}).is_in_sync()) raise(SIGKILL);
    });
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the tunnel was not made";
  net_->tunnel_a.reset();  // nobody has a descriptor of them any more
  EXPECT_TRUE(reaches(kPodB));
  dataplane::ApplyReport report;
  net_->tunnel_a = restart(report);
  ASSERT_NE(net_->tunnel_a, nullptr);
  EXPECT_TRUE(report.is_in_sync());
  EXPECT_EQ(report.updated, 2U) << "both programs, and nothing in the maps";
  EXPECT_EQ(report.removed, 0U);
  EXPECT_EQ(traffic_of_a().packets_out, 6U) << "counted through all lives";
  EXPECT_TRUE(reaches(kPodB));
}

// Sends and gets back, 32 at a time, until told to stop; how many got lost.
class Traffic {
 public:
  explicit Traffic(const TwoSubnets& net)
      : from_(udp_socket(net.pod_a, kPodA, kPort)),
        to_(udp_socket(net.pod_b, kPodB, kPort)),
        thread_([this] { run(); }) {}
  ~Traffic() {
    if (thread_.joinable()) stop();
  }
  void stop() {
    is_stopping_ = true;
    thread_.join();
  }
  [[nodiscard]] std::size_t rounds() const { return rounds_; }
  [[nodiscard]] std::size_t lost() const { return lost_; }

 private:
  void run() {
    while (!is_stopping_ && lost_ == 0) {
      for (int i = 0; i < 32; ++i) send_to(from_, kPodB, kPort, "x");
      for (int i = 0; i < 32 && lost_ == 0; ++i) lost_ = lost_ + (receive(to_).empty() ? 1 : 0);
      ++rounds_;
    }
  }
  bpf::Fd from_, to_;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<std::size_t> rounds_ = 0, lost_ = 0;
  std::thread thread_;
};

TEST_F(TunnelKernelTest, NewProgramsUnderTrafficLoseNothing) {
  ASSERT_TRUE(reaches(kPodB));
  Traffic traffic(*net_);
  for (int i = 0; i < 20; ++i) {
    const std::size_t before = traffic.rounds();
    dataplane::ApplyReport report;
    net_->tunnel_a = restart(report);
    ASSERT_NE(net_->tunnel_a, nullptr);
    ASSERT_TRUE(report.is_in_sync());
    ASSERT_EQ(report.updated, 2U);
    while (traffic.rounds() < before + 2 && traffic.lost() == 0) std::this_thread::yield();
  }
  traffic.stop();
  EXPECT_EQ(traffic.lost(), 0U);
}

TEST_F(TunnelKernelTest, ANodeThatIsGoneIsForgotten) {
  ASSERT_TRUE(reaches(kPodB));
  net_->tunnel_b->set_senders({});
  net_->node_b.call([&] { EXPECT_TRUE(net_->tunnel_b->apply(TimePoint{}).is_in_sync()); });
  EXPECT_EQ(net_->tunnel_b->stats().value().nodes.count(ip("10.1.0.1")), 0U);
  EXPECT_TRUE(has(ping(kPodB, "-c 1 -W 0.1"), "100% packet loss"));
  EXPECT_EQ(drops_at_b(kDropUnknownSender), 1U);
}

TEST_F(TunnelKernelTest, FiltersOfOthersStayAndSeeTheTraffic) {
  bpf::TcPlace before = uplink_place(bpf::Direction::kEgress), after = before;
  before.priority = 5;
  after.priority = 500;
  net_->node_a.call([&] {
    // Any program will do: ours passes what is tunnelled already.
    const auto ours = bpf::program_at(uplink_place(bpf::Direction::kEgress)).value();
    ASSERT_TRUE(ours.has_value());
    const bpf::Fd program = bpf::program_by_id(*ours).value();
    for (const bpf::TcPlace& place : {before, after}) ASSERT_TRUE(bpf::attach(place, program.get()).ok());
  });
  EXPECT_TRUE(reaches(kPodB));
  net_->node_a.call([&] { EXPECT_TRUE(net_->tunnel_a->detach().ok()); });
  EXPECT_FALSE(is_attached(uplink_place(bpf::Direction::kIngress)));
  EXPECT_FALSE(is_attached(uplink_place(bpf::Direction::kEgress)));
  EXPECT_TRUE(is_attached(before));
  EXPECT_TRUE(is_attached(after));
}

// node_b as a node of Calico's, or of ours with a kernel that has the device.
TEST_F(TunnelKernelTest, TheKernelsOwnTunnelUnderstandsUsAndWeIt) {
  const std::string refused = net_->node_b.ip({"link add ipip9 type ipip local 10.2.0.1 ttl inherit"});
  if (!refused.empty()) GTEST_SKIP() << "this kernel has no ipip device: " << refused;
  net_->node_b.call([&] { ASSERT_TRUE(net_->tunnel_b->detach().ok()); });
  ASSERT_EQ(
      net_->node_b.ip({"link set ipip9 up mtu 1480", "route replace 192.168.1.0/24 via 10.1.0.1 dev ipip9 onlink"}),
      "");
  EXPECT_TRUE(reaches(kPodB)) << ping(kPodB);
  constexpr std::uint64_t kBytes = 1 << 20;
  EXPECT_EQ(stream(*net_, kBytes), kBytes);
  EXPECT_GT(traffic_of_a().packets_in, 3U);
  const TunnelStats stats = net_->tunnel_a->stats().value();
  for (const auto& [reason, count] : stats.drops) EXPECT_EQ(count, 0U) << to_string(reason);
}

TEST_F(TunnelKernelTest, LeftoversGoWhenAnotherMeansIsChosen) {
  net_->tunnel_a.reset();
  EXPECT_TRUE(is_attached(uplink_place(bpf::Direction::kEgress)));
  net_->node_a.call([] { EXPECT_TRUE(remove_leftovers().ok()); });
  EXPECT_FALSE(is_attached(uplink_place(bpf::Direction::kIngress)));
  EXPECT_FALSE(is_attached(uplink_place(bpf::Direction::kEgress)));
}

TEST_F(TunnelKernelTest, AnInterfaceThatMayBecomeAnUplinkIsMadeReady) {
  const auto qdiscs = [&] { return net_->node_a.run("tc qdisc show dev cali0"); };
  EXPECT_FALSE(has(qdiscs(), "clsact"));
  const IfIndex pod = net_->node_a.index_of("cali0");
  net_->tunnel_a->set_hooks({pod, IfIndex(9999)});
  net_->node_a.call([&] { EXPECT_TRUE(net_->tunnel_a->apply(TimePoint{}).is_in_sync()); });
  EXPECT_TRUE(has(qdiscs(), "clsact"));
  EXPECT_FALSE(is_attached(place_of(pod, bpf::Direction::kEgress)));
}

TEST_F(TunnelKernelTest, UplinksComeAndGo) {
  const IfIndex eth0 = net_->node_a.index_of("eth0"), pod = net_->node_a.index_of("cali0");
  const auto apply = [&](const std::set<IfIndex>& uplinks) {
    dataplane::ApplyReport report;
    net_->tunnel_a->set_uplinks(uplinks);
    net_->node_a.call([&] { report = net_->tunnel_a->apply(TimePoint{}); });
    return report;
  };
  EXPECT_EQ(apply({eth0, pod}).updated, 2U);
  EXPECT_TRUE(is_attached(place_of(pod, bpf::Direction::kIngress)));
  EXPECT_EQ(apply({eth0}).removed, 2U);
  EXPECT_FALSE(is_attached(place_of(pod, bpf::Direction::kIngress)));
  EXPECT_TRUE(is_attached(uplink_place(bpf::Direction::kIngress)));
  const dataplane::ApplyReport missing = apply({eth0, IfIndex(9999)});
  EXPECT_EQ(missing.failed, 1U);
  EXPECT_TRUE(missing.try_again_at.has_value());
  EXPECT_TRUE(apply({eth0}).is_in_sync());
  EXPECT_TRUE(reaches(kPodB));
}

TEST_F(TunnelKernelTest, AnInterfaceWithoutEthernetHeaderIsRefused) {
  const IfIndex loopback = net_->node_a.index_of("lo");
  net_->tunnel_a->set_uplinks({net_->node_a.index_of("eth0"), loopback});
  dataplane::ApplyReport report;
  net_->node_a.call([&] { report = net_->tunnel_a->apply(TimePoint{}); });
  ASSERT_EQ(report.failed, 1U);
  EXPECT_EQ(report.failures.at(0).error.code, ErrorCode::kUnsupported);
  EXPECT_TRUE(has(report.failures.at(0).error.message, "lo has no Ethernet header"));
  EXPECT_TRUE(reaches(kPodB)) << "the others work";
}

}  // namespace
}  // namespace margay::ipip
