// The rules on HostEndpoint, WorkloadEndpoint, NetworkSet, GlobalNetworkSet and Profile.
#include <algorithm>

#include "base/core/text.h"
#include "datastore/codec/rule_rules.h"
#include "datastore/codec/rules.h"
#include "datastore/codec/validate.h"
#include "datastore/model/endpoints.h"

namespace margay::codec {
namespace {

constexpr std::string_view kNamespaceLabel = "projectcalico.org/namespace";

void check_transport(const At& at, const model::Protocol& protocol) {
  if (!protocol.has_ports()) {
    at.member("protocol")
        .error(FieldError::Kind::kNotSupported, concat(quoted(protocol.to_string()), " is not one of TCP, UDP, SCTP"));
  }
}

void check_port_number(const At& at, Port port) {
  if (port == Port()) at.member("port").invalid("0 is not a port: those are 1 to 65535");
}

void check_gateway_family(const At& at, const std::optional<IpAddress>& gateway, IpFamily family) {
  if (gateway && gateway->family() != family) {
    at.invalid(concat(gateway->to_string(), " is not ", to_string(family)));
  }
}

void check_networks(const At& at, const model::WorkloadEndpointSpec& spec) {
  const At networks = at.member("ipNetworks");
  for (std::size_t i = 0; i < spec.ip_networks.size(); ++i) {
    if (!spec.ip_networks[i].is_host()) {
      networks.element(i).invalid(concat(spec.ip_networks[i].to_string(), " has more than one address"));
    }
  }
}

void check_nats(const At& at, const model::WorkloadEndpointSpec& spec) {
  const At nats = at.member("ipNATs");
  for (std::size_t i = 0; i < spec.ip_nats.size(); ++i) {
    const model::IpNat& nat = spec.ip_nats[i];
    const At place = nats.element(i);
    if (nat.internal_ip.family() != nat.external_ip.family()) {
      place.member("externalIP").invalid("internalIP and externalIP have to be of one family");
    }
    const bool is_own = std::any_of(spec.ip_networks.begin(), spec.ip_networks.end(),
                                    [&nat](const IpPrefix& network) { return network.contains(nat.internal_ip); });
    if (!is_own) {
      place.member("internalIP").invalid(concat(nat.internal_ip.to_string(), " is not in the endpoint's ipNetworks"));
    }
  }
}

template <class Set>
FieldErrors validate_set(const Set& object, bool is_namespaced) {
  FieldErrors errors;
  const At root(errors);
  const At metadata = root.member("metadata");
  check_metadata(metadata, object.metadata, NameForm::kSubdomain, is_namespaced);
  if (object.metadata.labels.contains(kNamespaceLabel)) {
    metadata.member("labels").key(kNamespaceLabel).forbidden("is made from the object's namespace and cannot be set");
  }
  return errors;
}

}  // namespace

FieldErrors validate(const model::NetworkSet& object) { return validate_set(object, true); }
FieldErrors validate(const model::GlobalNetworkSet& object) { return validate_set(object, false); }

FieldErrors validate(const model::Profile& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, false);
  const At ingress = spec.member("ingress");
  for (std::size_t i = 0; i < object.spec.ingress.size(); ++i) check_rule(ingress.element(i), object.spec.ingress[i]);
  const At egress = spec.member("egress");
  for (std::size_t i = 0; i < object.spec.egress.size(); ++i) check_rule(egress.element(i), object.spec.egress[i]);
  check_labels(spec.member("labelsToApply"), object.spec.labels_to_apply);
  return errors;
}

FieldErrors validate(const model::HostEndpoint& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, false);
  if (object.spec.node.empty()) spec.member("node").required("is required");
  if (object.spec.interface_name.empty() && object.spec.expected_ips.empty()) {
    spec.member("interfaceName").required("interfaceName or expectedIPs has to be set");
  }
  const At ports = spec.member("ports");
  for (std::size_t i = 0; i < object.spec.ports.size(); ++i) {
    const At port = ports.element(i);
    check_transport(port, object.spec.ports[i].protocol);
    check_port_number(port, object.spec.ports[i].port);
    if (object.spec.ports[i].name.empty()) port.member("name").required("must not be empty");
  }
  return errors;
}

FieldErrors validate(const model::WorkloadEndpoint& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, true);
  if (object.spec.interface_name.empty()) spec.member("interfaceName").required("is required");
  check_networks(spec, object.spec);
  check_nats(spec, object.spec);
  check_gateway_family(spec.member("ipv4Gateway"), object.spec.ipv4_gateway, IpFamily::kV4);
  check_gateway_family(spec.member("ipv6Gateway"), object.spec.ipv6_gateway, IpFamily::kV6);
  const At ports = spec.member("ports");
  for (std::size_t i = 0; i < object.spec.ports.size(); ++i) {
    const model::WorkloadEndpointPort& port = object.spec.ports[i];
    const At place = ports.element(i);
    check_transport(place, port.protocol);
    check_port_number(place, port.port);
    if (port.name.empty() && port.host_port == Port()) place.member("name").required("name or hostPort has to be set");
  }
  return errors;
}

}  // namespace margay::codec
