#include "agent/render/endpoint_rules.h"

#include <utility>

#include "base/core/text.h"

namespace margay::render {
namespace {

using policy::TierPolicies;

const std::vector<TierPolicies>& tiers_of(const policy::EndpointPolicy& policy, ChainKind kind) {
  switch (kind) {
    case ChainKind::kNormal: return policy.normal;
    case ChainKind::kForward: return policy.forward;
    case ChainKind::kUntracked: return policy.untracked;
    case ChainKind::kPreDnat: return policy.pre_dnat;
  }
  return policy.normal;
}

class UnitMaker {
 public:
  UnitMaker(Direction direction, const EndpointContext& context, Table table, EndpointChains& out)
      : direction_(direction), context_(context), table_(table), out_(out) {}

  std::string use(const ChainSource& source) {
    for (const IpFamily family : context_.families) {
      out_.uses.push_back(context_.shared.use({family, table_}, source));
    }
    return source.chain();
  }

  TierUnits tier(const TierPolicies& tier) {
    const auto& policies = direction_ == Direction::kIngress ? tier.ingress : tier.egress;
    TierUnits out{
        .tier = tier.tier, .denies_at_end = tier.default_action == model::TierDefaultAction::kDeny, .chains = {}};
    for (const ChainSource& unit : policy_units(policies, direction_, context_.book)) out.chains.push_back(use(unit));
    return out;
  }

 private:
  const Direction direction_;
  const EndpointContext& context_;
  const Table table_;
  EndpointChains& out_;
};

void add_tier(Rules& rules, const TierUnits& tier, const DirectionUnits& units, const Settings& settings) {
  const Marks& marks = settings.marks;
  const std::string undecided = has_no_mark(marks.pass);
  rules.push_back({.spec = clear_mark(marks.pass), .comment = concat("tier ", tier.tier)});
  for (const std::string& chain : tier.chains) {
    rules.push_back({.spec = spec({undecided, jump(chain)})});
    if (units.kind == ChainKind::kUntracked) {
      rules.push_back({.spec = spec({has_mark(marks.accept), "-j CT --notrack"})});
    }
    rules.push_back({.spec = spec({has_mark(marks.accept), kReturn})});
  }
  const bool can_deny = units.kind == ChainKind::kNormal || units.kind == ChainKind::kForward;
  if (!can_deny || !tier.denies_at_end) return;
  rules.push_back(
      {.spec = spec({undecided, deny(units.table, settings)}), .comment = concat("end of tier ", tier.tier)});
}

}  // namespace

DirectionUnits units_of(const policy::EndpointPolicy& policy, Direction direction, Table table, ChainKind kind,
                        const EndpointContext& context, EndpointChains& out) {
  UnitMaker maker(direction, context, table, out);
  DirectionUnits units{.table = table, .kind = kind, .tiers = {}, .profiles = {}};
  for (const TierPolicies& tier : tiers_of(policy, kind)) {
    TierUnits made = maker.tier(tier);
    // Without a policy that is enforced in this direction a tier says nothing.
    if (!made.chains.empty()) units.tiers.push_back(std::move(made));
  }
  if (kind == ChainKind::kNormal) {
    for (const std::string& profile : policy.profiles) {
      units.profiles.push_back(maker.use({direction, ProfileSource{profile}}));
    }
  }
  return units;
}

void add_connection_state(Rules& rules, Table table, const Settings& settings) {
  const Marks& marks = settings.marks;
  const std::string known = "-m conntrack --ctstate RELATED,ESTABLISHED";
  if (allow(table, settings) == kAccept) {
    rules.push_back({.spec = spec({known, kAccept})});
  } else {
    rules.push_back({.spec = spec({known, set_mark(marks.accept, marks.accept | marks.pass)})});
    rules.push_back({.spec = spec({known, kReturn})});
  }
  if (settings.drops_invalid)
    rules.push_back({.spec = spec({"-m conntrack --ctstate INVALID", deny(table, settings)})});
}

void add_policy(Rules& rules, const DirectionUnits& units, const Settings& settings) {
  const Marks& marks = settings.marks;
  rules.push_back({.spec = clear_mark(marks.accept | marks.pass)});
  for (const TierUnits& tier : units.tiers) add_tier(rules, tier, units, settings);
  if (units.kind == ChainKind::kForward) {
    rules.push_back({.spec = set_mark(marks.accept), .comment = "no policy decides about what is forwarded"});
  }
  if (units.kind != ChainKind::kNormal) return;
  for (const std::string& profile : units.profiles) {
    rules.push_back({.spec = jump(profile)});
    rules.push_back({.spec = spec({has_mark(marks.accept), kReturn})});
  }
  rules.push_back({.spec = std::string(deny(units.table, settings)), .comment = "no policy or profile allows it"});
}

}  // namespace margay::render
