#include <algorithm>

#include "base/core/text.h"
#include "policy/lint/checks.h"

namespace margay::policy {
namespace {

bool holds(const PeerView& peer, const IpAddress& address) {
  const auto contains = [&address](const IpPrefix& net) { return net.contains(address); };
  return std::any_of(peer.nets.begin(), peer.nets.end(), contains) &&
         std::none_of(peer.not_nets.begin(), peer.not_nets.end(), contains);
}

std::vector<std::size_t> pods_in(const Scene& scene, const PeerView& peer) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < scene.endpoints().size(); ++i) {
    const SceneEndpoint& each = scene.endpoints()[i];
    if (each.key.kind == model::Kind::kHostEndpoint) continue;
    if (std::any_of(each.addresses.begin(), each.addresses.end(), [&](const auto& a) { return holds(peer, a); })) {
      out.push_back(i);
    }
  }
  return out;
}

std::string ranges_of_pods(const World& world) {
  std::vector<std::string> texts;
  for (const auto& [key, node] : world.all<model::Node>()) {
    for (const IpPrefix& range : node->spec.pod_cidrs) texts.push_back(range.to_string());
  }
  return join(texts, ", ");
}

void check_pods(const LintInput& input, const PolicyView& view, const PeerView& peer, Findings& out) {
  const std::vector<std::size_t> pods = pods_in(input.scene, peer);
  if (pods.empty()) return;
  const std::string ranges = ranges_of_pods(input.scene.world());
  out.push_back({.object = view.key,
                 .field = peer.field,
                 .severity = Severity::kWarning,
                 .rule = "net-holds-pods",
                 .what = concat("the range holds addresses of pods: ", some_of(input.scene, pods)),
                 .to_do = concat("addresses of pods change: use selectors for pods, and leave the range of pods out",
                                 ranges.empty() ? "" : concat(" (", ranges, ")"))});
}

void check_services(const LintInput& input, const PolicyView& view, const PeerView& peer, Findings& out) {
  for (const auto& [key, service] : input.scene.world().all<model::Service>()) {
    for (const model::ClusterIp& each : service->spec.cluster_ips) {
      const bool is_alone = std::any_of(peer.nets.begin(), peer.nets.end(), [&each](const IpPrefix& net) {
        return each.address && net == IpPrefix::host(*each.address);
      });
      if (!is_alone) continue;
      out.push_back({.object = view.key,
                     .field = peer.field,
                     .severity = Severity::kError,
                     .rule = "net-is-service",
                     .what = concat(each.address->to_string(), " is the address of Service ", key.name_space, '/',
                                    key.name, ": policies see the address of the pod behind it"),
                     .to_do = "select the Service's pods by their labels"});
    }
  }
}

}  // namespace

void check_nets(const LintInput& input, Findings& out) {
  for (const PolicyView& view : input.views) {
    for (const auto* rules : {&view.ingress, &view.egress}) {
      for (const RuleView& rule : *rules) {
        for (const PeerView& peer : rule.peers) {
          if (peer.nets.empty()) continue;
          check_pods(input, view, peer, out);
          check_services(input, view, peer, out);
        }
      }
    }
  }
}

}  // namespace margay::policy
