// NodeFacts: what BGP needs to know of a node. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/core/field_error.h"
#include "base/core/string_map.h"
#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "bgp/wire/family.h"
#include "datastore/model/kubernetes.h"

namespace margay::agent {

struct NodeFacts {
  bgp::PerFamily<std::optional<IpAddress>> address;
  std::optional<Asn> asn;
  std::optional<RouterId> cluster_id;
  StringMap labels;
  friend bool operator==(const NodeFacts&, const NodeFacts&) = default;

  [[nodiscard]] bool has_address() const;
  // node.kubernetes.io/exclude-from-external-load-balancers
  [[nodiscard]] bool advertises_services() const;
};

// Errors name annotations that cannot be read; they count as absent.
NodeFacts facts_of(const model::Node& node, FieldErrors& errors);

// An identifier for a node without IPv4 address: from its name, never 0.0.0.0.
RouterId router_id_of_name(const std::string& node);

}  // namespace margay::agent
