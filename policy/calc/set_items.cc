#include "policy/calc/set_items.h"

#include "base/core/text.h"
#include "policy/translate/names.h"

namespace margay::policy {
namespace {

void add_missing(StringMap& labels, std::string_view key, std::string_view value) {
  if (!value.empty() && !labels.contains(key)) labels.set(key, value);
}

}  // namespace

std::string namespace_profile_name(std::string_view name_space) { return concat(kNamespaceProfilePrefix, name_space); }

std::string account_profile_name(std::string_view name_space, std::string_view name) {
  return concat(kServiceAccountProfilePrefix, name_space, ".", name);
}

StringMap labels_of(const model::WorkloadEndpoint& endpoint) {
  StringMap labels = endpoint.metadata.labels;
  add_missing(labels, kNamespaceLabel, endpoint.metadata.name_space);
  add_missing(labels, kOrchestratorLabel, endpoint.spec.orchestrator);
  add_missing(labels, kServiceAccountLabel, endpoint.spec.service_account_name);
  return labels;
}

StringMap labels_of(const model::Node& node) {
  StringMap labels = node.metadata.labels;
  labels.set(kKindLabel, kNodeKind);
  return labels;
}

std::vector<IpAddress> addresses_of(const model::Node& node) {
  std::vector<IpAddress> addresses;
  for (const model::NodeAddress& each : node.status.addresses) {
    const Result<IpAddress> address = IpAddress::parse(each.address);
    if (each.type == "InternalIP" && address.ok()) addresses.push_back(*address);
  }
  return addresses;
}

SetItem item_of(const model::WorkloadEndpoint& endpoint) {
  SetItem out{
      .labels = labels_of(endpoint), .parents = endpoint.spec.profiles, .nets = endpoint.spec.ip_networks, .ports = {}};
  for (const model::WorkloadEndpointPort& port : endpoint.spec.ports) {
    if (!port.name.empty()) out.ports.push_back({.name = port.name, .protocol = port.protocol, .port = port.port});
  }
  return out;
}

SetItem item_of(const model::HostEndpoint& endpoint) {
  SetItem out{
      .labels = endpoint.metadata.labels, .parents = endpoint.spec.profiles, .nets = {}, .ports = endpoint.spec.ports};
  for (const IpAddress& address : endpoint.spec.expected_ips) out.nets.push_back(IpPrefix::host(address));
  return out;
}

SetItem item_of(const model::NetworkSet& set) {
  SetItem out{.labels = set.metadata.labels,
              .parents = {namespace_profile_name(set.metadata.name_space)},
              .nets = set.spec.nets,
              .ports = {}};
  add_missing(out.labels, kNamespaceLabel, set.metadata.name_space);
  return out;
}

SetItem item_of(const model::GlobalNetworkSet& set) {
  return {.labels = set.metadata.labels, .parents = {}, .nets = set.spec.nets, .ports = {}};
}

}  // namespace margay::policy
