// Policy groups: policies of a tier that stand behind one another and have the same selector apply to the same
// endpoints; two and more of them become one chain that these endpoints share. Pure.
#pragma once

#include <vector>

#include "agent/render/policy_book.h"
#include "agent/render/settings.h"
#include "agent/render/shared_chains.h"
#include "dataplane/iptables/rule.h"
#include "policy/desired/policy.h"

namespace margay::render {

// What an endpoint's chain jumps to for one tier and direction, in order. Staged policies are left out.
std::vector<ChainSource> policy_units(const std::vector<policy::PolicyRef>& policies, Direction direction,
                                      const PolicyBook& book);

std::vector<iptables::Rule> group_rules(const GroupSource& group, Direction direction, const Settings& settings);

}  // namespace margay::render
