#include "agent/bgp/node_facts.h"

#include "base/digest/digest.h"
#include "datastore/codec/node_annotations.h"

namespace margay::agent {
namespace {

constexpr std::string_view kExcluded = "node.kubernetes.io/exclude-from-external-load-balancers";

}  // namespace

bool NodeFacts::has_address() const {
  return address[bgp::Family::kIpv4Unicast].has_value() || address[bgp::Family::kIpv6Unicast].has_value();
}

bool NodeFacts::advertises_services() const { return !labels.contains(kExcluded); }

NodeFacts facts_of(const model::Node& node, FieldErrors& errors) {
  model::NodeNetworking networking;
  errors = codec::read_node_annotations(node.metadata.annotations, networking);
  NodeFacts facts;
  if (networking.ipv4_address) facts.address[bgp::Family::kIpv4Unicast] = networking.ipv4_address->address;
  if (networking.ipv6_address) facts.address[bgp::Family::kIpv6Unicast] = networking.ipv6_address->address;
  facts.asn = networking.as_number;
  facts.cluster_id = networking.route_reflector_cluster_id;
  facts.labels = node.metadata.labels;
  return facts;
}

RouterId router_id_of_name(const std::string& node) {
  const auto bytes = digest::sha256(node);
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes[i];
  return RouterId(value == 0 ? 1 : value);
}

}  // namespace margay::agent
