// Names of chains and sets, and how comments name objects.
//
// A name that would be too long for the kernel, or has characters that iptables or ipset would read otherwise, ends in
// "_" and the first characters of a digest; the same input always gets the same name. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip/address.h"
#include "datastore/model/key.h"

namespace margay::render {

// Of a packet, seen from the endpoint.
enum class Direction { kIngress, kEgress };

inline constexpr std::string_view kInputChain = "margay-INPUT";
inline constexpr std::string_view kForwardChain = "margay-FORWARD";
inline constexpr std::string_view kOutputChain = "margay-OUTPUT";
inline constexpr std::string_view kPreroutingChain = "margay-PREROUTING";
inline constexpr std::string_view kPostroutingChain = "margay-POSTROUTING";
inline constexpr std::string_view kFromWorkloads = "margay-from-wl";
inline constexpr std::string_view kToWorkloads = "margay-to-wl";
inline constexpr std::string_view kWorkloadToHost = "margay-wl-to-host";
inline constexpr std::string_view kFromHosts = "margay-from-hep";
inline constexpr std::string_view kToHosts = "margay-to-hep";
inline constexpr std::string_view kFromHostsForward = "margay-from-hepfw";
inline constexpr std::string_view kToHostsForward = "margay-to-hepfw";
inline constexpr std::string_view kFailsafeIn = "margay-failsafe-in";
inline constexpr std::string_view kFailsafeOut = "margay-failsafe-out";
inline constexpr std::string_view kRpfSkip = "margay-rpf-skip";
inline constexpr std::string_view kCidrBlock = "margay-cidr-block";
inline constexpr std::string_view kIpvs = "margay-ipvs";
inline constexpr std::string_view kFromWorkloadAddress = "margay-from-wl-ip";
inline constexpr std::string_view kNatOutgoing = "margay-nat-outgoing";

// Sets that are not of policy, to be given to set_name.
inline constexpr std::string_view kPools = "pools";
inline constexpr std::string_view kMasqueradePools = "masq-pools";
inline constexpr std::string_view kHosts = "hosts";
inline constexpr std::string_view kIpipPeers = "ipip-peers";
inline constexpr std::string_view kVxlanPeers = "vxlan-peers";
inline constexpr std::string_view kIpvsServices = "ipvs-services";

// "margay-tw-cali1234" of "tw" and "cali1234".
std::string chain_name(std::string_view prefix, std::string_view id);
std::string policy_chain(Direction direction, const model::ObjectKey& policy);
std::string profile_chain(Direction direction, std::string_view profile);
// Of policies in this order.
std::string group_chain(Direction direction, const std::vector<model::ObjectKey>& policies);
// "margay4s:…"
std::string set_name(IpFamily family, std::string_view id);

// "NetworkPolicy default/a", "GlobalNetworkPolicy a"
std::string readable(const model::ObjectKey& object);

// A name that iptables takes literally after -i and -o: no blank, no "+" at its end, at most 15 bytes.
bool is_interface_name(std::string_view name);

}  // namespace margay::render
