// supported(): a packet through both programs, and both programs at an interface.
#include <linux/pkt_cls.h>

#include "dataplane/bpf/object.h"
#include "dataplane/bpf/raw_map.h"
#include "dataplane/bpf/tc.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "ipip/ebpf/attachments.h"
#include "ipip/ebpf/ebpf_tunnel.h"
#include "ipip/ebpf/packets.h"
#include "ipip/ebpf/program.h"
#include "ipip/ebpf/tunnel_maps.h"

namespace margay::ipip {
namespace {

constexpr IfIndex kLoopback{1};
constexpr IpAddress kNode = IpAddress::v4(0xc0000201);
constexpr IpAddress kPod = IpAddress::v4(0xc6336401);
constexpr IpAddress kRemotePod = IpAddress::v4(0xcb007101);
constexpr auto kPassed = static_cast<std::uint32_t>(TC_ACT_UNSPEC);

// A node that is its own remote node.
Status fill(const bpf::Object& object) {
  MARGAY_ASSIGN_OR_RETURN(bpf::KernelMap routes, open_map(object, "mgy_ipip1_route"));
  MARGAY_ASSIGN_OR_RETURN(bpf::KernelMap senders, open_map(object, "mgy_ipip1_known"));
  MARGAY_ASSIGN_OR_RETURN(bpf::KernelMap addresses, open_map(object, "mgy_ipip1_local"));
  MARGAY_ASSIGN_OR_RETURN(bpf::KernelMap config, open_map(object, "mgy_ipip1_conf"));
  TunnelMaps maps({routes, senders, addresses, config});
  maps.set_senders({kNode});
  maps.set_addresses(kNode, {kNode});
  maps.set_remote(IpPrefix::host(kRemotePod), kNode);
  std::size_t updated = 0;
  return maps.apply_updates(updated);
}

Result<Bytes> run(int program, const Bytes& packet) {
  MARGAY_ASSIGN_OR_RETURN(bpf::TestRun out, bpf::test_run(program, {.bytes = packet}));
  if (out.verdict == kPassed) return std::move(out.packet);
  return Error{ErrorCode::kUnsupported, "IP-in-IP by eBPF: the kernel refused to change a packet"};
}

Status there_and_back(int in, int out) {
  const Bytes packet = ethernet(ipv4({.from = kPod, .to = kRemotePod}, Bytes(64, 1)));
  MARGAY_ASSIGN_OR_RETURN(const Bytes outside, run(out, packet));
  MARGAY_ASSIGN_OR_RETURN(const Bytes back, run(in, outside));
  if (outside.size() == packet.size() + kOverheadBytes && back == packet) return ok_status();
  return Error{ErrorCode::kUnsupported, "IP-in-IP by eBPF: a packet did not come out as it went in"};
}

}  // namespace

Status supported() {
  MARGAY_ASSIGN_OR_RETURN(const auto space, netlink::ScratchNamespace::enter());
  MARGAY_ASSIGN_OR_RETURN(const bpf::Object object, load_tunnel());
  MARGAY_RETURN_IF_ERROR(fill(object));
  MARGAY_ASSIGN_OR_RETURN(const int in, object.program(kInProgram));
  MARGAY_ASSIGN_OR_RETURN(const int out, object.program(kOutProgram));
  MARGAY_RETURN_IF_ERROR(there_and_back(in, out));
  MARGAY_RETURN_IF_ERROR(bpf::attach(place_of(kLoopback, bpf::Direction::kIngress), in));
  return bpf::attach(place_of(kLoopback, bpf::Direction::kEgress), out);
}

}  // namespace margay::ipip
