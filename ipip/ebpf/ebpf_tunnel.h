// EbpfTunnel: IP-in-IP without the kernel's ipip device: two programs at tc of the uplinks put on and take off the
// outer header. The same packets on the wire, so nodes of both kinds work together.
//
//   pod ─▶ route to the node's prefix by the uplink ─▶ egress: header on ─▶ wire
//   wire ─▶ ingress: sender known? header off ─▶ the packet as if it had arrived plain ─▶ policy, pod
//
// What the routes must be (their owner's part): to the remote prefix through the uplink, by the next hop that leads to
// the node, with an MTU of the uplink's less kOverheadBytes, and with the tunnel address as preferred source.
//
// The programs stay when the process ends, with all they look up: a restart or a crash is felt by nobody. The next life
// finds them at the interfaces, takes their maps over and replaces the programs in one step.
//
// Thread: one, and always in the node's network namespace. Source: RFC 2003, RFC 6040.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include "base/core/result.h"
#include "base/ip/address.h"
#include "base/ip/ids.h"
#include "base/ip/prefix.h"
#include "dataplane/driver/driver.h"
#include "ipip/ebpf/tunnel_layout.h"

namespace margay::ipip {

inline constexpr std::uint32_t kOverheadBytes = 20;

// "unknown sender", …: for metrics and people.
std::string_view to_string(DropIndex reason);

struct TunnelStats {
  std::map<IpAddress, NodeTraffic> nodes;    // those there was traffic with
  std::map<DropIndex, std::uint64_t> drops;  // all reasons
};

class EbpfTunnel final : public dataplane::Driver {
 public:
  // Loads the programs and finds what an earlier life left in this network namespace; changes nothing. kUnsupported,
  // kPermissionDenied or kInvalid with the verifier's words when the kernel does not take them.
  static Result<std::unique_ptr<EbpfTunnel>> open();
  ~EbpfTunnel() override;

  // All that is wanted has to be told before the first apply(): it removes what is not. Addresses and prefixes of IPv6
  // are passed over.
  //
  // nullopt: none any more.
  void set_remote(const IpPrefix& prefix, const std::optional<IpAddress>& node);
  void set_remotes(const std::map<IpPrefix, IpAddress>& remotes);
  // Another node's and reached plain, like an address that a node of our own subnet borrowed from a tunnelled block.
  // Takes the place of set_remote() for that prefix, and the other way round.
  void set_plain(const IpPrefix& prefix);
  // Blocks of this node. A packet out of the tunnel with a source in them is spoofed; what another node has borrowed of
  // them is among the remotes.
  void set_own_prefixes(const std::set<IpPrefix>& prefixes);
  // Outer sources that are taken, and whose traffic is counted.
  void set_senders(const std::set<IpAddress>& senders);
  // The outer source; all own addresses to which tunnelled packets may come.
  void set_addresses(const std::optional<IpAddress>& source, const std::set<IpAddress>& own);
  // Interfaces that are uplinks, or become such with the first pool that wants it: they are made ready, which costs a
  // packet or two where nothing was at tc (bpf::make_hook()).
  void set_hooks(const std::set<IfIndex>& interfaces);
  // Where remote nodes are reached; interfaces with Ethernet headers.
  void set_uplinks(const std::set<IfIndex>& uplinks);

  void queue_resync() override;
  dataplane::ApplyReport apply(TimePoint now) override;

  [[nodiscard]] Result<TunnelStats> stats() const;
  // Takes the programs off all interfaces; for when another implementation has taken over.
  Status detach();

 private:
  class Impl;
  explicit EbpfTunnel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Whether this kernel takes the programs, attaches them and does what they ask: tried in a network namespace of its
// own, in a few milliseconds. The error says what is missing.
Status supported();
// Takes the programs off all interfaces of this network namespace: another implementation was chosen.
Status remove_leftovers();

}  // namespace margay::ipip
