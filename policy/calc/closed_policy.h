// What is enforced of a policy of which not all can be read, or that contradicts itself: it fails closed (D-110), as an
// absent one denies nothing.
//
//   a rule with an error         Allow and Log do nothing; Deny, Pass and what nobody can read deny everything
//   an error elsewhere in spec   the policy allows nothing: its Allow rules do nothing, Pass denies, Deny stays; and of
//                                what cannot be read the widest is meant:
//     whom it is for             all of its namespace; without one all workloads, but no hosts: a node that is cut off
//                                could not hear that the policy has been mended
//     in which directions        both
//     in which place             the first of its tier
//
// Pure.
#pragma once

#include "base/core/field_error.h"
#include "policy/calc/policy_source.h"

namespace margay::policy {

// `policy` is what could be made of `source`, with `errors`, which are not empty.
void close_policy(const PolicySource& source, const FieldErrors& errors, CompiledPolicy& policy);

}  // namespace margay::policy
