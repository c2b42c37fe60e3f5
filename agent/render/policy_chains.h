// Policy chains: what stands in a chain that endpoints share: one direction of a policy or of a profile, or a group.
//
// A policy or profile that is not there denies. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/render/policy_book.h"
#include "agent/render/settings.h"
#include "agent/render/shared_chains.h"
#include "base/core/field_error.h"
#include "dataplane/iptables/rule.h"

namespace margay::render {

iptables::Chain render_shared(const ChainSource& source, const iptables::TableId& table, const PolicyBook& book,
                              const Settings& settings);

FieldErrors problems_of(const policy::RuleSet& rules);

}  // namespace margay::render
