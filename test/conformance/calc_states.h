// Calico's states of a datastore (calc-states), as objects of the calculation.
#pragma once

#include <string>
#include <vector>

#include "base/json/value.h"
#include "policy/calc/input.h"

namespace margay::conformance {

// One key of a state as the inputs it stands for; none for what the calculation does not know (routes, nodes, …). The
// same object may be spread over two keys (the rules and the labels of a profile): `state` is the whole, an array of
// {key, key_type, value}.
std::vector<policy::Input> inputs_of(const json::Value& state);

// What a state of the calculation is compared by, and what is expected of it, as JSON of one shape: ip_sets,
// active_policies, active_profiles, endpoint_tiers, untracked_tiers, pre_dnat_tiers.
json::Value comparable(const json::Value& expected);

}  // namespace margay::conformance
