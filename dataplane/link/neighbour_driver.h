// NeighbourDriver: the permanent neighbours, proxied neighbours and forwarding entries of interfaces that are ours.
//
//   kNeighbour   address is at MAC             ARP, ND (NUD_PERMANENT)
//   kProxy       we answer for address         proxy ND, proxy ARP of single addresses (NTF_PROXY)
//   kForwarding  MAC is behind node's address  FDB of a VXLAN device (AF_BRIDGE, NTF_SELF)
//
// Invariants
//   1. Only entries of these kinds on interfaces given by own() are ours; what the kernel learns there is not touched.
//   2. Nothing is removed before allow_removal().
// Interfaces are told by index: one that was removed and made again is another one, its entries have gone with it.
// Thread: the dataplane's. Source: linux/neighbour.h.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/delta/delta_tracker.h"
#include "base/ip/address.h"
#include "base/ip/ids.h"
#include "base/ip/mac.h"
#include "dataplane/driver/driver.h"
#include "dataplane/netlink/netlink.h"

namespace margay::link {

enum class NeighbourKind : std::uint8_t { kNeighbour, kProxy, kForwarding };

struct NeighbourKey {
  NeighbourKind kind = NeighbourKind::kNeighbour;
  IfIndex interface;
  IpAddress address;  // of kNeighbour and kProxy
  Mac mac;            // of kForwarding
  friend constexpr auto operator<=>(const NeighbourKey&, const NeighbourKey&) = default;
  [[nodiscard]] std::string to_string() const;  // "neighbour 10.0.0.5 on interface 7"
};

class NeighbourDriver final : public dataplane::Driver {
 public:
  // `kernel`: of NETLINK_ROUTE.
  explicit NeighbourDriver(netlink::Netlink& kernel) : kernel_(kernel) {}

  // Entries of this kind on this interface are ours: those that nobody wants are removed.
  void own(IfIndex interface, NeighbourKind kind);
  // Not ours any more, as it has gone or belongs to others: nothing is wanted on it and nothing touched.
  void disown(IfIndex interface);

  // The interface must be ours for the kind.
  void set_neighbour(IfIndex interface, const IpAddress& address, const Mac& mac);
  void set_proxy(IfIndex interface, const IpAddress& address);
  void set_forwarding(IfIndex interface, const Mac& mac, const IpAddress& node);
  void remove(const NeighbourKey& key);
  void allow_removal() { may_remove_ = true; }

  // A message of the group RTNLGRP_NEIGH. True if apply() has something to do now.
  bool note_event(const netlink::MessageView& message);
  // Also after an interface went down: the kernel has dropped its entries.
  void queue_resync() override { needs_resync_ = true; }
  dataplane::ApplyReport apply(TimePoint now) override;

  [[nodiscard]] std::size_t desired_count() const { return entries_.desired_count(); }
  [[nodiscard]] std::size_t actual_count() const { return entries_.actual_count(); }

 private:
  struct Target {
    Mac mac;            // of kNeighbour
    IpAddress address;  // of kForwarding
    friend bool operator==(const Target&, const Target&) = default;
  };
  using Found = std::map<NeighbourKey, Target>;
  struct Heard {
    NeighbourKey key;
    Target target;
    bool is_kept = false;  // it is there, and stays until somebody takes it away
  };

  void set(const NeighbourKey& key, const Target& target);
  [[nodiscard]] bool is_ours(const NeighbourKey& key) const;
  [[nodiscard]] bool owns_any(NeighbourKind kind) const;
  static std::optional<Heard> parse(const netlink::MessageView& message);
  Status resync();
  Status read(NeighbourKind kind, int family, Found& found);
  bool send(dataplane::ApplyReport& report);
  static void add_request(netlink::Batch& batch, std::uint16_t type, const NeighbourKey& key, const Target& target);

  netlink::Netlink& kernel_;
  std::map<IfIndex, std::set<NeighbourKind>> owned_;
  DeltaTracker<NeighbourKey, Target> entries_;
  bool needs_resync_ = true;
  bool may_remove_ = false;
  dataplane::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
};

}  // namespace margay::link
