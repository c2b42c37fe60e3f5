#include "agent/bgp/cluster_objects.h"

#include <algorithm>

#include "bgp/objects/object_values.h"

namespace margay::agent {
namespace {

using model::Kind;

template <class T>
Shared<T> as(const BgpObject& value) {
  const auto* const object = std::get_if<Shared<T>>(&value);
  return object == nullptr ? nullptr : *object;
}

}  // namespace

ClusterObjects::ClusterObjects(std::string node_name, std::string secret_namespace)
    : node(std::move(node_name)), prefixes(node), services(node), secret_namespace_(std::move(secret_namespace)) {}

void ClusterObjects::apply(const BgpInput& input) {
  const model::ObjectKey& key = input.key;
  const BgpObject& value = input.value;
  if (key.kind == Kind::kNode) return set_node(key.name, as<model::Node>(value));
  if (key.kind == Kind::kBgpConfiguration) return set_configuration(key.name, as<model::BgpConfiguration>(value));
  if (key.kind == Kind::kBgpPeer) return set_peer(key.name, as<model::BgpPeer>(value));
  if (key.kind == Kind::kBgpFilter) return set_filter(key.name, as<model::BgpFilter>(value));
  if (key.kind == Kind::kSecret) return set_secret(key, as<model::Secret>(value));
  if (key.kind == Kind::kIpPool) return set_pool(key.name, as<model::IpPool>(value));
  if (key.kind == Kind::kBlockAffinity) return prefixes.set_affinity(key, as<model::BlockAffinity>(value));
  if (key.kind == Kind::kIpamBlock) return prefixes.set_block(key, as<model::IpamBlock>(value));
  if (key.kind == Kind::kWorkloadEndpoint) return set_workload(key, as<model::WorkloadEndpoint>(value));
  if (key.kind == Kind::kService) return services.set_service(key, as<model::Service>(value));
  if (key.kind == Kind::kEndpointSlice) return services.set_slice(key, as<model::EndpointSlice>(value));
}

const NodeFacts* ClusterObjects::own() const {
  const auto found = nodes.find(node);
  return found == nodes.end() ? nullptr : &found->second;
}

void ClusterObjects::index(const std::string& name, const NodeFacts& facts) {
  for (const bgp::Family family : bgp::kFamilies) {
    if (facts.address[family]) node_of[*facts.address[family]].insert(name);
  }
}

void ClusterObjects::unindex(const std::string& name, const NodeFacts& facts) {
  for (const bgp::Family family : bgp::kFamilies) {
    if (!facts.address[family]) continue;
    const auto found = node_of.find(*facts.address[family]);
    if (found == node_of.end()) continue;
    found->second.erase(name);
    if (found->second.empty()) node_of.erase(found);
  }
}

// Peers to this node, and those that name one of its addresses.
void ClusterObjects::touch(const std::string& name, const NodeFacts& facts) {
  dirty.node_names.insert(name);
  for (const auto& [peer_name, peer] : peers) {
    if (!peer.spec.peer_ip) continue;
    const IpAddress& address = peer.spec.peer_ip->address;
    if (facts.address[bgp::family_of(address.family())] == address) dirty.peer_names.insert(peer_name);
  }
}

void ClusterObjects::set_node(const std::string& name, const Shared<model::Node>& object) {
  FieldErrors errors;
  NodeFacts facts;
  if (object != nullptr) facts = facts_of(*object, errors);
  if (errors.empty()) {
    node_errors_.erase(name);
  } else {
    node_errors_[name] = std::move(errors);
  }
  const auto before = nodes.find(name);
  if (before == nodes.end() ? object == nullptr : object != nullptr && before->second == facts) return;
  if (before != nodes.end()) {
    touch(name, before->second);
    unindex(name, before->second);
  }
  if (object == nullptr) {
    nodes.erase(before);
  } else {
    index(name, facts);
    touch(name, facts);
    nodes.insert_or_assign(name, std::move(facts));
  }
  dirty.all |= name == node;
}

void ClusterObjects::set_configuration(const std::string& name, const Shared<model::BgpConfiguration>& object) {
  configurations.set(name, object);
  if (name == kDefaultConfiguration) {
    dirty.all = true;
    return;
  }
  if (!name.starts_with(kNodeConfigurationPrefix)) return;
  const std::string of = name.substr(kNodeConfigurationPrefix.size());
  dirty.all |= of == node;
  const auto found = nodes.find(of);
  if (found != nodes.end()) touch(of, found->second);
}

void ClusterObjects::set_peer(const std::string& name, const Shared<model::BgpPeer>& object) {
  const auto before = peers.find(name);
  const bool is_same =
      before == peers.end() ? object == nullptr : object != nullptr && before->second.spec == object->spec;
  if (is_same) return;
  dirty.peer_names.insert(name);
  if (before != peers.end()) dirty.nodes |= before->second.peer_selector.has_value();
  if (object == nullptr) {
    peers.erase(before);
    return;
  }
  PeerObject peer = peer_object_of(name, *object);
  dirty.nodes |= peer.peer_selector.has_value();
  peers.insert_or_assign(name, std::move(peer));
}

void ClusterObjects::set_filter(const std::string& name, const Shared<model::BgpFilter>& object) {
  const auto before = chains.filters().find(name);
  const bool is_same =
      before == chains.filters().end() ? object == nullptr : object != nullptr && before->second->spec == object->spec;
  if (is_same) return;
  chains.set_filter(name, object);
  dirty.all = true;
}

void ClusterObjects::set_secret(const model::ObjectKey& key, const Shared<model::Secret>& object) {
  if (key.name_space != secret_namespace_) return;
  const auto before = secrets.find(key.name);
  const bool is_same =
      before == secrets.end() ? object == nullptr : object != nullptr && before->second->data == object->data;
  if (is_same) return;
  if (object == nullptr) {
    secrets.erase(before);
  } else {
    secrets.insert_or_assign(key.name, object);
  }
  // There are many Secrets in a namespace, and few are passwords of peers.
  dirty.all |= is_password(key.name);
}

bool ClusterObjects::is_password(const std::string& secret) const {
  const auto names = [&](const std::optional<model::SecretReference>& reference) {
    return reference && reference->secret_key_ref && reference->secret_key_ref->name == secret;
  };
  return names(configurations.mesh_password()) ||
         std::any_of(peers.begin(), peers.end(), [&](const auto& peer) { return names(peer.second.spec.password); });
}

void ClusterObjects::set_pool(const std::string& name, const Shared<model::IpPool>& object) {
  const auto before = pools_.find(name);
  if (object == nullptr) {
    if (before == pools_.end()) return;
    pools_.erase(before);
  } else {
    const PoolFacts facts{object->spec.cidr, !object->spec.disable_bgp_export};
    if (before != pools_.end() && before->second == facts) return;
    pools_.insert_or_assign(name, facts);
  }
  dirty.pools = true;
}

void ClusterObjects::set_workload(const model::ObjectKey& key, const Shared<model::WorkloadEndpoint>& object) {
  prefixes.set_workload(key, object);
  const std::pair<std::string, std::string> name{key.name_space, key.name};
  const auto before = workloads_.find(name);
  if (object == nullptr || object->spec.node != node) {
    if (before == workloads_.end()) return;
    workloads_.erase(before);
  } else {
    LocalWorkload workload{object->metadata.labels, object->spec.ip_networks};
    if (before != workloads_.end() && before->second == workload) return;
    workloads_.insert_or_assign(name, std::move(workload));
  }
  for (const auto& [peer_name, peer] : peers) {
    if (peer.workload_selector) dirty.peer_names.insert(peer_name);
  }
}

std::vector<PoolFacts> ClusterObjects::pools() const {
  std::vector<PoolFacts> out;
  for (const auto& [name, facts] : pools_) out.push_back(facts);
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<const LocalWorkload*> ClusterObjects::workloads() const {
  std::vector<const LocalWorkload*> out;
  for (const auto& [name, workload] : workloads_) out.push_back(&workload);
  return out;
}

void ClusterObjects::add_problems(Problems& to) const {
  const auto add = [&](Kind kind, const std::string& name, const FieldErrors& errors) {
    for (const FieldError& error : errors) add_problem(to, {kind, "", name}, error);
  };
  for (const auto& [name, errors] : node_errors_) add(Kind::kNode, name, errors);
  for (const auto& [name, peer] : peers) add(Kind::kBgpPeer, name, peer.errors);
  for (const auto& [name, filter] : chains.filters()) add(Kind::kBgpFilter, name, bgp::check_filter(filter->spec));
}

}  // namespace margay::agent
