// Conditions in the status of objects: which one is there, and the patch that changes one of them. Pure.
// Source: Kubernetes API conventions, "Typical status properties".
#pragma once

#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "datastore/model/meta.h"

namespace margay::controllers {

// nullptr: there is none.
const model::Condition* condition_of_type(const std::vector<model::Condition>& said, std::string_view type);

// They differ in their time at most.
bool says_the_same(const model::Condition& a, const model::Condition& b);

// A merge patch of `…/status` that puts `ours` in the place of what `said` has of its type; it keeps that one's time if
// the status stays. The list is sent as a whole, as a merge patch cannot change one of its members (RFC 7396);
// `resource_version` says whose list it was.
json::Value condition_patch(std::string_view resource_version, const std::vector<model::Condition>& said,
                            model::Condition ours);

}  // namespace margay::controllers
