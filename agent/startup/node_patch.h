// What is to be sent to the API server so that our Node object says what it should; "" when it says so already. Pure.
#pragma once

#include <string>
#include <vector>

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

struct Condition {
  std::string type;
  model::ConditionStatus status = model::ConditionStatus::kUnknown;
  std::string reason, message;
  bool in_any_words = false;  // whoever says so
  friend bool operator==(const Condition&, const Condition&) = default;
};
// A strategic merge patch of the subresource status with those that differ. The time of a transition is that of the
// status, whatever becomes of the words.
std::string conditions_patch(const model::Node& node, const std::vector<Condition>& wanted, WallTime now);

// "Node conditions" in the documentation of Kubernetes. Nodes of some clouds are born with it and a taint, and get pods
// once it is False.
Condition network_available();

// What the dataplane is made of on this kernel, and why; for people.
struct DataplaneNote {
  std::string message;
  bool is_whole = true;  // no feature of the kernel is missing
  friend bool operator==(const DataplaneNote&, const DataplaneNote&) = default;
};

Condition dataplane_condition(const DataplaneNote& note);  // MargayDataplane

}  // namespace margay::startup
