// From the rules a user wrote to those dataplanes render: selectors, named ports and services become IP sets.
//
// Pure. Rules of a namespaced policy see their own namespace unless they say otherwise (endpoint_selector.h). What
// cannot be rendered fails closed: an Allow, Pass or Log that asks for HTTP is left out, a Deny is kept without it.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "base/core/field_error.h"
#include "datastore/model/rule.h"
#include "policy/desired/policy.h"
#include "policy/index/set_index.h"

namespace margay::policy {

struct CompiledRules {
  RuleSet rules;
  std::map<IpSetId, SetSource> sets;  // all that the rules name
  FieldErrors errors;                 // what is wrong; the rules are no more than a beginning then
  FieldErrors left_out;               // what fails closed in rules that are right
};

// `name_space` is the policy's, "" for a global one or a profile.
CompiledRules compile_rules(const std::vector<model::Rule>& ingress, const std::vector<model::Rule>& egress,
                            std::string_view name_space);

}  // namespace margay::policy
