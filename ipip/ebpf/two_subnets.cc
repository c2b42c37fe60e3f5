#include "ipip/ebpf/two_subnets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/core/check.h"
#include "base/core/text.h"
#include "dataplane/netlink/tool_output.h"

namespace margay::ipip {
namespace {

constexpr const char* kThisNamespace = "/proc/thread-self/ns/net";

bpf::Fd here() { return bpf::Fd(open(kThisNamespace, O_RDONLY | O_CLOEXEC)); }

sockaddr_in socket_address(const std::string& address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  MARGAY_CHECK(inet_pton(AF_INET, address.c_str(), &out.sin_addr) == 1);
  return out;
}

const sockaddr* raw(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

bpf::Fd open_socket(const Space& space, int type) {
  bpf::Fd out;
  space.call([&] { out = bpf::Fd(socket(AF_INET, type | SOCK_CLOEXEC, 0)); });
  MARGAY_CHECK(out.get() >= 0);
  const timeval limit{2, 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
    MARGAY_CHECK(setsockopt(out.get(), SOL_SOCKET, option, &limit, sizeof(limit)) == 0);
  return out;
}

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }
IpPrefix prefix(const char* text) { return IpPrefix::parse(text).value(); }

std::string cable(const Space& left, const char* left_name, const Space& right, const char* right_name) {
  const std::string failed =
      left.ip({concat("link add ", left_name, " type veth peer name ", right_name, " netns ", right.file()),
               concat("link set ", left_name, " up")});
  return failed.empty() ? right.ip({concat("link set ", right_name, " up")}) : failed;
}

std::string set_up_pod(const Space& pod, const char* own) {
  return pod.ip({"link set lo up", concat("addr add ", own, "/32 dev eth0"), "route add 169.254.1.1 dev eth0",
                 "route add default via 169.254.1.1 dev eth0"});
}

struct NodeNet {
  const char *own, *gateway, *pod, *block, *remote;
};

std::string set_up_node(const Space& node, const NodeNet& net) {
  node.set_sysctl("ip_forward", "1");
  node.set_sysctl("conf/cali0/proxy_arp", "1");
  node.set_sysctl("neigh/cali0/proxy_delay", "0");
  // The strictest that nodes have.
  node.set_sysctl("conf/all/rp_filter", "1");
  node.set_sysctl("conf/eth0/rp_filter", "1");
  return node.ip({"link set lo up", concat("addr add ", net.own, "/24 dev eth0"),
                  concat("route add default via ", net.gateway), concat("route add ", net.pod, " dev cali0"),
                  concat("route add blackhole ", net.block),
                  concat("route add ", net.remote, " via ", net.gateway, " dev eth0 mtu 1480")});
}

}  // namespace

Space::Space() {
  const bpf::Fd home = here();
  MARGAY_CHECK(home.get() >= 0 && unshare(CLONE_NEWNET) == 0);
  file_ = here();
  MARGAY_CHECK(file_.get() >= 0 && setns(home.get(), CLONE_NEWNET) == 0);
}

void Space::call(const std::function<void()>& task) const {
  const bpf::Fd home = here();
  MARGAY_CHECK(home.get() >= 0 && setns(file_.get(), CLONE_NEWNET) == 0);
  task();
  MARGAY_CHECK(setns(home.get(), CLONE_NEWNET) == 0);
}

std::string Space::run(const std::string& line) const {
  std::vector<std::string> words;
  for (const std::string_view word : split(line, ' ')) words.emplace_back(word);
  std::string out;
  call([&] { out = netlink::tool_output(words); });
  return out;
}

std::string Space::ip(const std::vector<std::string>& lines) const {
  for (const std::string& line : lines) {
    const std::string out = run("ip " + line);
    if (!out.empty()) return concat(line, ": ", out);
  }
  return {};
}

void Space::set_sysctl(const std::string& name, const std::string& value) const {
  call([&] {
    const bpf::Fd file(open(concat("/proc/sys/net/ipv4/", name).c_str(), O_WRONLY | O_CLOEXEC));
    MARGAY_CHECK(write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size()));
  });
}

IfIndex Space::index_of(const std::string& interface) const {
  unsigned index = 0;
  call([&] { index = if_nametoindex(interface.c_str()); });
  return IfIndex(index);
}

std::string Space::file() const { return concat("/proc/", getpid(), "/fd/", file_.get()); }

TwoSubnets::TwoSubnets() { error = connect(); }

std::string TwoSubnets::connect() const {
  const std::string cables[] = {cable(pod_a, "eth0", node_a, "cali0"), cable(node_a, "eth0", router, "port_a"),
                                cable(node_b, "eth0", router, "port_b"), cable(pod_b, "eth0", node_b, "cali0")};
  for (const std::string& failed : cables) {
    if (!failed.empty()) return failed;
  }
  router.set_sysctl("ip_forward", "1");
  const std::string parts[] = {
      router.ip({"link set lo up", "addr add 10.1.0.254/24 dev port_a", "addr add 10.2.0.254/24 dev port_b"}),
      set_up_node(node_a, {"10.1.0.1", "10.1.0.254", kPodA, "192.168.1.0/24", "192.168.2.0/24"}),
      set_up_node(node_b, {"10.2.0.1", "10.2.0.254", kPodB, "192.168.2.0/24", "192.168.1.0/24"}),
      set_up_pod(pod_a, kPodA), set_up_pod(pod_b, kPodB)};
  for (const std::string& failed : parts) {
    if (!failed.empty()) return failed;
  }
  return {};
}

std::unique_ptr<EbpfTunnel> TwoSubnets::make_tunnel(bool is_a) const {
  auto opened = EbpfTunnel::open();
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return nullptr;
  }
  std::unique_ptr<EbpfTunnel> tunnel = std::move(opened).value();
  const IpAddress own = address(is_a ? "10.1.0.1" : "10.2.0.1"), other = address(is_a ? "10.2.0.1" : "10.1.0.1");
  tunnel->set_addresses(own, {own});
  tunnel->set_senders({other});
  tunnel->set_own_prefixes({prefix(is_a ? "192.168.1.0/24" : "192.168.2.0/24")});
  tunnel->set_remotes({{prefix(is_a ? "192.168.2.0/24" : "192.168.1.0/24"), other}});
  tunnel->set_uplinks({(is_a ? node_a : node_b).index_of("eth0")});
  return tunnel;
}

