#include "policy/lint/scene.h"

#include <utility>

#include "base/core/text.h"
#include "policy/translate/names.h"
#include "policy/translate/translate.h"

namespace margay::policy {

Scene::Scene(const Cluster& cluster) : cluster_(cluster) {
  for (const auto& [key, name_space] : world().all<model::Namespace>()) namespaces_.insert(key.name);
  for (const auto& [key, pod] : world().all<model::Pod>()) namespaces_.insert(key.name_space);
  for (const auto& [key, endpoint] : world().all<model::WorkloadEndpoint>()) namespaces_.insert(key.name_space);
  collect_profiles();
  collect_endpoints();
  collect_sets();
}

void Scene::collect_profiles() {
  for (const std::string& name : namespaces_) {
    model::Namespace implied;
    implied.metadata.name = name;
    implied.metadata.labels = StringMap{{"kubernetes.io/metadata.name", name}};
    const model::Namespace* given = world().find<model::Namespace>("", name);
    const model::Profile profile = profile_of(given == nullptr ? implied : *given);
    profiles_[profile.metadata.name] = profile.spec.labels_to_apply;
  }
  for (const auto& [key, account] : world().all<model::ServiceAccount>()) {
    const model::Profile profile = profile_of(*account);
    profiles_[profile.metadata.name] = profile.spec.labels_to_apply;
  }
  for (const auto& [key, profile] : world().all<model::Profile>()) profiles_[key.name] = profile->spec.labels_to_apply;
}

// Own labels win, then those of earlier profiles.
StringMap Scene::inherited(const StringMap& own, const std::vector<std::string>& profiles) const {
  std::vector<StringMap::Entry> entries;
  for (auto name = profiles.rbegin(); name != profiles.rend(); ++name) {
    const auto found = profiles_.find(*name);
    if (found == profiles_.end()) continue;
    for (const auto& entry : found->second) entries.push_back(entry);
  }
  for (const auto& entry : own) entries.push_back(entry);
  return StringMap::of(std::move(entries));
}

void Scene::collect_endpoints() {
  const auto add = [this](const ObjectKey& key, const model::WorkloadEndpoint& endpoint) {
    SceneEndpoint& out = endpoints_.emplace_back();
    out.key = key;
    out.name = concat(key.name_space, '/', key.name);
    out.labels = inherited(endpoint.metadata.labels, endpoint.spec.profiles);
    for (const IpPrefix& network : endpoint.spec.ip_networks) out.addresses.push_back(network.first());
    out.ports = endpoint.spec.ports;
  };
  for (const auto& [key, pod] : world().all<model::Pod>()) {
    if (const auto endpoint = endpoint_of(*pod)) add(key, *endpoint);
  }
  for (const auto& [key, endpoint] : world().all<model::WorkloadEndpoint>()) add(key, *endpoint);
  for (const auto& [key, endpoint] : world().all<model::HostEndpoint>()) {
    SceneEndpoint& out = endpoints_.emplace_back();
    out.key = key;
    out.name = key.to_string();
    out.labels = inherited(endpoint->metadata.labels, endpoint->spec.profiles);
    out.addresses = endpoint->spec.expected_ips;
    for (const model::EndpointPort& port : endpoint->spec.ports) {
      out.ports.push_back(
          {.name = port.name, .protocol = port.protocol, .port = port.port, .host_port = {}, .host_ip = {}});
    }
  }
}

void Scene::collect_sets() {
  for (const auto& [key, set] : world().all<model::NetworkSet>()) {
    StringMap own = set->metadata.labels;
    own.set(kNamespaceLabel, key.name_space);
    sets_.push_back({key, inherited(own, {concat(kNamespaceProfilePrefix, key.name_space)})});
  }
  for (const auto& [key, set] : world().all<model::GlobalNetworkSet>()) sets_.push_back({key, set->metadata.labels});
}

std::vector<std::size_t> Scene::matches_of(const selector::Selector& selector) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    if (selector.matches(endpoints_[i].labels)) out.push_back(i);
  }
  return out;
}

bool Scene::matches_a_set(const selector::Selector& selector) const {
  for (const SceneSet& set : sets_) {
    if (selector.matches(set.labels)) return true;
  }
  return false;
}

std::string some_of(const Scene& scene, const std::vector<std::size_t>& endpoints) {
  if (endpoints.empty()) return "nothing";
  const std::string& first = scene.endpoints()[endpoints.front()].name;
  if (endpoints.size() == 1) return first;
  return concat(endpoints.size(), " endpoints, such as ", first);
}

}  // namespace margay::policy
