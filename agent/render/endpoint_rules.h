// Endpoint rules: what the chains of workloads and of hosts have in common, from the state of the connection to the end
// where nothing allowed the packet. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/render/policy_book.h"
#include "agent/render/policy_groups.h"
#include "agent/render/settings.h"
#include "agent/render/shared_chains.h"
#include "dataplane/iptables/rule.h"
#include "policy/desired/policy.h"

namespace margay::render {

using Rules = std::vector<iptables::Rule>;

struct EndpointContext {
  const Settings& settings;
  const PolicyBook& book;
  SharedChains& shared;
  std::vector<IpFamily> families;  // that the endpoint has chains of
};

// The chains of one interface, and the shared ones that they jump to.
struct EndpointChains {
  std::vector<std::pair<iptables::TableId, iptables::Chain>> chains;
  std::vector<SharedChains::Use> uses;
};

// What happens at the end: of tiers, and of all.
enum class ChainKind {
  kNormal,     // a tier denies unless it passes; then the profiles; then deny
  kForward,    // a tier denies unless it passes; then the packet passes
  kUntracked,  // a tier decides only by its rules; what is allowed is not tracked
  kPreDnat,    // a tier decides only by its rules
};

// The tiers and profiles of one direction as chains to jump to: the same for both families.
struct TierUnits {
  std::string tier;
  bool denies_at_end = true;
  std::vector<std::string> chains;
};
struct DirectionUnits {
  Table table = Table::kFilter;
  ChainKind kind = ChainKind::kNormal;
  std::vector<TierUnits> tiers;
  std::vector<std::string> profiles;
};

// Uses the chains; the uses are added to `out`.
DirectionUnits units_of(const policy::EndpointPolicy& policy, Direction direction, Table table, ChainKind kind,
                        const EndpointContext& context, EndpointChains& out);

// Packets of connections that are there pass; those that belong to none are dropped.
void add_connection_state(Rules& rules, Table table, const Settings& settings);
// From clearing the marks to the end.
void add_policy(Rules& rules, const DirectionUnits& units, const Settings& settings);

}  // namespace margay::render
