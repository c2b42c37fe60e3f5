// Two nodes in different subnets with a pod each, and a router between them that knows nothing of pods; in network
// namespaces of this process, gone with the objects. For tests and the benchmark; needs root, ip(8). Not part of any
// library.
//
//   pod_a 192.168.1.5 ─ cali0 ─ node_a 10.1.0.1 ═ eth0 ═ port_a ─ router ─ port_b ═ eth0 ═ node_b 10.2.0.1 ─ cali0 ─
//   pod_b 192.168.2.5
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ip/ids.h"
#include "dataplane/bpf/object.h"
#include "ipip/ebpf/ebpf_tunnel.h"

namespace margay::ipip {

class Space {
 public:
  Space();
  // Runs `task` with the calling thread inside; sockets made there stay there.
  void call(const std::function<void()>& task) const;
  // A command line tool, its output.
  [[nodiscard]] std::string run(const std::string& line) const;
  // ip(8), one command a line; what it says of the first that fails.
  [[nodiscard]] std::string ip(const std::vector<std::string>& lines) const;
  void set_sysctl(const std::string& name, const std::string& value) const;
  [[nodiscard]] IfIndex index_of(const std::string& interface) const;
  // A name of the namespace that other programs can open.
  [[nodiscard]] std::string file() const;

 private:
  bpf::Fd file_;
};

class TwoSubnets {
 public:
  // Why it could not be made; "": it is there.
  std::string error;

  TwoSubnets();
  // The tunnel of both nodes, as the agent would run it; what failed, or "".
  std::string start_tunnels();
  // The same by the kernel's ipip device, where this kernel has it.
  [[nodiscard]] std::string start_kernel_tunnels() const;
  // The tunnel of one node, told all it needs and not applied. Call inside the node.
  [[nodiscard]] std::unique_ptr<EbpfTunnel> make_tunnel(bool is_a) const;
  // The router learns where the pods are, for traffic without tunnel.
  std::string teach_router() const;

  Space pod_a, node_a, router, node_b, pod_b;
  std::unique_ptr<EbpfTunnel> tunnel_a, tunnel_b;

 private:
  [[nodiscard]] std::string connect() const;
};

inline constexpr const char* kPodA = "192.168.1.5";
inline constexpr const char* kPodB = "192.168.2.5";

// A UDP socket in that namespace, bound there; waits at most two seconds for what it is asked to receive.
bpf::Fd udp_socket(const Space& space, const std::string& address, std::uint16_t port);
bool send_to(const bpf::Fd& socket, const std::string& address, std::uint16_t port, const std::string& text);
// "": nothing came.
std::string receive(const bpf::Fd& socket);

// One TCP connection from pod_a to pod_b that carries so many bytes; how many arrived.
std::uint64_t stream(const TwoSubnets& net, std::uint64_t bytes);

}  // namespace margay::ipip
