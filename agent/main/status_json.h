// The agent's state as JSON; durations in seconds.
#pragma once

#include "agent/main/agent.h"
#include "base/json/value.h"

namespace margay::agent {

json::Value status_json(Agent& agent);
json::Value endpoints_json(const EndpointBook& book);
json::Value problems_json(Agent& agent);

}  // namespace margay::agent
