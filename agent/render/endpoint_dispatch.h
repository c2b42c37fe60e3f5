// Endpoint dispatch: the chains that send packets to those of workloads and host endpoints, for all of them. Pure.
#pragma once

#include <map>
#include <string>

#include "agent/render/endpoint_rules.h"
#include "agent/render/host_endpoints.h"
#include "agent/render/settings.h"

namespace margay::render {

// To and from workloads, where an unknown interface drops, and whose sources the check by routes skips. `by_address`:
// from them also by their addresses, where a packet does not say any more which interface it came by.
EndpointChains workload_dispatch(const std::map<std::string, const policy::Endpoint*>& workloads,
                                 const Settings& settings, bool by_address);

// To and from host endpoints, in each table that asks them; an interface without one goes on.
EndpointChains host_dispatch(const HostChoice& choice, const Endpoints& endpoints, const Settings& settings);

}  // namespace margay::render
