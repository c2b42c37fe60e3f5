// Snapshots as JSON: the one form that the local socket, netctl and tests read. Names are camelCase, times in seconds.
#pragma once

#include <string>

#include "base/json/value.h"
#include "bgp/speaker/snapshot.h"

namespace margay::bgp {

// Why there is no session, as far as it is known; empty: there is one.
std::string problem_of(const PeerSnapshot& peer);
json::Value to_json(const PeerSnapshot& peer);
json::Value to_json(const RouteSnapshot& route);
// {asNumber, routerID, restarting, uptimeSeconds, problems}
json::Value speaker_json(const SpeakerSnapshot& snapshot);

}  // namespace margay::bgp
