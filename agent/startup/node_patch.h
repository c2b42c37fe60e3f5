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

// Of any condition: a strategic merge patch of the subresource status. Its time of transition is that of its status,
// whatever becomes of the words.
struct Condition {
  std::string type;
  model::ConditionStatus status = model::ConditionStatus::kUnknown;
  std::string reason, message;
};
std::string condition_patch(const model::Node& node, const Condition& wanted, WallTime now);

enum class Availability : std::uint8_t { kUp, kDown };

// What the dataplane is made of on this kernel, and why; for people.
struct DataplaneNote {
  std::string message;   // "": nothing is said
  bool is_whole = true;  // no feature of the kernel is missing
  friend bool operator==(const DataplaneNote&, const DataplaneNote&) = default;
};

// Of the conditions NetworkUnavailable ("Node conditions" in the documentation of Kubernetes) and MargayDataplane: a
// strategic merge patch of the subresource status with those that differ. Nodes of some clouds are born with the first
// and a taint, and get pods once it is False.
std::string conditions_patch(const model::Node& node, Availability wanted, const DataplaneNote& dataplane,
                             WallTime now);

}  // namespace margay::startup
