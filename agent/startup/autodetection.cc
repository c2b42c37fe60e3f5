#include "agent/startup/autodetection.h"

#include <utility>

#include "agent/startup/patterns.h"
#include "base/core/text.h"

namespace margay::startup {
namespace {

// Interfaces that belong to containers, tunnels and load balancers, ours and those of others.
const Patterns& internal_interfaces() {
  static const std::shared_ptr<const Patterns> patterns =
      Patterns::of({"^docker.*", "^cbr.*", "^dummy.*", "^podman.*", "^virbr.*", "^lxcbr.*", "^veth.*", "^lo$", "^br-.*",
                    "^cali.*", "^tunl.*", "^flannel.*", "^kube-ipvs.*", "^cni.*", "^vxlan.calico.*",
                    "^vxlan-v6.calico.*", "^wireguard.cali.*", "^wg-v6.cali.*", "^nodelocaldns.*"});
  return *patterns;
}

bool is_usable(const IpAddress& address) {
  const bool is_broadcast = address == IpAddress::v4(0xffffffff);
  return !address.is_unspecified() && !address.is_loopback() && !address.is_link_local() && !address.is_multicast() &&
         !is_broadcast;
}

// Whether the method may take addresses of an interface of that name.
bool takes_interface(const Method& method, const std::string& name) {
  switch (method.kind) {
    case Method::Kind::kInterface: return method.patterns->matches(name);
    case Method::Kind::kSkipInterface: return !internal_interfaces().matches(name) && !method.patterns->matches(name);
    case Method::Kind::kFirstFound: return !internal_interfaces().matches(name);
    case Method::Kind::kNodeAddress:
    case Method::Kind::kCidr:
    case Method::Kind::kCanReach: return true;
  }
  return false;
}

bool takes_address(const Method& method, const IpAddress& address) {
  if (!is_usable(address)) return false;
  if (method.kind != Method::Kind::kCidr) return true;
  for (const IpPrefix& network : method.networks) {
    if (network.contains(address)) return true;
  }
  return false;
}

std::string names_of(const HostInterfaces& interfaces) {
  std::string names;
  for (const HostInterface& interface : interfaces) {
    if (interface.is_up) names += (names.empty() ? "" : ", ") + interface.name;
  }
  return names.empty() ? "none" : names;
}

Error nothing_found(const Method& method, IpFamily family, const std::string& looked_at) {
  return Error{ErrorCode::kNotFound,
               concat("no ", to_string(family), " address by ",
                      method.text.empty() ? "the Node's addresses" : method.text, ": ", looked_at)};
}

Result<Detected> first_on_host(const Method& method, IpFamily family, const Surroundings& surroundings) {
  for (const HostInterface& interface : surroundings.interfaces) {
    if (!interface.is_up || !takes_interface(method, interface.name)) continue;
    for (const InterfaceAddress& address : interface.addresses) {
      if (address.address.family() == family && takes_address(method, address.address)) {
        return Detected{address, interface.name};
      }
    }
  }
  return nothing_found(method, family, concat("interfaces that are up: ", names_of(surroundings.interfaces)));
}

Result<Detected> node_address(const Method& method, IpFamily family, const Surroundings& surroundings) {
  for (const IpAddress& address : surroundings.node_addresses) {
    if (address.family() != family) continue;
    if (const auto found = find_on_host(address, surroundings.interfaces)) return *found;
    return Detected{InterfaceAddress{address, address_bits(family)}, ""};
  }
  if (method.text.empty()) return first_on_host({.kind = Method::Kind::kFirstFound}, family, surroundings);
  return nothing_found(method, family, "the Node object has no InternalIP of the family");
}

Result<Detected> reaching(const Method& method, IpFamily family, const Surroundings& surroundings) {
  if (!surroundings.source_towards) return nothing_found(method, family, "routes cannot be looked up here");
  const auto source = surroundings.source_towards(method.destination, family);
  if (!source.ok()) return nothing_found(method, family, source.error().message);
  const auto found = find_on_host(*source, surroundings.interfaces);
  if (!found || !is_usable(*source)) {
    return nothing_found(method, family, concat("the route's source ", source->to_string(), " is not to be used"));
  }
  return *found;
}

Result<std::vector<IpPrefix>> parse_networks(std::string_view list) {
  std::vector<IpPrefix> networks;
  for (const std::string_view part : split(list, ',')) {
    if (trim(part).empty()) continue;
    MARGAY_ASSIGN_OR_RETURN(const IpPrefix network, IpPrefix::parse_containing(trim(part)));
    networks.push_back(network);
  }
  if (networks.empty()) return invalid("there is no prefix");
  return networks;
}

}  // namespace

bool is_internal_interface(const std::string& name) { return internal_interfaces().matches(name); }

Result<Method> Method::parse(std::string_view given) {
  const std::string_view text = trim(given);
  Method method{.kind = Kind::kNodeAddress, .text = std::string(text)};
  if (text.empty() || text == "kubernetes-internal-ip") return method;
  if (text == "first-found") {
    method.kind = Kind::kFirstFound;
    return method;
  }
  const auto pair = split_once(text, '=');
  const std::string_view name = pair ? pair->first : text;
  const std::string_view argument = pair ? trim(pair->second) : std::string_view{};
  if (pair && (name == "interface" || name == "skip-interface")) {
    method.kind = name == "interface" ? Kind::kInterface : Kind::kSkipInterface;
    MARGAY_ASSIGN_OR_RETURN(method.patterns, Patterns::parse(argument));
    return method;
  }
  if (pair && name == "cidr") {
    method.kind = Kind::kCidr;
    MARGAY_ASSIGN_OR_RETURN(method.networks, parse_networks(argument));
    return method;
  }
  if (pair && name == "can-reach" && !argument.empty()) {
    method.kind = Kind::kCanReach;
    method.destination = argument;
    return method;
  }
  return invalid(concat(quoted(text),
                        " is not one of first-found, kubernetes-internal-ip, interface=REGEX, skip-interface=REGEX, "
                        "cidr=PREFIX, can-reach=HOST"));
}

Result<Detected> detect(const Method& method, IpFamily family, const Surroundings& surroundings) {
  if (method.kind == Method::Kind::kNodeAddress) return node_address(method, family, surroundings);
  if (method.kind == Method::Kind::kCanReach) return reaching(method, family, surroundings);
  return first_on_host(method, family, surroundings);
}

bool accepts(const Method& method, const IpAddress& address, const Surroundings& surroundings) {
  const auto found = find_on_host(address, surroundings.interfaces);
  if (!found || !takes_interface(method, found->interface) || !takes_address(method, address)) return false;
  if (method.kind != Method::Kind::kNodeAddress || method.text.empty()) return true;
  for (const IpAddress& each : surroundings.node_addresses) {
    if (each == address) return true;
  }
  return false;
}

std::optional<Detected> find_on_host(const IpAddress& address, const HostInterfaces& interfaces) {
  for (const HostInterface& interface : interfaces) {
    if (!interface.is_up) continue;
    for (const InterfaceAddress& each : interface.addresses) {
      if (each.address == address) return Detected{each, interface.name};
    }
  }
  return std::nullopt;
}

}  // namespace margay::startup
