#include "controllers/node/auto_host_endpoints.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/core/text.h"
#include "base/json/value.h"
#include "datastore/codec/node_annotations.h"
#include "datastore/selector/selector.h"

namespace margay::controllers {
namespace {

constexpr std::string_view kInterfaces = "projectcalico.org/Interfaces";
constexpr std::string_view kAllowProfile = "projectcalico-default-allow";
constexpr std::size_t kNameMax = 253;

struct Interface {
  std::string name;
  std::vector<IpAddress> addresses;
};

void add_once(const IpAddress& address, std::vector<IpAddress>& out) {
  if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
}

// In Calico's order: of BGP, tunnels, then internal ones.
std::vector<IpAddress> addresses_of(const model::Node& node) {
  model::NodeNetworking said;
  (void)codec::read_node_annotations(node.metadata.annotations, said);
  std::vector<IpAddress> out;
  if (said.ipv4_address) add_once(said.ipv4_address->address, out);
  if (said.ipv6_address) add_once(said.ipv6_address->address, out);
  for (const auto& tunnel :
       {said.ipv4_ipip_tunnel_address, said.ipv4_vxlan_tunnel_address, said.ipv6_vxlan_tunnel_address,
        said.ipv4_wireguard_interface_address, said.ipv6_wireguard_interface_address}) {
    if (tunnel) add_once(*tunnel, out);
  }
  for (const model::NodeAddress& each : node.status.addresses) {
    const auto address = IpAddress::parse(each.address);
    if (each.type == "InternalIP" && address.ok()) add_once(address.value(), out);
  }
  return out;
}

std::vector<Interface> interfaces_of(const model::Node& node) {
  std::vector<Interface> out;
  const auto list = json::parse(node.metadata.annotations.get(kInterfaces));
  if (!list.ok() || list->as_array() == nullptr) return out;
  for (const json::Value& each : *list->as_array()) {
    Interface& made = out.emplace_back(Interface{std::string(each.string_at({"name"})), {}});
    const json::Value* addresses = each.find("addresses");
    if (addresses == nullptr || addresses->as_array() == nullptr) continue;
    for (const json::Value& text : *addresses->as_array()) {
      const auto address = text.as_string() == nullptr ? invalid("no text") : IpAddress::parse(*text.as_string());
      if (address.ok()) add_once(address.value(), made.addresses);
    }
  }
  std::erase_if(out, [](const Interface& each) { return each.name.empty(); });
  return out;
}

std::vector<IpAddress> within(const std::vector<IpAddress>& addresses, const std::vector<IpPrefix>& cidrs) {
  std::vector<IpAddress> out;
  for (const IpAddress& address : addresses) {
    if (std::any_of(cidrs.begin(), cidrs.end(), [&](const IpPrefix& cidr) { return cidr.contains(address); })) {
      out.push_back(address);
    }
  }
  return out;
}

// As a part of an object's name: "eth0.100" stays, "Wan_1" becomes "wan-1".
std::string as_name(std::string_view interface) {
  std::string out = to_lower(interface);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-'; }, '-');
  return out;
}

class Maker {
 public:
  explicit Maker(const model::Node& node) : node_(node), addresses_(addresses_of(node)) {}

  void add_default() { add(concat(node_.metadata.name, "-auto-hep"), "*", addresses_, nullptr); }

  void add_template(const model::HostEndpointTemplate& each) {
    if (!each.node_selector.empty()) {
      const auto selector = selector::Selector::parse(each.node_selector);
      if (!selector.ok()) return problem(each, concat("nodeSelector: ", selector.error().message));
      if (!selector->matches(node_.metadata.labels)) return;
    }
    if (!each.interface_pattern.empty()) return add_interfaces(each);
    const std::vector<IpAddress> expected = within(addresses_, each.interface_cidrs);
    if (!expected.empty()) add(concat(node_.metadata.name, '-', each.generate_name, "-auto-hep"), "", expected, &each);
  }

  AutoHostEndpoints take() { return std::move(out_); }

 private:
  void add_interfaces(const model::HostEndpointTemplate& each) {
    const RE2 pattern(each.interface_pattern, RE2::Quiet);
    if (!pattern.ok()) return problem(each, concat("interfacePattern: ", pattern.error()));
    for (const Interface& interface : interfaces_of(node_)) {
      if (!RE2::PartialMatch(interface.name, pattern)) continue;
      const std::vector<IpAddress> expected =
          each.interface_cidrs.empty() ? interface.addresses : within(interface.addresses, each.interface_cidrs);
      if (expected.empty() && !each.interface_cidrs.empty()) continue;
      add(concat(node_.metadata.name, '-', each.generate_name, '-', as_name(interface.name), "-auto-hep"),
          interface.name, expected, &each);
    }
  }

  void add(const std::string& name, const std::string& interface, std::vector<IpAddress> expected,
           const model::HostEndpointTemplate* from) {
    if (name.size() > kNameMax) {
      out_.problems.push_back(concat("the name ", name, " is too long"));
      return;
    }
    model::HostEndpoint endpoint;
    endpoint.metadata.name = name;
    endpoint.metadata.labels = node_.metadata.labels;
    if (from != nullptr) {
      for (const auto& [key, value] : from->labels) endpoint.metadata.labels.set(key, value);
      endpoint.metadata.annotations = from->annotations;
    }
    endpoint.metadata.labels.set(kCreatedBy, kCreator);
    endpoint.spec.node = node_.metadata.name;
    endpoint.spec.interface_name = interface;
    endpoint.spec.expected_ips = std::move(expected);
    endpoint.spec.profiles = {std::string(kAllowProfile)};
    if (!out_.endpoints.emplace(name, std::move(endpoint)).second) {
      out_.problems.push_back(concat("two templates make ", name));
    }
  }

  void problem(const model::HostEndpointTemplate& each, std::string_view text) {
    out_.problems.push_back(concat("template ", each.generate_name, ": ", text));
  }

  const model::Node& node_;
  std::vector<IpAddress> addresses_;
  AutoHostEndpoints out_;
};

}  // namespace

AutoHostEndpoints auto_host_endpoints(const model::Node& node, const model::AutoHostEndpointConfig& config) {
  Maker maker(node);
  if (config.auto_create != model::Switch::kEnabled) return maker.take();
  if (config.create_default_host_endpoint != model::Switch::kDisabled) maker.add_default();
  for (const model::HostEndpointTemplate& each : config.templates) maker.add_template(each);
  return maker.take();
}

}  // namespace margay::controllers
