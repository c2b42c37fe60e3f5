// Plan: which remote prefixes this node reaches how, and what its tunnels need, as values.
//
// Who applies a delta does all of it at once: routes and learned_rule together, and routes with the metric of those
// that BGP teaches (1024), so that a pool that changes its mode is one replacing write a prefix. A tunnel that is not
// wanted any more should stay for some minutes: other nodes hear of the change later than we do and still send through
// it (peers are known whatever the pools say).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip/address.h"
#include "base/ip/mac.h"
#include "base/ip/prefix.h"
#include "datastore/model/ip_pool.h"

namespace margay::ipip {

enum class Carrier : std::uint8_t {
  kPlain,  // by the node's address, on our own link
  kIpip,   // by the node's address, onlink through the IP-in-IP device
  kVxlan,  // by the address of the node's VXLAN device, onlink through ours
};
std::string_view to_string(Carrier carrier);  // "plain", "ipip", "vxlan"

struct RemoteRoute {
  Carrier carrier = Carrier::kPlain;
  IpAddress gateway;
  std::string node;
  friend bool operator==(const RemoteRoute&, const RemoteRoute&) = default;
};

// A remote node's end of the VXLAN of one family: FDB and neighbour entries are made from it.
struct Vtep {
  IpAddress tunnel_address;  // of its device
  Mac mac;
  IpAddress node_address;  // the outer destination
  friend bool operator==(const Vtep&, const Vtep&) = default;
};
struct VtepKey {
  std::string node;
  IpFamily family = IpFamily::kV4;
  friend auto operator<=>(const VtepKey&, const VtepKey&) = default;
};

// Our own end of one kind of tunnel.
struct LocalTunnel {
  bool is_wanted = false;                   // a pool uses it
  std::optional<IpAddress> address{};       // of the device; nullopt: none has been assigned yet
  std::optional<Mac> mac{};                 // VXLAN
  std::optional<IpAddress> node_address{};  // the outer source
  friend bool operator==(const LocalTunnel&, const LocalTunnel&) = default;
};
struct LocalTunnels {
  LocalTunnel ipip;
  LocalTunnel vxlan_v4;
  LocalTunnel vxlan_v6;
  friend bool operator==(const LocalTunnels&, const LocalTunnels&) = default;
};

// How a route that BGP taught leaves this node. Immutable: shared with the dataplane's loop.
class LearnedRule {
 public:
  struct Pool {
    IpPrefix cidr;
    model::EncapMode ipip = model::EncapMode::kNever;
    model::EncapMode vxlan = model::EncapMode::kNever;
    friend bool operator==(const Pool&, const Pool&) = default;
  };
  LearnedRule() = default;
  // `subnets`: our own links; `nodes`: addresses of the other nodes that take IP-in-IP, sorted.
  LearnedRule(std::vector<Pool> pools, std::vector<IpPrefix> subnets, std::vector<IpAddress> nodes);

  // kIpip: through the IP-in-IP device to next_hop, onlink. kVxlan: not from BGP, the plan has its own route; a learnt
  // one is not to be used. kPlain: as learnt. A next hop that is no node cannot take tunnelled packets.
  [[nodiscard]] Carrier carrier_of(const IpPrefix& prefix, const IpAddress& next_hop) const;

  friend bool operator==(const LearnedRule&, const LearnedRule&) = default;

 private:
  std::vector<Pool> pools_;  // by prefix
  std::vector<IpPrefix> subnets_;
  std::vector<IpAddress> nodes_;
};

// Addresses that came and went.
struct PeerChange {
  std::set<IpAddress> added, removed;
  void merge(const PeerChange& later);
  [[nodiscard]] bool empty() const { return added.empty() && removed.empty(); }
  friend bool operator==(const PeerChange&, const PeerChange&) = default;
};

// What changed; merges on its way (loop::Channel).
struct PlanDelta {
  std::map<IpPrefix, std::optional<RemoteRoute>> routes;  // nullopt: none any more
  std::map<VtepKey, std::optional<Vtep>> vteps;
  std::map<IpPrefix, bool> local_blocks;  // ours, for blackhole routes; false: not any more
  PeerChange ipip_peers;                  // who may send us IP-in-IP: addresses of nodes
  PeerChange vxlan_peers;                 // VXLAN, both families
  std::optional<LocalTunnels> local;
  std::shared_ptr<const LearnedRule> learned_rule;  // nullptr: as before

  void merge(PlanDelta&& later);
  [[nodiscard]] bool empty() const;
};

}  // namespace margay::ipip
