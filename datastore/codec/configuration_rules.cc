// The rules on FelixConfiguration and KubeControllersConfiguration.
#include <algorithm>
#include <optional>

#include "base/core/text.h"
#include "datastore/codec/rules.h"
#include "datastore/codec/validate.h"
#include "datastore/model/controllers_configuration.h"
#include "datastore/model/felix_configuration.h"

namespace margay::codec {
namespace {

// A multiport match of the kernel has room for 15 ports, and a range takes two.
constexpr std::size_t kNodePortRangesMax = 7;
constexpr std::int64_t kRouteTablesMax = 0xffff;
constexpr std::int64_t kRouteTableIdMax = 0xffffffff;
constexpr std::int64_t kOldRouteTableIdMax = 250;

void check_address(const At& at, const std::optional<IpAddress>& address, IpFamily family) {
  if (address && address->family() != family) {
    at.invalid(concat(address->to_string(), " is not ", to_string(family)));
  }
}

void check_table_range(const At& at, const model::RouteTableIdRange& range, std::int64_t max) {
  if (range.min < 1) at.member("min").invalid(concat(range.min, " is not between 1 and ", max));
  if (range.max > max) at.member("max").invalid(concat(range.max, " is not between 1 and ", max));
  if (range.min > range.max) at.invalid(concat("min ", range.min, " is above max ", range.max));
}

void check_route_tables(const At& at, const model::FelixRoutes& routes) {
  if (routes.route_table_range) {
    check_table_range(at.member("routeTableRange"), *routes.route_table_range, kOldRouteTableIdMax);
    if (!routes.route_table_ranges.empty()) {
      at.member("routeTableRange").forbidden("routeTableRange and routeTableRanges cannot both be set: use the latter");
    }
  }
  const At ranges = at.member("routeTableRanges");
  std::int64_t tables = 0;
  for (std::size_t i = 0; i < routes.route_table_ranges.size(); ++i) {
    const model::RouteTableIdRange& range = routes.route_table_ranges[i];
    check_table_range(ranges.element(i), range, kRouteTableIdMax);
    if (range.min >= 1 && range.max >= range.min && range.max <= kRouteTableIdMax) tables += range.max - range.min + 1;
  }
  if (tables > kRouteTablesMax) {
    ranges.error(FieldError::Kind::kTooMany,
                 concat("names ", tables, " tables, at most ", kRouteTablesMax, " are allowed"));
  }
}

void check_host(const At& at, const model::FelixHost& host) {
  if (!host.external_nodes_list) return;
  const At list = at.member("externalNodesList");
  for (std::size_t i = 0; i < host.external_nodes_list->size(); ++i) {
    const IpPrefix& prefix = (*host.external_nodes_list)[i];
    if (prefix.is_v6()) list.element(i).invalid(concat(prefix.to_string(), " is not IPv4"));
  }
}

void check_process(const At& at, const model::FelixProcess& process) {
  const At overrides = at.member("healthTimeoutOverrides");
  for (std::size_t i = 0; i < process.health_timeout_overrides.size(); ++i) {
    const model::HealthTimeoutOverride& each = process.health_timeout_overrides[i];
    const At place = overrides.element(i);
    if (each.name.empty()) place.member("name").required("must not be empty");
    if (each.timeout < Duration(0)) place.member("timeout").invalid("cannot be negative");
  }
}

void check_node_selector(const At& at, const model::FelixConfiguration& object) {
  check_selector(at, object.spec.node_selector);
  const std::string& name = object.metadata.name;
  if (!object.spec.node_selector.empty() && (name == "default" || name.starts_with("node."))) {
    at.forbidden(
        "the names default and node.NAME say which nodes the object is for; give it another with nodeSelector");
  }
}

void check_template(const At& at, const model::HostEndpointTemplate& each) {
  if (!each.generate_name.empty() && !is_dns_subdomain(each.generate_name)) {
    at.member("generateName")
        .invalid(concat(quoted(each.generate_name), " needs lower-case letters, digits, \"-\" and \".\""));
  }
  check_selector(at.member("nodeSelector"), each.node_selector);
  check_labels(at.member("labels"), each.labels);
  check_annotations(at.member("annotations"), each.annotations);
}

}  // namespace

FieldErrors validate(const model::FelixConfiguration& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, false);
  check_node_selector(spec.member("nodeSelector"), object);
  check_process(spec, object.spec.process);
  check_host(spec, object.spec.host);
  check_route_tables(spec, object.spec.routes);
  check_address(spec.member("natOutgoingAddress"), object.spec.routes.nat_outgoing_address, IpFamily::kV4);
  check_address(spec.member("deviceRouteSourceAddress"), object.spec.routes.device_route_source_address, IpFamily::kV4);
  check_address(spec.member("deviceRouteSourceAddressIPv6"), object.spec.routes.device_route_source_address_ipv6,
                IpFamily::kV6);
  const auto& node_ports = object.spec.netfilter.kube_node_port_ranges;
  if (node_ports && node_ports->size() > kNodePortRangesMax) {
    spec.member("kubeNodePortRanges")
        .error(FieldError::Kind::kTooMany,
               concat("has ", node_ports->size(), " ranges, at most ", kNodePortRangesMax, " are allowed"));
  }
  return errors;
}

FieldErrors validate(const model::KubeControllersConfiguration& object) {
  FieldErrors errors;
  const At root(errors);
  check_metadata(root.member("metadata"), object.metadata, NameForm::kDefault, false);
  const auto& node = object.spec.controllers.node;
  if (!node || !node->host_endpoint) return errors;
  const At spec = root.member("spec");
  const At controllers = spec.member("controllers");
  const At node_place = controllers.member("node");
  const At host_endpoint = node_place.member("hostEndpoint");
  const At templates = host_endpoint.member("templates");
  for (std::size_t i = 0; i < node->host_endpoint->templates.size(); ++i) {
    check_template(templates.element(i), node->host_endpoint->templates[i]);
  }
  return errors;
}

}  // namespace margay::codec
