// IPPool and IPReservation (projectcalico.org/v3): which addresses there are to give out, and which of them never.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip/prefix.h"
#include "datastore/model/meta.h"

namespace margay::model {

// For IP-in-IP and VXLAN alike.
enum class EncapMode { kNever, kAlways, kCrossSubnet };
template <>
struct EnumText<EncapMode> {
  static constexpr std::string_view kWords[] = {"Never", "Always", "CrossSubnet"};
};

enum class IpPoolUse { kWorkload, kTunnel, kLoadBalancer };
template <>
struct EnumText<IpPoolUse> {
  static constexpr std::string_view kWords[] = {"Workload", "Tunnel", "LoadBalancer"};
};

enum class AssignmentMode { kAutomatic, kManual };
template <>
struct EnumText<AssignmentMode> {
  static constexpr std::string_view kWords[] = {"Automatic", "Manual"};
};

inline constexpr int kBlockSizeV4Default = 26;
inline constexpr int kBlockSizeV6Default = 122;

struct IpPoolSpec {
  IpPrefix cidr;                           // never changes
  std::optional<std::int32_t> block_size;  // prefix length; 26 or 122; never changes
  EncapMode ipip_mode = EncapMode::kNever;
  EncapMode vxlan_mode = EncapMode::kNever;
  bool nat_outgoing = false;  // to addresses outside of all pools
  bool disabled = false;      // no new addresses from it; it is still routed
  bool disable_bgp_export = false;
  std::string node_selector;                                    // "" is all()
  std::string namespace_selector;                               // "": every namespace
  std::vector<IpPoolUse> allowed_uses;                          // empty: Workload and Tunnel
  AssignmentMode assignment_mode = AssignmentMode::kAutomatic;  // Manual: only pods that name the pool

  [[nodiscard]] int block_length() const {
    return block_size.value_or(cidr.is_v4() ? kBlockSizeV4Default : kBlockSizeV6Default);
  }
  friend bool operator==(const IpPoolSpec&, const IpPoolSpec&) = default;
};

struct IpPool {
  static constexpr Kind kKind = Kind::kIpPool;

  ObjectMeta metadata;
  IpPoolSpec spec;
  ConditionsStatus status;  // Allocatable: OK, CIDROverlap, Terminating, PoolDisabled

  friend bool operator==(const IpPool&, const IpPool&) = default;
};

struct IpReservationSpec {
  std::vector<IpPrefix> reserved_cidrs;

  friend bool operator==(const IpReservationSpec&, const IpReservationSpec&) = default;
};

struct IpReservation {
  static constexpr Kind kKind = Kind::kIpReservation;

  ObjectMeta metadata;
  IpReservationSpec spec;

  friend bool operator==(const IpReservation&, const IpReservation&) = default;
};

}  // namespace margay::model
