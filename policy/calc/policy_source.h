// PolicySource: the four kinds of policy as one, and what the calculation makes of each: its head and its rules.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/core/field_error.h"
#include "datastore/model/policy.h"
#include "policy/calc/exchange.h"
#include "policy/calc/input.h"
#include "policy/calc/rule_compiler.h"

namespace margay::policy {

struct PolicySource {
  Shared<model::PolicySpec> spec;  // null: absent
  std::string name_space;
  bool is_staged = false;
  FieldErrors errors;  // what could not be read, and of the object's own rules (datastore/codec/validate.h)

  friend bool operator==(const PolicySource& a, const PolicySource& b);
};

// Null spec for an absent object, for one that is no policy, and for staged policies that are not there to be Set.
PolicySource policy_source_of(const ObjectValue& value);

struct CompiledPolicy {
  PolicyHead head;
  CompiledRules rules;  // with errors the policy fails closed (closed_policy.h)
};
// `source.spec` is not null.
CompiledPolicy compile_policy(const PolicySource& source);

// Types as given, else by which rules there are; a preDNAT policy has ingress only.
struct PolicyDirections {
  bool ingress = false;
  bool egress = false;
};
PolicyDirections directions_of(const model::PolicySpec& spec);

}  // namespace margay::policy
