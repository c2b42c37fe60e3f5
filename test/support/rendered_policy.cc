#include "test/support/rendered_policy.h"

#include <utility>

#include "base/core/text.h"

namespace margay::test {

model::FelixConfigurationSpec policy_only_settings() {
  model::FelixConfigurationSpec out;
  out.host.failsafe_inbound_host_ports.emplace();
  out.host.failsafe_outbound_host_ports.emplace();
  return out;
}

NodePacket node_packet(const policy::Packet& packet) {
  NodePacket out;
  out.source = packet.source;
  out.destination = packet.destination;
  out.protocol = packet.protocol.number();
  out.source_port = packet.source_port.value();
  out.destination_port = packet.destination_port.value();
  out.icmp_type = packet.icmp_type;
  out.icmp_code = packet.icmp_code;
  return out;
}

RenderedPolicy::RenderedPolicy(Hosts hosts) : hosts_(hosts), renderer_(render::KernelFeatures{}) {
  renderer_.set_settings(policy_only_settings());
}

std::shared_ptr<const policy::Endpoint> RenderedPolicy::with_interface(
    const policy::ObjectKey& key, const std::shared_ptr<const policy::Endpoint>& endpoint) {
  if (endpoint->workload == nullptr) return endpoint;
  const auto [at, is_new] = names_.try_emplace(key, concat("cali-", names_.size()));
  model::WorkloadEndpoint workload = *endpoint->workload;
  if (workload.spec.interface_name.empty()) workload.spec.interface_name = at->second;
  policy::Endpoint copy = *endpoint;
  interfaces_[endpoint.get()] = workload.spec.interface_name;
  copy.workload = std::make_shared<const model::WorkloadEndpoint>(std::move(workload));
  return std::make_shared<const policy::Endpoint>(std::move(copy));
}

std::vector<std::string> RenderedPolicy::apply(const policy::Delta& delta) {
  policy::Delta changed = delta;
  changed.endpoints.clear();
  for (const auto& [key, endpoint] : delta.endpoints) {
    const bool is_host = key.kind == model::Kind::kHostEndpoint;
    if (is_host && hosts_ == Hosts::kIgnored) continue;
    if (const auto before = endpoints_.find(key); before != endpoints_.end()) interfaces_.erase(before->second.get());
    endpoints_.erase(key);
    changed.endpoints[key] = endpoint == nullptr ? nullptr : with_interface(key, endpoint);
    if (endpoint != nullptr) endpoints_[key] = endpoint;
  }
  renderer_.apply(changed);
  return node_.apply(renderer_.take());
}

std::string RenderedPolicy::interface_of(const policy::Endpoint* endpoint) const {
  const auto at = interfaces_.find(endpoint);
  return at == interfaces_.end() ? "" : at->second;
}

Walked RenderedPolicy::walk(const policy::Packet& packet, const policy::Endpoint* source,
                            const policy::Endpoint* destination) const {
  NodePacket out = node_packet(packet);
  out.in = source == nullptr ? "eth0" : interface_of(source);
  out.out = destination == nullptr ? "eth1" : interface_of(destination);
  return node_.walk(out);
}

}  // namespace margay::test
