// The agent's state as JSON; durations in seconds.
#pragma once

#include <map>
#include <string>

#include "agent/main/agent.h"
#include "base/json/value.h"

namespace margay::agent {

json::Value status_json(Agent& agent);
json::Value endpoints_json(const EndpointBook& book);
json::Value problems_json(Agent& agent);
// How tunnels are made, and what they have carried.
json::Value tunnels_json(Agent& agent);
json::Value counters_json(const TunnelCounters& counters, const std::map<IpAddress, std::string>& names);

}  // namespace margay::agent
