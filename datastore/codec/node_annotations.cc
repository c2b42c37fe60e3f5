#include "datastore/codec/node_annotations.h"

#include <string_view>
#include <utility>

#include "base/core/text.h"

namespace margay::codec {
namespace {

std::string annotation(std::string_view name) { return concat("projectcalico.org/", name); }

IpFamily family_of(const IpAddress& address) { return address.family(); }
IpFamily family_of(const InterfaceAddress& address) { return address.address.family(); }

class AnnotationReader {
 public:
  AnnotationReader(const StringMap& annotations, FieldErrors& errors) : annotations_(annotations), errors_(errors) {}

  template <class T>
  void field(std::string_view name, std::optional<T>& value) {
    const std::string key = annotation(name);
    const std::string_view text = annotations_.get(key);
    if (text.empty()) return;
    Result<T> parsed = T::parse(text);
    if (!parsed.ok()) return error(key, parsed.error().message);
    value = std::move(parsed).value();
  }
  template <class T>
  void field(std::string_view name, std::optional<T>& value, IpFamily family) {
    field(name, value);
    if (!value || family_of(*value) == family) return;
    error(annotation(name), concat(value->to_string(), " is not ", to_string(family)));
    value.reset();
  }

 private:
  void error(const std::string& key, std::string message) {
    errors_.push_back({FieldError::Kind::kInvalid, concat("metadata.annotations[", key, "]"), std::move(message)});
  }

  const StringMap& annotations_;
  FieldErrors& errors_;
};

class AnnotationWriter {
 public:
  explicit AnnotationWriter(StringMap& annotations) : annotations_(annotations) {}

  template <class T>
  void field(std::string_view name, const std::optional<T>& value, IpFamily = IpFamily::kV4) {
    const std::string key = annotation(name);
    if (!value) {
      annotations_.erase(key);
      return;
    }
    const Result<T> present = T::parse(annotations_.get(key));
    if (!present.ok() || *present != *value) annotations_.set(key, value->to_string());
  }

 private:
  StringMap& annotations_;
};

template <class Archive, class Node>
void fields(Archive& a, Node& node) {
  a.field("IPv4Address", node.ipv4_address, IpFamily::kV4);
  a.field("IPv6Address", node.ipv6_address, IpFamily::kV6);
  a.field("ASNumber", node.as_number);
  a.field("RouteReflectorClusterID", node.route_reflector_cluster_id);
  a.field("IPv4IPIPTunnelAddr", node.ipv4_ipip_tunnel_address, IpFamily::kV4);
  a.field("IPv4VXLANTunnelAddr", node.ipv4_vxlan_tunnel_address, IpFamily::kV4);
  a.field("VXLANTunnelMACAddr", node.vxlan_tunnel_mac);
  a.field("IPv6VXLANTunnelAddr", node.ipv6_vxlan_tunnel_address, IpFamily::kV6);
  a.field("VXLANTunnelMACAddrV6", node.vxlan_tunnel_mac_v6);
  a.field("IPv4WireguardInterfaceAddr", node.ipv4_wireguard_interface_address, IpFamily::kV4);
  a.field("IPv6WireguardInterfaceAddr", node.ipv6_wireguard_interface_address, IpFamily::kV6);
  a.field("WireguardPublicKey", node.wireguard_public_key);
  a.field("WireguardPublicKeyV6", node.wireguard_public_key_v6);
}

}  // namespace

FieldErrors read_node_annotations(const StringMap& annotations, model::NodeNetworking& out) {
  FieldErrors errors;
  out = {};
  AnnotationReader reader(annotations, errors);
  fields(reader, out);
  return errors;
}

void write_node_annotations(const model::NodeNetworking& node, StringMap& annotations) {
  AnnotationWriter writer(annotations);
  fields(writer, node);
}

}  // namespace margay::codec
