// Chains of a host endpoint, for each interface it has: to it and from it, by table:
//
//   raw     margay-fh-, margay-th-      untracked policy
//   mangle  margay-fh-                  policy before DNAT
//   mangle  margay-th-                  normal policy, for what the host sends and DNAT has changed
//   filter  margay-fh-, margay-th-      normal policy
//   filter  margay-fhfw-, margay-thfw-  forward policy
//
// Failsafe ports stay open in all but the forward chains: they keep the host within reach, not what lies behind it.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "agent/render/endpoint_rules.h"

namespace margay::render {

// Stands for every interface that no endpoint names.
inline constexpr std::string_view kAnyInterface = "*";

// The places packets are sent to the chains of host endpoints from.
enum class HostPlace { kUntrackedIn, kUntrackedOut, kPreDnat, kAfterDnat, kIn, kOut, kForwardIn, kForwardOut };
inline constexpr HostPlace kHostPlaces[] = {HostPlace::kUntrackedIn, HostPlace::kUntrackedOut, HostPlace::kPreDnat,
                                            HostPlace::kAfterDnat,   HostPlace::kIn,           HostPlace::kOut,
                                            HostPlace::kForwardIn,   HostPlace::kForwardOut};

struct HostPlaceInfo {
  Table table;
  Direction direction;
  ChainKind kind;
  std::string_view prefix;    // of the chain's name: "fh"
  std::string_view dispatch;  // the chain that sends packets there
};
HostPlaceInfo info(HostPlace place);

std::string host_chain(HostPlace place, std::string_view interface);
// Whether it has a chain there: some are only for endpoints with such policy.
bool has_chain(HostPlace place, const policy::Endpoint& endpoint);

EndpointChains render_host(std::string_view interface, const policy::Endpoint& endpoint,
                           const EndpointContext& context);

}  // namespace margay::render
