// Rules of projectcalico.org/v3 out of the peers and ports of a rule of Kubernetes: one for each protocol and peer, as
// a rule there has one protocol. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datastore/model/meta.h"
#include "datastore/model/rule.h"

namespace margay::policy {

enum class RuleSide { kIngress, kEgress };

// Pods in the namespaces that a rule or policy names otherwise: the labels, of endpoints that are pods.
std::string pods_selector(const model::LabelTerms& terms);
// Nodes with the labels, as the calculation knows them by (names.h, kKindLabel).
std::string nodes_selector(const model::LabelTerms& terms);

// Numbers that touch or overlap as ranges, sorted, after the names; untouched when there is nothing to join.
std::vector<model::PortOrName> simplified(std::vector<model::PortOrName> ports);

class PortsByProtocol {
 public:
  struct Ports {
    std::optional<model::Protocol> protocol;
    bool is_any = false;
    std::vector<model::PortOrName> ports;  // meaningless if is_any
  };

  // Without a port: all of the protocol.
  void add(model::Protocol protocol, std::optional<model::PortOrName> port);
  // In the order of the protocols' names; one without protocol and ports when nothing was added.
  [[nodiscard]] std::vector<Ports> groups() const;

 private:
  std::map<std::string, Ports> groups_;
};

// `like` for each protocol and then each peer; `side` says which end the peer is. Ports are always the destination's.
std::vector<model::Rule> rules_of(const model::Rule& like, RuleSide side, const PortsByProtocol& ports,
                                  const std::vector<model::EntityRule>& peers);

}  // namespace margay::policy
