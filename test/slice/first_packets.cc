#include "test/slice/first_packets.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <thread>

#include "base/core/text.h"
#include "base/ip/prefix.h"
#include "test/slice/traffic.h"

namespace margay::test {
namespace {

using json::Array;
using json::Object;
using json::Value;
using Who = TwoNodes::Who;

constexpr std::uint16_t kTcpPort = 8080, kUdpPort = 8081;
constexpr int kBlockLength = 26;

sockaddr_in place_of(const std::string& address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &out.sin_addr);
  return out;
}

// A datagram to each address of a block each millisecond (the pace is that of poll(2) on nothing), from a pod.
class Flood {
 public:
  Flood(const NetSpace& from, const IpPrefix& block) {
    from.call([this] { socket_ = Socket(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
    for (std::uint64_t i = 0; i < places_.size(); ++i) {
      places_[i] = place_of(block.first().plus(i)->to_string(), kUdpPort);
    }
    thread_ = std::thread([this] { run(); });
  }
  ~Flood() { stop(); }
  std::size_t stop() {
    is_stopping_ = true;
    if (thread_.joinable()) thread_.join();
    return sent_;
  }

 private:
  void run() {
    while (!is_stopping_) {
      for (const sockaddr_in& place : places_) {
        const auto* where = reinterpret_cast<const sockaddr*>(&place);
        if (sendto(socket_.fd(), "x", 1, MSG_DONTWAIT, where, sizeof(place)) == 1) ++sent_;
      }
      (void)poll(nullptr, 0, 1);
    }
  }

  Socket socket_;
  std::array<sockaddr_in, 64> places_{};
  std::atomic<bool> is_stopping_ = false;
  std::size_t sent_ = 0;
  std::thread thread_;
};

// Takes what comes to any address of the pod, from before it has one.
class Ear {
 public:
  explicit Ear(const NetSpace& pod) {
    pod.call([this] {
      socket_ = Socket(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      const sockaddr_in any = place_of("0.0.0.0", kUdpPort);
      (void)bind(socket_.fd(), reinterpret_cast<const sockaddr*>(&any), sizeof(any));
    });
  }
  std::size_t count() {
    std::array<char, 16> buffer{};
    std::size_t out = 0;
    while (recv(socket_.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) ++out;
    return out;
  }

 private:
  Socket socket_;
};

class Trial {
 public:
  Trial(TwoNodes& nodes, FirstPackets& out) : nodes_(nodes), out_(out) {}

  void run(int count) {
    nodes_.create(kPolicies, Object{{"apiVersion", "projectcalico.org/v3"},
                                    {"kind", "NetworkPolicy"},
                                    {"metadata", Object{{"name", "first-packets"}, {"namespace", "default"}}},
                                    {"spec", Object{{"selector", "role == 'closed'"}, {"types", Array{"Ingress"}}}}});
    const std::string own = add("first-sender", "sender", sender_);
    if (own.empty()) return;
    Flood flood(sender_, IpPrefix::containing(IpAddress::parse(own).value(), kBlockLength));
    for (int i = 0; i < count && out_.problem.empty(); ++i) {
      try_closed(concat("first-closed-", i));
      if (out_.problem.empty()) try_open(concat("first-open-", i));
    }
    out_.sent = flood.stop();
    end("first-sender", sender_);
    nodes_.remove(kPolicies, {"default", "first-packets"});
  }

 private:
  // The address; "" and a problem when there is none.
  std::string add(const std::string& name, const std::string& role, const NetSpace& space) {
    Value pod = pod_object(name, "node-a", "");
    pod.as_object()->erase("status");
    pod["metadata"]["labels"] = Object{{"role", role}};
    nodes_.create(kPods, pod);
    const ProgramResult added = nodes_.plugin(Who::kA, "ADD", name, space);
    const auto result = json::parse(added.out);
    const Value* ips = result.ok() ? result->find("ips") : nullptr;
    if (added.exit_status != 0 || ips == nullptr || ips->as_array() == nullptr || ips->as_array()->empty()) {
      out_.problem = concat("ADD of ", name, ": ", added.out, added.err);
      return {};
    }
    return std::string(split(ips->as_array()->front().string_at({"address"}), '/').front());
  }

  void end(const std::string& name, const NetSpace& space) {
    const ProgramResult deleted = nodes_.plugin(Who::kA, "DEL", name, space);
    if (deleted.exit_status != 0) out_.problem = concat("DEL of ", name, ": ", deleted.out);
    nodes_.remove(kPods, {"default", name});
  }

  void try_closed(const std::string& name) {
    const NetSpace space;
    Ear ear(space);
    const std::string address = add(name, "closed", space);
    if (address.empty()) return;
    ++out_.closed;
    // The flood goes by a few times more.
    if (can_connect(sender_, address, kTcpPort, std::chrono::milliseconds(10))) ++out_.leaked;
    end(name, space);
    out_.leaked += ear.count();
  }

  void try_open(const std::string& name) {
    const NetSpace space;
    const TcpServer server(space, "0.0.0.0", kTcpPort);
    const std::string address = add(name, "open", space);
    if (address.empty()) return;
    ++out_.open;
    // A first packet that is lost is sent again after a second.
    if (can_connect(sender_, address, kTcpPort, std::chrono::milliseconds(500))) ++out_.passed;
    end(name, space);
  }

  TwoNodes& nodes_;
  FirstPackets& out_;
  const NetSpace sender_;
};

}  // namespace

FirstPackets try_first_packets(TwoNodes& nodes, int count) {
  FirstPackets out;
  Trial(nodes, out).run(count);
  return out;
}

}  // namespace margay::test
