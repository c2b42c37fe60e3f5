#include <algorithm>

#include "base/core/text.h"
#include "policy/lint/checks.h"
#include "policy/translate/names.h"

namespace margay::policy {
namespace {

using selector::Node;
using selector::Selector;

bool names_a_namespace(const std::string& label) {
  return label == kNamespaceLabel || label == "pcns.kubernetes.io/metadata.name" ||
         label == "pcns.projectcalico.org/name";
}

// Names of namespaces that the selector demands: one of them, in a conjunction.
void demanded_namespaces(const Node& node, std::vector<std::string>& out) {
  if (node.kind == Node::Kind::kAnd) {
    for (const Node& operand : node.operands) demanded_namespaces(operand, out);
  }
  const bool is_demand = node.kind == Node::Kind::kEqual || node.kind == Node::Kind::kIn;
  if (is_demand && names_a_namespace(node.label)) out.insert(out.end(), node.values.begin(), node.values.end());
}

std::vector<std::string> missing_namespaces(const Scene& scene, const Selector& selector) {
  if (scene.namespaces().empty()) return {};
  std::vector<std::string> names;
  demanded_namespaces(selector.root(), names);
  std::vector<std::string> out;
  for (const std::string& name : names) {
    if (!scene.namespaces().contains(name)) out.push_back(name);
  }
  return out;
}

std::string listed(const std::set<std::string>& names) {
  constexpr std::size_t kShownMax = 6;
  std::vector<std::string> some;
  for (const std::string& name : names) {
    if (some.size() < kShownMax) some.push_back(name);
  }
  return concat(join(some, ", "), names.size() > kShownMax ? ", …" : "");
}

// A policy of a namespace that is not there selects nothing for that reason; the object's own place is no mistake of a
// selector.
void check_subject(const LintInput& input, const PolicyView& view, Findings& out) {
  if (input.scene.endpoints().empty() || !input.scene.matches_of(view.subject).empty()) return;
  out.push_back({.object = view.key,
                 .field = view.subject_field,
                 .severity = Severity::kWarning,
                 .rule = "selects-nothing",
                 .what = concat("selects no pod: nothing matches ", view.subject_text),
                 .to_do = "compare with the labels of the pods that are meant; pods on the host's network are never "
                          "selected"});
}

void check_peer(const LintInput& input, const PolicyView& view, const PeerView& peer, Findings& out) {
  if (!peer.selector || input.scene.endpoints().empty()) return;
  for (const std::string& name : missing_namespaces(input.scene, *peer.selector)) {
    out.push_back({.object = view.key,
                   .field = peer.field,
                   .severity = Severity::kError,
                   .rule = "no-such-namespace",
                   .what = concat("names namespace ", name, ", which does not exist"),
                   .to_do = concat("name one that does: ", listed(input.scene.namespaces()))});
    return;
  }
  if (!input.scene.matches_of(*peer.selector).empty() || input.scene.matches_a_set(*peer.selector)) return;
  out.push_back({.object = view.key,
                 .field = peer.field,
                 .severity = Severity::kWarning,
                 .rule = "peer-matches-nothing",
                 .what = concat("no pod and no network set matches ", peer.text),
                 .to_do = "compare with the labels of the pods and namespaces that are meant"});
}

}  // namespace

void check_selectors(const LintInput& input, Findings& out) {
  for (const PolicyView& view : input.views) {
    check_subject(input, view, out);
    for (const auto* rules : {&view.ingress, &view.egress}) {
      for (const RuleView& rule : *rules) {
        for (const PeerView& peer : rule.peers) check_peer(input, view, peer, out);
      }
    }
  }
}

}  // namespace margay::policy
