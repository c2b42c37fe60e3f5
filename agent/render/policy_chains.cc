#include "agent/render/policy_chains.h"

#include <string_view>
#include <utility>

#include "agent/render/conditions.h"
#include "agent/render/policy_groups.h"
#include "agent/render/rules.h"
#include "base/core/text.h"

namespace margay::render {
namespace {

std::string_view word(Direction direction) { return direction == Direction::kIngress ? "ingress" : "egress"; }

const std::vector<policy::Rule>& rules_of(const policy::RuleSet& rules, Direction direction) {
  return direction == Direction::kIngress ? rules.ingress : rules.egress;
}

RuleOwner owner_of(const policy::Policy& policy, Direction direction) {
  const model::ObjectKey& id = policy.id;
  return {.text = concat(readable(id), ' ', word(direction)),
          .tier = policy.tier,
          .kind = std::string(model::info(id.kind).name),
          .name = id.name,
          .full_name = id.name_space.empty() ? id.name : concat(id.name_space, '/', id.name)};
}

RuleOwner owner_of(const policy::Profile& profile, Direction direction) {
  return {.text = concat("Profile ", profile.name, ' ', word(direction)),
          .tier = "",
          .kind = "Profile",
          .name = profile.name,
          .full_name = profile.name};
}

struct Render {
  Direction direction;
  const iptables::TableId& table;
  const PolicyBook& book;
  const Settings& settings;

  [[nodiscard]] std::vector<iptables::Rule> denied(std::string why) const {
    return {{.spec = std::string(deny(table.table, settings)), .comment = std::move(why)}};
  }

  [[nodiscard]] std::vector<iptables::Rule> render(const policy::RuleSet& rules, const RuleOwner& owner,
                                                   bool is_profile) const {
    return render_rules(
        rules_of(rules, direction),
        {.family = table.family, .table = table.table, .settings = settings, .owner = owner, .is_profile = is_profile});
  }

  std::vector<iptables::Rule> operator()(const PolicySource& source) const {
    const policy::Policy* policy = book.policy(source.policy);
    if (policy == nullptr) return denied(concat(readable(source.policy), " is missing"));
    return render(policy->rules, owner_of(*policy, direction), false);
  }
  std::vector<iptables::Rule> operator()(const ProfileSource& source) const {
    const policy::Profile* profile = book.profile(source.profile);
    if (profile == nullptr || profile->is_missing) return denied(concat("Profile ", source.profile, " is missing"));
    return render(profile->rules, owner_of(*profile, direction), true);
  }
  std::vector<iptables::Rule> operator()(const GroupSource& source) const {
    return group_rules(source, direction, settings);
  }
};

}  // namespace

iptables::Chain render_shared(const ChainSource& source, const iptables::TableId& table, const PolicyBook& book,
                              const Settings& settings) {
  return {.name = source.chain(), .rules = std::visit(Render{source.direction, table, book, settings}, source.what)};
}

FieldErrors problems_of(const policy::RuleSet& rules) {
  FieldErrors out;
  for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
    for (const policy::Rule& rule : rules_of(rules, direction)) {
      const std::string path = concat("spec.", word(direction), '[', rule.index, ']');
      for (FieldError& problem : problems_of(rule, path)) out.push_back(std::move(problem));
    }
  }
  return out;
}

}  // namespace margay::render
