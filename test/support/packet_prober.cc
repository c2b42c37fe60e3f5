#include "test/support/packet_prober.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/core/check.h"
#include "cni/plugin/pod_interface.h"
#include "dataplane/netlink/netlink.h"
#include "test/support/probe_packets.h"

namespace margay::test {
namespace {

constexpr std::size_t kRoundMax = 4000;  // each question about TCP is a descriptor
constexpr int kAttempts = 4;
constexpr int kRoomBytes = 1 << 23;  // for what has arrived
constexpr std::uint16_t kFencePort = 9;

struct SocketAddress {
  SocketAddress(const IpAddress& address, std::uint16_t port) {
    const auto bytes = address.bytes();
    if (address.is_v4()) {
      auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
      std::memcpy(&v4->sin_addr, bytes.data(), 4);
      size = sizeof(sockaddr_in);
    } else {
      auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
      std::memcpy(&v6->sin6_addr, bytes.data(), 16);
      size = sizeof(sockaddr_in6);
    }
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t size = 0;
};

// Bound in the namespace the thread is in. Aborts: an address that is not there is a broken test bed.
int bound_socket(int type, int protocol, const IpAddress& address, std::uint16_t port) {
  const int fd = socket(address.is_v4() ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  const int one = 1;
  MARGAY_CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
  if (type != SOCK_STREAM) (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kRoomBytes, sizeof(kRoomBytes));
  const SocketAddress where(address, type == SOCK_RAW ? 0 : port);
  const bool is_bound = bind(fd, where.get(), where.size) == 0;
  if (!is_bound) std::fprintf(stderr, "%s port %d: %s\n", address.to_string().c_str(), port, std::strerror(errno));
  MARGAY_CHECK(is_bound);
  return fd;
}

void close_at_once(int fd) {
  const linger none{1, 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  close(fd);
}

void send_to(int fd, const IpAddress& address, std::uint16_t port, std::string_view payload) {
  const SocketAddress to(address, port);
  (void)sendto(fd, payload.data(), payload.size(), 0, to.get(), to.size);
}

// Everything that has arrived.
void receive_all(int fd, const std::function<void(std::string_view, const sockaddr_storage&, socklen_t)>& take) {
  char buffer[2048];
  sockaddr_storage from{};
  for (;;) {
    socklen_t size = sizeof(from);
    const ssize_t got = recvfrom(fd, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0 && errno != EAGAIN) continue;  // an error of an earlier packet
    if (got < 0) return;
    take(std::string_view(buffer, static_cast<std::size_t>(got)), from, size);
  }
}

int raw_protocol(ProbeProtocol protocol, IpFamily family) {
  if (protocol == ProbeProtocol::kSctp) return IPPROTO_SCTP;
  return family == IpFamily::kV4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
}

// The calling thread stays on the processor it is on.
class OneProcessor {
 public:
  OneProcessor() {
    MARGAY_CHECK(sched_getaffinity(0, sizeof(before_), &before_) == 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
    MARGAY_CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
  }
  ~OneProcessor() { (void)sched_setaffinity(0, sizeof(before_), &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_{};
};

}  // namespace

// Two namespaces beside the pods, and a datagram from one to the other through the node: as many hops as from pod to
// pod, and no policy in between.
struct PacketProber::Fence {
  explicit Fence(const NetSpace& node) {
    plug(node, a, "fence-a", "198.18.0.1");
    plug(node, b, "fence-b", "198.18.0.2");
    a.call([this] { sender = bound_socket(SOCK_DGRAM, 0, IpAddress::parse("198.18.0.1").value(), 0); });
    b.call([this] { receiver = bound_socket(SOCK_DGRAM, 0, to, kFencePort); });
  }
  ~Fence() {
    close(sender);
    close(receiver);
  }
  Fence(const Fence&) = delete;
  Fence& operator=(const Fence&) = delete;

  static void plug(const NetSpace& node, const NetSpace& space, const std::string& interface,
                   const std::string& address) {
    cni::InterfacePlan plan;
    plan.host_name = interface;
    plan.addresses = {IpPrefix::parse_cidr_or_address(address).value()};
    node.call([&] { MARGAY_CHECK(cni::PodNetns::open(space.path()).value().make_pair(plan).ok()); });
    std::string mac;
    space.call([&] { mac = cni::configure(plan).value().to_string(); });
    node.ip({"route add " + address + " dev " + interface,
             "neigh replace " + address + " lladdr " + mac + " dev " + interface + " nud permanent"});
  }

  // Returns when what was sent before has arrived, or never will.
  void pass() const {
    for (int attempt = 0; attempt < 100; ++attempt) {
      send_to(sender, to, kFencePort, "fence");
      pollfd waiting{receiver, POLLIN, 0};
      const bool has_passed = poll(&waiting, 1, 200) == 1;
      receive_all(receiver, [](std::string_view, const sockaddr_storage&, socklen_t) {});
      if (has_passed) return;
    }
    MARGAY_CHECK(false && "nothing passes the node at all");
  }

  IpAddress to = IpAddress::parse("198.18.0.2").value();
  NetSpace a, b;
  int sender = -1, receiver = -1;
};

// One round of questions: all sockets of it, and what came.
class PacketProber::Round {
 public:
  Round(const std::vector<ProbeQuestion>& questions, std::vector<ProbeAnswer>& answers)
      : questions_(questions), answers_(answers) {}
  ~Round() {
    for (const auto& [fd, number] : connections_) close_at_once(fd);
    for (const auto& [place, fd] : sockets_) close(fd);
  }
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  void listen(std::vector<std::size_t> which) {
    in_each(std::move(which), &ProbeQuestion::to, [this](std::size_t number) { listen_for(questions_[number]); });
  }
  void send(std::vector<std::size_t> which) {
    in_each(std::move(which), &ProbeQuestion::from, [this](std::size_t number) { send_one(number); });
  }
  // What has arrived is answered; what has been answered is noted.
  void receive();

 private:
  enum class Role : std::uint8_t { kListener, kSender, kRaw };
  // By protocol, role, namespace, address and port.
  using Place = std::tuple<ProbeProtocol, Role, const NetSpace*, IpAddress, std::uint16_t>;

  void in_each(std::vector<std::size_t> which, const NetSpace* ProbeQuestion::*end,
               const std::function<void(std::size_t)>& task);
  int socket_at(const Place& place);
  void listen_for(const ProbeQuestion& question);
  void send_one(std::size_t number);
  void connect_one(std::size_t number);
  void note_connections();
  void receive_on(const Place& place, int fd);
  void note(std::uint32_t number, ProbeAnswer answer) {
    if (number < answers_.size() && answers_[number] < answer) answers_[number] = answer;
  }

  const std::vector<ProbeQuestion>& questions_;
  std::vector<ProbeAnswer>& answers_;
  std::map<Place, int> sockets_;
  std::vector<std::pair<int, std::size_t>> connections_;
};

void PacketProber::Round::in_each(std::vector<std::size_t> which, const NetSpace* ProbeQuestion::*end,
                                  const std::function<void(std::size_t)>& task) {
  std::stable_sort(which.begin(), which.end(),
                   [&](std::size_t a, std::size_t b) { return questions_[a].*end < questions_[b].*end; });
  for (auto first = which.begin(); first != which.end();) {
    const NetSpace* space = questions_[*first].*end;
    const auto last =
        std::find_if(first, which.end(), [&](std::size_t number) { return questions_[number].*end != space; });
    space->call([&] { std::for_each(first, last, task); });
    first = last;
  }
}

// In the namespace of the place.
int PacketProber::Round::socket_at(const Place& place) {
  const auto found = sockets_.find(place);
  if (found != sockets_.end()) return found->second;
  const auto& [protocol, role, space, address, port] = place;
  int fd = -1;
  if (role == Role::kRaw) {
    fd = bound_socket(SOCK_RAW, raw_protocol(protocol, address.family()), address, 0);
  } else if (protocol == ProbeProtocol::kUdp) {
    fd = bound_socket(SOCK_DGRAM, 0, address, port);
  } else {
    fd = bound_socket(SOCK_STREAM, 0, address, port);
    MARGAY_CHECK(::listen(fd, 4096) == 0);
  }
  return sockets_[place] = fd;
}

void PacketProber::Round::listen_for(const ProbeQuestion& question) {
  const ProbeProtocol protocol = question.protocol;
  if (protocol == ProbeProtocol::kIcmp) return;  // the kernel answers
  if (protocol == ProbeProtocol::kSctp) {
    (void)socket_at({protocol, Role::kRaw, question.to, question.destination, 0});
    return;
  }
  (void)socket_at({protocol, Role::kListener, question.to, question.destination, question.destination_port});
}

void PacketProber::Round::send_one(std::size_t number) {
  const ProbeQuestion& question = questions_[number];
  const auto name = static_cast<std::uint32_t>(number);
  switch (question.protocol) {
    case ProbeProtocol::kTcp: return connect_one(number);
    case ProbeProtocol::kUdp: {
      const int fd =
          socket_at({ProbeProtocol::kUdp, Role::kSender, question.from, question.source, question.source_port});
      return send_to(fd, question.destination, question.destination_port,
                     std::string_view(reinterpret_cast<const char*>(&name), sizeof(name)));
    }
    case ProbeProtocol::kSctp: {
      const int fd = socket_at({ProbeProtocol::kSctp, Role::kRaw, question.from, question.source, 0});
      const std::uint16_t any_port = static_cast<std::uint16_t>(20000 + number % 40000);
      const std::uint16_t source_port = question.source_port == 0 ? any_port : question.source_port;
      return send_to(fd, question.destination, 0, sctp_init({source_port, question.destination_port}, name));
    }
    case ProbeProtocol::kIcmp: {
      const int fd = socket_at({ProbeProtocol::kIcmp, Role::kRaw, question.from, question.source, 0});
      return send_to(fd, question.destination, 0, echo_request(question.destination.family(), name));
    }
  }
}

void PacketProber::Round::connect_one(std::size_t number) {
  const ProbeQuestion& question = questions_[number];
  const int fd = bound_socket(SOCK_STREAM, 0, question.source, question.source_port);
  const SocketAddress to(question.destination, question.destination_port);
  (void)connect(fd, to.get(), to.size);
  connections_.emplace_back(fd, number);
}

void PacketProber::Round::receive() {
  note_connections();  // before their other ends are closed
  for (const auto& [place, fd] : sockets_) receive_on(place, fd);
}

void PacketProber::Round::note_connections() {
  std::vector<pollfd> polled;
  for (const auto& [fd, number] : connections_) polled.push_back({fd, POLLOUT, 0});
  if (polled.empty() || poll(polled.data(), polled.size(), 0) < 0) return;
  for (std::size_t i = 0; i < polled.size(); ++i) {
    if ((polled[i].revents & (POLLOUT | POLLERR | POLLHUP)) != POLLOUT) continue;
    note(static_cast<std::uint32_t>(connections_[i].second), ProbeAnswer::kAnswered);
  }
}

void PacketProber::Round::receive_on(const Place& place, int fd) {
  const auto& [protocol, role, space, address, port] = place;
  if (protocol == ProbeProtocol::kTcp) {
    for (int accepted = -1; (accepted = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) close_at_once(accepted);
    return;
  }
  const IpFamily family = address.family();
  receive_all(
      fd, [&, protocol = protocol, role = role](std::string_view packet, const sockaddr_storage& from, socklen_t size) {
        const auto* to = reinterpret_cast<const sockaddr*>(&from);
        if (protocol == ProbeProtocol::kUdp) {
          std::uint32_t number = 0;
          if (packet.size() != sizeof(number)) return;
          std::memcpy(&number, packet.data(), sizeof(number));
          note(number, role == Role::kListener ? ProbeAnswer::kOneWay : ProbeAnswer::kAnswered);
          if (role == Role::kListener) (void)sendto(fd, packet.data(), packet.size(), 0, to, size);
          return;
        }
        const std::string_view payload = payload_of(family, packet);
        if (protocol == ProbeProtocol::kIcmp) {
          if (const auto number = read_echo_reply(family, payload)) note(*number, ProbeAnswer::kAnswered);
          return;
        }
        const auto sctp = read_sctp(payload);
        if (!sctp) return;
        note(sctp->number, sctp->is_answer ? ProbeAnswer::kAnswered : ProbeAnswer::kOneWay);
        if (sctp->is_answer) return;
        const std::string answer = sctp_init_ack({sctp->ports.destination, sctp->ports.source}, sctp->number);
        (void)sendto(fd, answer.data(), answer.size(), 0, to, size);
      });
}

PacketProber::PacketProber(const NetSpace& node) : node_(node), fence_(std::make_unique<Fence>(node)) {}
PacketProber::~PacketProber() = default;

// So that no answer of an earlier connection opens the way for a new one with the same ports.
void PacketProber::forget_connections() const {
  node_.call([] {
    const auto kernel = netlink::open_netlink(NETLINK_NETFILTER).value();
    netlink::Batch batch;
    for (const int family : {AF_INET, AF_INET6}) {
      netlink::Request request = batch.add((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, 0);
      request.header(nfgenmsg{static_cast<std::uint8_t>(family), NFNETLINK_V0, 0});
    }
    MARGAY_CHECK(kernel->apply(batch).transport.ok());
  });
}

void PacketProber::ask_some(const std::vector<ProbeQuestion>& questions, const std::vector<std::size_t>& which,
                            std::vector<ProbeAnswer>& answers) {
  forget_connections();
  for (std::size_t begin = 0; begin < which.size(); begin += kRoundMax) {
    const auto first = which.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = which.begin() + static_cast<std::ptrdiff_t>(std::min(which.size(), begin + kRoundMax));
    Round round(questions, answers);
    round.listen({first, last});
    round.send({first, last});
    fence_->pass();
    round.receive();  // requests
    fence_->pass();
    round.receive();  // answers
  }
}

std::vector<ProbeAnswer> PacketProber::ask(const std::vector<ProbeQuestion>& questions) {
  const OneProcessor one_processor;
  std::vector<ProbeAnswer> answers(questions.size(), ProbeAnswer::kNothing);
  std::vector<std::size_t> due(questions.size());
  for (std::size_t i = 0; i < due.size(); ++i) due[i] = i;
  for (int attempt = 0; attempt < kAttempts && !due.empty(); ++attempt) {
    if (attempt > 0) {
      repeated_ += due.size();
      (void)poll(nullptr, 0, 50 * attempt);
    }
    ask_some(questions, due, answers);
    std::erase_if(due, [&](std::size_t number) {
      return !questions[number].is_expected || answers[number] == ProbeAnswer::kAnswered;
    });
  }
  return answers;
}

}  // namespace margay::test
