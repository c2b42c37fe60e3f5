#include "agent/render/policy_groups.h"

#include <string_view>
#include <utility>

namespace margay::render {
namespace {

// After so many jumps a packet that is decided leaves; in between it would only fail the matches of the jumps.
constexpr std::size_t kReturnEvery = 5;

using Keys = std::vector<model::ObjectKey>;

ChainSource unit_of(Keys policies, Direction direction) {
  if (policies.size() == 1) return {direction, PolicySource{std::move(policies.front())}};
  return {direction, GroupSource{std::move(policies)}};
}

}  // namespace

std::vector<ChainSource> policy_units(const std::vector<policy::PolicyRef>& policies, Direction direction,
                                      const PolicyBook& book) {
  std::vector<ChainSource> out;
  Keys open;
  const std::string* open_selector = nullptr;
  for (const policy::PolicyRef& ref : policies) {
    if (ref.is_staged) continue;
    const policy::Policy* policy = book.policy(ref.id);
    const std::string* selector = policy == nullptr ? nullptr : &policy->selector;
    const bool is_same = selector != nullptr && open_selector != nullptr && *selector == *open_selector;
    if (!open.empty() && !is_same) out.push_back(unit_of(std::exchange(open, {}), direction));
    open.push_back(ref.id);
    open_selector = selector;
  }
  if (!open.empty()) out.push_back(unit_of(std::move(open), direction));
  return out;
}

std::vector<iptables::Rule> group_rules(const GroupSource& group, Direction direction, const Settings& settings) {
  const std::uint32_t decided = settings.marks.accept | settings.marks.pass;
  std::vector<iptables::Rule> out;
  std::size_t count = 0;
  for (const model::ObjectKey& policy : group.policies) {
    const bool is_certain = count % kReturnEvery == 0;
    if (is_certain && count > 0) out.push_back({.spec = spec({has_some_mark(decided), kReturn})});
    out.push_back({.spec = spec({is_certain ? "" : has_no_mark(decided), jump(policy_chain(direction, policy))}),
                   .comment = readable(policy)});
    ++count;
  }
  return out;
}

}  // namespace margay::render