std::string TwoSubnets::start_tunnels() {
  std::string failed;
  const auto start = [&](bool is_a, std::unique_ptr<EbpfTunnel>& tunnel) {
    tunnel = make_tunnel(is_a);
    if (!tunnel) return static_cast<void>(failed = "no tunnel");
    const dataplane::ApplyReport report = tunnel->apply(TimePoint{});
    if (!report.is_in_sync()) failed = report.failures.at(0).error.message;
  };
  node_a.call([&] { start(true, tunnel_a); });
  node_b.call([&] { start(false, tunnel_b); });
  return failed;
}

std::string TwoSubnets::start_kernel_tunnels() const {
  const auto start = [](const Space& node, const char* own, const char* other, const char* remote) {
    return node.ip({concat("link add ipip9 type ipip local ", own, " ttl inherit"), "link set ipip9 up mtu 1480",
                    concat("route replace ", remote, " via ", other, " dev ipip9 onlink")});
  };
  const std::string failed = start(node_a, "10.1.0.1", "10.2.0.1", "192.168.2.0/24");
  return failed.empty() ? start(node_b, "10.2.0.1", "10.1.0.1", "192.168.1.0/24") : failed;
}

std::string TwoSubnets::teach_router() const {
  return router.ip({"route add 192.168.1.0/24 via 10.1.0.1", "route add 192.168.2.0/24 via 10.2.0.1"});
}

bpf::Fd udp_socket(const Space& space, const std::string& own, std::uint16_t port) {
  bpf::Fd out = open_socket(space, SOCK_DGRAM);
  const sockaddr_in at = socket_address(own, port);
  MARGAY_CHECK(bind(out.get(), raw(at), sizeof(at)) == 0);
  return out;
}

bool send_to(const bpf::Fd& socket, const std::string& to, std::uint16_t port, const std::string& text) {
  const sockaddr_in at = socket_address(to, port);
  return sendto(socket.get(), text.data(), text.size(), 0, raw(at), sizeof(at)) == static_cast<ssize_t>(text.size());
}

std::string receive(const bpf::Fd& socket) {
  std::string out(65536, '\0');
  const ssize_t got = recv(socket.get(), out.data(), out.size(), 0);
  out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return out;
}

std::uint64_t stream(const TwoSubnets& net, std::uint64_t bytes) {
  constexpr std::uint16_t kPort = 5001;
  const bpf::Fd listener = open_socket(net.pod_b, SOCK_STREAM);
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const sockaddr_in at = socket_address(kPodB, kPort);
  MARGAY_CHECK(bind(listener.get(), raw(at), sizeof(at)) == 0 && listen(listener.get(), 1) == 0);
  const bpf::Fd client = open_socket(net.pod_a, SOCK_STREAM);
  if (connect(client.get(), raw(at), sizeof(at)) != 0) return 0;
  const bpf::Fd server(accept(listener.get(), nullptr, nullptr));
  std::thread sending([&] {
    const std::vector<char> piece(std::size_t{128} * 1024);
    std::uint64_t left = bytes;
    while (left > 0) {
      const ssize_t sent = send(client.get(), piece.data(), std::min<std::uint64_t>(piece.size(), left), MSG_NOSIGNAL);
      if (sent <= 0) break;
      left -= static_cast<std::uint64_t>(sent);
    }
    shutdown(client.get(), SHUT_WR);
  });
  std::vector<char> buffer(std::size_t{256} * 1024);
  std::uint64_t arrived = 0;
  for (ssize_t got = 1; got > 0; arrived += got > 0 ? static_cast<std::uint64_t>(got) : 0)
    got = recv(server.get(), buffer.data(), buffer.size(), 0);
  sending.join();
  return arrived;
}

}  // namespace margay::ipip
