// DNS for pods whose egress is bound. With the cluster's DNS pods in the world the answer is the engine's; without them
// a rule that could let UDP 53 out is enough.
#include <algorithm>

#include "base/core/text.h"
#include "policy/lint/checks.h"
#include "policy/verdict/verdict.h"

namespace margay::policy {
namespace {

constexpr Port kDns{53};
constexpr std::string_view kDnsLabel = "k8s-app";
constexpr std::string_view kDnsApp = "kube-dns";

struct Resolver {
  IpAddress address;
  Port port;
};

std::vector<Resolver> resolvers_of(const Scene& scene) {
  std::vector<Resolver> out;
  for (const SceneEndpoint& each : scene.endpoints()) {
    if (each.labels.get(kDnsLabel) != kDnsApp) continue;
    Port port = kDns;
    for (const auto& named : each.ports) {
      if (named.protocol == model::kProtocolUdp && (named.name == "dns" || named.port == kDns)) port = named.port;
    }
    for (const IpAddress& address : each.addresses) out.push_back({address, port});
  }
  return out;
}

bool may_be_dns(const PortView& port) {
  if (port.protocol && *port.protocol != model::kProtocolUdp) return false;
  if (!port.port || port.port->range() == nullptr) return true;  // a name may be anything
  return port.port->range()->contains(kDns);
}

bool lets_dns_out(const RuleView& rule) {
  if (rule.action == model::RuleAction::kDeny || rule.action == model::RuleAction::kLog) return false;
  return rule.ports.empty() || std::any_of(rule.ports.begin(), rule.ports.end(), may_be_dns);
}

class DnsCheck {
 public:
  explicit DnsCheck(const LintInput& input) : input_(input), resolvers_(resolvers_of(input.scene)) {
    for (std::size_t i = 0; i < input.views.size(); ++i)
      subjects_.push_back(input.scene.matches_of(input.views[i].subject));
  }

  // Pods of the policy that cannot ask for names.
  std::vector<std::size_t> cut_off(std::size_t view) const {
    std::vector<std::size_t> out;
    for (const std::size_t pod : subjects_[view]) {
      const SceneEndpoint& endpoint = input_.scene.endpoints()[pod];
      if (endpoint.labels.get(kDnsLabel) == kDnsApp) continue;
      if (resolvers_.empty() ? !some_rule_lets(pod) : !reaches_a_resolver(endpoint)) out.push_back(pod);
    }
    return out;
  }

 private:
  bool some_rule_lets(std::size_t pod) const {
    for (std::size_t i = 0; i < input_.views.size(); ++i) {
      const PolicyView& view = input_.views[i];
      if (view.is_staged || !view.has_egress) continue;
      if (!std::binary_search(subjects_[i].begin(), subjects_[i].end(), pod)) continue;
      if (std::any_of(view.egress.begin(), view.egress.end(), lets_dns_out)) return true;
    }
    return false;
  }

  bool reaches_a_resolver(const SceneEndpoint& endpoint) const {
    const auto found = input_.scene.cluster().endpoint_of(endpoint.key);
    if (found == nullptr) return true;
    for (const IpAddress& address : endpoint.addresses) {
      for (const Resolver& resolver : resolvers_) {
        if (resolver.address.family() != address.family()) continue;
        Packet packet;
        packet.source = address;
        packet.destination = resolver.address;
        packet.protocol = model::kProtocolUdp;
        packet.destination_port = resolver.port;
        const Decision decision = evaluate(input_.scene.cluster().state(), *found, Direction::kEgress, packet);
        if (decision.answer == Answer::kAllow) return true;
      }
    }
    return false;
  }

  const LintInput& input_;
  std::vector<Resolver> resolvers_;
  std::vector<std::vector<std::size_t>> subjects_;
};

// What is let out besides: without any, nothing is to be named either.
bool lets_anything_out(const PolicyView& view) {
  return std::any_of(view.egress.begin(), view.egress.end(),
                     [](const RuleView& rule) { return rule.action == model::RuleAction::kAllow; });
}

}  // namespace

void check_dns(const LintInput& input, Findings& out) {
  const DnsCheck check(input);
  for (std::size_t i = 0; i < input.views.size(); ++i) {
    const PolicyView& view = input.views[i];
    if (!view.has_egress || view.is_staged) continue;
    const std::vector<std::size_t> pods = check.cut_off(i);
    if (pods.empty()) continue;
    out.push_back({.object = view.key,
                   .field = "spec.egress",
                   .severity = lets_anything_out(view) ? Severity::kWarning : Severity::kRemark,
                   .rule = "no-dns",
                   .what = concat("binds egress, and nothing allows DNS (UDP 53) for ", some_of(input.scene, pods)),
                   .to_do = "allow UDP and TCP port 53 to the cluster's DNS pods (k8s-app: kube-dns in kube-system)"});
  }
}

}  // namespace margay::policy
