// What is to be sent to the API server so that our Node object says what it should; "" when it says so already. Pure.
#pragma once

#include <string>

#include "base/core/time.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/node_networking.h"

namespace margay::startup {

// A merge patch (RFC 7396) of the annotations that differ, and of no other.
std::string annotations_patch(const model::Node& node, const model::NodeNetworking& wanted);

// Of the condition NetworkUnavailable ("Node conditions" in the documentation of Kubernetes): a strategic merge patch
// of the subresource status. Nodes of some clouds are born with the condition and a taint, and get pods once it is
// False.
// Of any condition. Its time of transition is that of its status, whatever becomes of the words.
struct Condition {
  std::string type;
  model::ConditionStatus status = model::ConditionStatus::kUnknown;
  std::string reason, message;
};
std::string condition_patch(const model::Node& node, const Condition& wanted, WallTime now);

enum class Availability : std::uint8_t { kUp, kDown };
std::string availability_patch(const model::Node& node, Availability wanted, WallTime now);

}  // namespace margay::startup
