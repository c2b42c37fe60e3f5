// Objects for tests of BGP in the agent, short to write. Not part of any library.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/bgp/bgp_calculation.h"
#include "base/core/text.h"

namespace margay::agent {

using model::Kind;

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
inline IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }

inline BgpInput absent(Kind kind, const std::string& name, const std::string& name_space = "") {
  return {{kind, name_space, name}, std::monostate{}};
}
template <class T>
BgpInput input_of(std::shared_ptr<T> object) {
  return {{T::kKind, object->metadata.name_space, object->metadata.name}, Shared<T>(std::move(object))};
}

struct NodeText {
  std::string ipv4{}, ipv6{}, asn{}, cluster_id{};
  std::map<std::string, std::string> labels{};
};
inline BgpInput node(const std::string& name, const NodeText& text) {
  auto object = std::make_shared<model::Node>();
  object->metadata.name = name;
  const auto annotate = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) object->metadata.annotations.set(concat("projectcalico.org/", key), value);
  };
  annotate("IPv4Address", text.ipv4);
  annotate("IPv6Address", text.ipv6);
  annotate("ASNumber", text.asn);
  annotate("RouteReflectorClusterID", text.cluster_id);
  for (const auto& [key, value] : text.labels) object->metadata.labels.set(key, value);
  return input_of(std::move(object));
}

inline BgpInput configuration(const std::string& name, const std::function<void(model::BgpConfigurationSpec&)>& fill) {
  auto object = std::make_shared<model::BgpConfiguration>();
  object->metadata.name = name;
  fill(object->spec);
  return input_of(std::move(object));
}

inline BgpInput peer(const std::string& name, const std::function<void(model::BgpPeerSpec&)>& fill) {
  auto object = std::make_shared<model::BgpPeer>();
  object->metadata.name = name;
  fill(object->spec);
  return input_of(std::move(object));
}
// A peer by its address.
inline BgpInput router(
    const std::string& name, std::string_view address, std::uint32_t asn,
    const std::function<void(model::BgpPeerSpec&)>& fill = [](model::BgpPeerSpec&) {}) {
  return peer(name, [&](model::BgpPeerSpec& spec) {
    spec.peer_ip = model::PeerAddress::parse(address).value();
    spec.as_number = Asn(asn);
    fill(spec);
  });
}

inline BgpInput filter(const std::string& name, const std::function<void(model::BgpFilterSpec&)>& fill) {
  auto object = std::make_shared<model::BgpFilter>();
  object->metadata.name = name;
  fill(object->spec);
  return input_of(std::move(object));
}

inline BgpInput secret(const std::string& name, const std::map<std::string, std::string, std::less<>>& data,
                       const std::string& name_space = "kube-system") {
  auto object = std::make_shared<model::Secret>();
  object->metadata.name = name;
  object->metadata.name_space = name_space;
  object->data = data;
  return input_of(std::move(object));
}
inline model::SecretReference secret_reference(const std::string& name, const std::string& key) {
  return {model::SecretKeySelector{name, key, false}};
}

inline BgpInput pool(std::string_view cidr, bool is_exported = true) {
  auto object = std::make_shared<model::IpPool>();
  object->metadata.name = std::string(cidr);
  object->spec.cidr = net(cidr);
  object->spec.disable_bgp_export = !is_exported;
  return input_of(std::move(object));
}

inline BgpInput affinity(const std::string& owner, std::string_view cidr,
                         model::BlockAffinityState state = model::BlockAffinityState::kConfirmed) {
  auto object = std::make_shared<model::BlockAffinity>();
  object->metadata.name = concat(owner, "-", cidr);
  object->spec.node = owner;
  object->spec.cidr = net(cidr);
  object->spec.state = state;
  return input_of(std::move(object));
}

// `given`: ordinal to node.
inline BgpInput block(std::string_view cidr, const std::string& owner, const std::map<int, std::string>& given) {
  auto object = std::make_shared<model::IpamBlock>();
  object->metadata.name = std::string(cidr);
  object->spec.cidr = net(cidr);
  if (!owner.empty()) object->spec.affinity = model::BlockOwner{model::AffinityType::kHost, owner};
  object->spec.allocations.resize(64);
  for (const auto& [ordinal, holder] : given) {
    object->spec.allocations[static_cast<std::size_t>(ordinal)] =
        static_cast<std::int32_t>(object->spec.attributes.size());
    model::AllocationAttribute attribute;
    attribute.active_owner.set("node", holder);
    object->spec.attributes.push_back(std::move(attribute));
  }
  return input_of(std::move(object));
}

inline BgpInput workload(const std::string& name, const std::string& on, const std::vector<std::string>& nets,
                         const std::map<std::string, std::string>& labels = {}) {
  auto object = std::make_shared<model::WorkloadEndpoint>();
  object->metadata.name = name;
  object->metadata.name_space = "default";
  object->spec.node = on;
  for (const std::string& each : nets) object->spec.ip_networks.push_back(net(each));
  for (const auto& [key, value] : labels) object->metadata.labels.set(key, value);
  return input_of(std::move(object));
}

inline BgpInput service(const std::string& name, const std::function<void(model::Service&)>& fill) {
  auto object = std::make_shared<model::Service>();
  object->metadata.name = name;
  object->metadata.name_space = "default";
  fill(*object);
  return input_of(std::move(object));
}

struct EndpointText {
  std::string node{};
  bool is_ready = true;
};
inline BgpInput slice(const std::string& name, const std::string& of, const std::vector<EndpointText>& endpoints) {
  auto object = std::make_shared<model::EndpointSlice>();
  object->metadata.name = name;
  object->metadata.name_space = "default";
  object->metadata.labels.set(model::kServiceNameLabel, of);
  for (const EndpointText& text : endpoints) {
    model::Endpoint endpoint;
    endpoint.node_name = text.node;
    endpoint.conditions.ready = text.is_ready;
    object->endpoints.push_back(std::move(endpoint));
  }
  return input_of(std::move(object));
}

}  // namespace margay::agent
