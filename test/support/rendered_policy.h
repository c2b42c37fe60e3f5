// RenderedPolicy: deltas of policy through the renderer of iptables into an IptablesNode, so that a packet can be asked
// there what policy/verdict answers for it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/render/iptables_renderer.h"
#include "policy/verdict/verdict.h"
#include "test/support/iptables_node.h"

namespace margay::test {

// Without failsafe ports: policy alone decides.
model::FelixConfigurationSpec policy_only_settings();

class RenderedPolicy {
 public:
  // Of endpoints of hosts only those of workloads count: the verdict between two ends does not ask the hosts' either.
  enum class Hosts { kIgnored, kRendered };

  explicit RenderedPolicy(Hosts hosts = Hosts::kIgnored);

  // What is wrong afterwards (IptablesNode); empty: nothing. Workloads without an interface get one.
  std::vector<std::string> apply(const policy::Delta& delta);
  // From one end to the other through this node; null: an outsider.
  [[nodiscard]] Walked walk(const policy::Packet& packet, const policy::Endpoint* source,
                            const policy::Endpoint* destination) const;
  // "" for one that was not applied.
  [[nodiscard]] std::string interface_of(const policy::Endpoint* endpoint) const;

  [[nodiscard]] render::IptablesRenderer& renderer() { return renderer_; }
  [[nodiscard]] const IptablesNode& node() const { return node_; }

 private:
  std::shared_ptr<const policy::Endpoint> with_interface(const policy::ObjectKey& key,
                                                         const std::shared_ptr<const policy::Endpoint>& endpoint);

  const Hosts hosts_;
  render::IptablesRenderer renderer_;
  IptablesNode node_;
  std::map<policy::ObjectKey, std::shared_ptr<const policy::Endpoint>> endpoints_;  // as applied
  std::map<policy::ObjectKey, std::string> names_;                                  // of interfaces, once given
  std::map<const policy::Endpoint*, std::string> interfaces_;
};

NodePacket node_packet(const policy::Packet& packet);

}  // namespace margay::test
