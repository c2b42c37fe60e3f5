// What is to be sent to the API server so that our Node object says what it should; "" when it says so already. Pure.
#pragma once

#include <string>

#include "agent/startup/host_interface.h"
#include "base/core/time.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/node_networking.h"

namespace margay::startup {

// A merge patch (RFC 7396) of the annotations that differ, and of no other.
std::string annotations_patch(const model::Node& node, const model::NodeNetworking& wanted);

// The annotation projectcalico.org/Interfaces, by which templates of host endpoints with an interfacePattern are
// applied (controllers/node): interfaces that have an address others can reach, but those of pods, containers, tunnels
// and service proxies, which come and go with them.
std::string interfaces_patch(const model::Node& node, const HostInterfaces& interfaces);

// Of the condition NetworkUnavailable ("Node conditions" in the documentation of Kubernetes): a strategic merge patch
// of the subresource status. Nodes of some clouds are born with the condition and a taint, and get pods once it is
// False.
enum class Availability : std::uint8_t { kUp, kDown };
std::string availability_patch(const model::Node& node, Availability wanted, WallTime now);

}  // namespace margay::startup
