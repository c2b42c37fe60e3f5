// Snapshots as JSON: the one form that the local socket, netctl and tests read. Names are camelCase, times in seconds.
#pragma once

#include "base/json/value.h"
#include "bgp/speaker/snapshot.h"

namespace margay::bgp {

json::Value to_json(const PeerSnapshot& peer);
json::Value to_json(const RouteSnapshot& route);
// {asNumber, routerID, restarting, uptimeSeconds, problems}
json::Value speaker_json(const SpeakerSnapshot& snapshot);

}  // namespace margay::bgp
