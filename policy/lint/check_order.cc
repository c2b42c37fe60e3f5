// Rules that are never reached. Structure alone is compared: what is said to be covered is, but not all that is covered
// is found.
#include <algorithm>

#include "base/core/text.h"
#include "policy/lint/checks.h"

namespace margay::policy {
namespace {

using model::RuleAction;

bool within(const IpPrefix& net, const std::vector<IpPrefix>& nets) {
  return std::any_of(nets.begin(), nets.end(), [&net](const IpPrefix& each) { return each.contains(net); });
}

// Whether everyone that `narrow` speaks of is one that `wide` speaks of.
bool covers(const PeerView& wide, const PeerView& narrow) {
  if (wide == narrow) return true;
  if (wide.is_narrow || !wide.not_nets.empty()) return false;
  if (wide.selector && wide.selector != narrow.selector) return false;
  if (wide.nets.empty()) return true;
  return !narrow.nets.empty() && std::all_of(narrow.nets.begin(), narrow.nets.end(),
                                             [&wide](const IpPrefix& net) { return within(net, wide.nets); });
}

bool covers(const PortView& wide, const PortView& narrow) {
  if (wide.protocol && wide.protocol != narrow.protocol) return false;
  if (!wide.port || wide.port == narrow.port) return true;
  if (!narrow.port) return false;
  const PortRange* outer = wide.port->range();
  const PortRange* inner = narrow.port->range();
  return outer != nullptr && inner != nullptr && outer->contains(inner->first()) && outer->contains(inner->last());
}

template <class T>
bool covers_all(const std::vector<T>& wide, const std::vector<T>& narrow) {
  if (wide.empty()) return true;
  if (narrow.empty()) return false;
  return std::all_of(narrow.begin(), narrow.end(), [&wide](const T& each) {
    return std::any_of(wide.begin(), wide.end(), [&each](const T& other) { return covers(other, each); });
  });
}

bool covers(const RuleView& wide, const RuleView& narrow) {
  return !wide.is_narrow && covers_all(wide.peers, narrow.peers) && covers_all(wide.ports, narrow.ports);
}

bool is_for_everything(const RuleView& rule) { return !rule.is_narrow && rule.peers.empty() && rule.ports.empty(); }

// One finding a rule: the first that leaves nothing to it.
void check_rules(const PolicyView& view, const std::vector<RuleView>& rules, Findings& out) {
  for (std::size_t later = 0; later < rules.size(); ++later) {
    for (std::size_t earlier = 0; earlier < rules.size(); ++earlier) {
      if (earlier == later || rules[earlier].action == RuleAction::kLog) continue;
      if (!view.only_allows && earlier > later) break;
      if (!covers(rules[earlier], rules[later])) continue;
      // Of two equal rules that only allow, the second is the one too many.
      if (view.only_allows && earlier > later && covers(rules[later], rules[earlier])) continue;
      out.push_back(
          {.object = view.key,
           .field = rules[later].field,
           .severity = view.only_allows ? Severity::kRemark : Severity::kWarning,
           .rule = view.only_allows ? "redundant-rule" : "unreachable-rule",
           .what = concat(view.only_allows ? "allows nothing that " : "is never reached: ", rules[earlier].field,
                          view.only_allows ? " does not allow already" : " decides all of it before"),
           .to_do = view.only_allows ? "remove one of the two" : "move it before that rule, or remove it"});
      break;
    }
  }
}

bool is_subset(const std::vector<std::size_t>& small, const std::vector<std::size_t>& large) {
  return std::includes(large.begin(), large.end(), small.begin(), small.end());
}

struct Way {
  bool PolicyView::*has;
  std::vector<RuleView> PolicyView::*rules;
  std::string_view word;
};

// A policy that decides everything for its pods leaves nothing to later ones of the tier for the same pods.
void check_against(const LintInput& input, const PolicyView& earlier, const PolicyView& later, const Way& way,
                   Findings& out) {
  if (earlier.is_staged || later.is_staged || earlier.tier != later.tier) return;
  if (!(earlier.*way.has) || !(later.*way.has) || (later.*way.rules).empty()) return;
  if (earlier.only_allows && later.only_allows) return;  // they add up, whatever their order
  const std::vector<RuleView>& rules = earlier.*way.rules;
  const auto all = std::find_if(rules.begin(), rules.end(), [](const RuleView& rule) {
    return rule.action != RuleAction::kLog && is_for_everything(rule);
  });
  if (all == rules.end()) return;
  const std::vector<std::size_t> subject = input.scene.matches_of(later.subject);
  if (subject.empty() || !is_subset(subject, input.scene.matches_of(earlier.subject))) return;
  out.push_back({.object = later.key,
                 .field = concat("spec.", way.word),
                 .severity = Severity::kWarning,
                 .rule = "shadowed-policy",
                 .what = concat("is never reached: ", all->field, " of ", earlier.key.to_string(),
                                ", which stands before it in tier ", earlier.tier, ", decides everything for ",
                                some_of(input.scene, subject)),
                 .to_do = "give this policy a lower order, or make that rule narrower"});
}

}  // namespace

void check_order(const LintInput& input, Findings& out) {
  const Way ways[] = {{&PolicyView::has_ingress, &PolicyView::ingress, "ingress"},
                      {&PolicyView::has_egress, &PolicyView::egress, "egress"}};
  for (std::size_t later = 0; later < input.views.size(); ++later) {
    const PolicyView& view = input.views[later];
    check_rules(view, view.ingress, out);
    check_rules(view, view.egress, out);
    for (const Way& way : ways) {
      const std::size_t before = out.size();
      for (std::size_t earlier = 0; earlier < later && out.size() == before; ++earlier) {
        check_against(input, input.views[earlier], view, way, out);
      }
    }
  }
}

}  // namespace margay::policy
