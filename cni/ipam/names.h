// How the objects of address management are named, and handles: exactly as in a Calico cluster, so that its blocks are
// taken over as they are. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/ip/prefix.h"
#include "datastore/model/values.h"

namespace margay::ipam {

// "10-0-0-64-26", "fd00---122"
std::string block_name(const IpPrefix& cidr);
// "node-1-10-0-0-64-26"; above 253 bytes it is cut and ends in a digest. Virtual owners begin with "virtual-".
std::string affinity_name(const model::BlockOwner& owner, const IpPrefix& cidr);
// In small letters.
std::string handle_name(std::string_view handle);

// The pod whose sandbox the runtime named so, in the CNI network of that name: "k8s-pod-network.<container>".
std::string container_handle(std::string_view network, std::string_view container);
// Of old versions.
std::string old_pod_handle(std::string_view name_space, std::string_view pod);

enum class TunnelKind { kIpip, kVxlan, kVxlanV6, kWireguard, kWireguardV6 };
// "ipip-tunnel-addr-<node>", …
std::string tunnel_handle(TunnelKind kind, std::string_view node);
// What the attribute "type" of such an address says: "ipipTunnelAddress", …
std::string_view tunnel_type(TunnelKind kind);

inline constexpr std::string_view kWindowsReservedHandle = "windows-reserved-ipam-handle";

// Attributes of an allocation.
inline constexpr std::string_view kNamespaceAttribute = "namespace";
inline constexpr std::string_view kPodAttribute = "pod";
inline constexpr std::string_view kNodeAttribute = "node";
inline constexpr std::string_view kTimestampAttribute = "timestamp";
inline constexpr std::string_view kTypeAttribute = "type";

}  // namespace margay::ipam
