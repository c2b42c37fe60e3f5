#include "agent/cni/attached_endpoints.h"

#include <utility>

#include "policy/translate/translate.h"

namespace margay::agent {
namespace {

constexpr std::string_view kContainerAnnotation = "cni.projectcalico.org/containerID";

AttachedEndpoints::Endpoint shared(std::optional<model::WorkloadEndpoint> endpoint) {
  if (!endpoint) return nullptr;
  return std::make_shared<const model::WorkloadEndpoint>(*std::move(endpoint));
}

bool says_the_same(const model::WorkloadEndpoint& stored, const std::string& container,
                   const std::vector<IpPrefix>& addresses) {
  return stored.spec.container_id == container && stored.spec.ip_networks == addresses;
}

}  // namespace

void AttachedEndpoints::attach(const NewEndpoint& endpoint, const std::string& pod_uid) {
  const model::ObjectKey key = calculation_key(endpoint);
  entries_[key] = {.container = endpoint.container,
                   .pod_uid = pod_uid,
                   .addresses = endpoint.addresses,
                   .object = nullptr,
                   .is_gone = false};
  tell(key);
}

void AttachedEndpoints::attach(const model::ObjectKey& key, model::WorkloadEndpoint object) {
  Entry& entry = entries_[key];
  entry.container = object.spec.container_id;
  entry.addresses = object.spec.ip_networks;
  entry.object = shared(std::move(object));
  entry.is_gone = false;
  tell(key);
}

void AttachedEndpoints::detach(const model::ObjectKey& key, const std::string& container) {
  const auto at = entries_.find(key);
  const bool is_mine = at != entries_.end() ? at->second.container == container : names(key, container);
  if (!is_mine) return;
  Entry& entry = entries_[key];
  entry.container = container;
  entry.is_gone = true;
  tell(key);
}

bool AttachedEndpoints::names(const model::ObjectKey& key, const std::string& container) const {
  if (key.kind == model::Kind::kPod) {
    const model::Pod* pod = facts_.find_pod(key.name_space, key.name);
    return pod != nullptr && pod->metadata.annotations.get(kContainerAnnotation) == container;
  }
  const auto stored = stored_.find(key);
  return stored != stored_.end() && stored->second->spec.container_id == container;
}

std::optional<AttachedEndpoints::Endpoint> AttachedEndpoints::see(const model::ObjectKey& key,
                                                                  const std::shared_ptr<const model::Pod>& pod) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return std::nullopt;
  if (pod != nullptr) return view(at, *pod);
  entries_.erase(at);
  return std::nullopt;
}

std::optional<AttachedEndpoints::Endpoint> AttachedEndpoints::see(const model::ObjectKey& key, const Endpoint& stored) {
  const bool is_here = stored != nullptr && stored->spec.node == facts_.node();
  if (is_here) {
    stored_[key] = stored;
  } else {
    stored_.erase(key);
  }
  const auto at = entries_.find(key);
  if (at == entries_.end()) return std::nullopt;
  return view(at, is_here ? stored : nullptr);
}

std::optional<AttachedEndpoints::Endpoint> AttachedEndpoints::view(Entries::iterator at, const model::Pod& pod) {
  const Entry& entry = at->second;
  // Which of the two is the older one is not known; each container comes with its own.
  if (!entry.pod_uid.empty() && pod.metadata.uid != entry.pod_uid) return std::nullopt;
  if (entry.is_gone) {
    // What the pod says of another one holds. That it says nothing of this one may be no more than late.
    if (pod.metadata.annotations.get(kContainerAnnotation) == entry.container) return Endpoint();
    return std::nullopt;
  }
  const auto noted = policy::endpoint_of(pod);
  if (noted && says_the_same(*noted, entry.container, entry.addresses)) {
    entries_.erase(at);
    return std::nullopt;
  }
  return shared(policy::endpoint_of(pod, entry.container, entry.addresses));
}

std::optional<AttachedEndpoints::Endpoint> AttachedEndpoints::view(Entries::iterator at, const Endpoint& stored) {
  const Entry& entry = at->second;
  const bool is_named = stored != nullptr && stored->spec.container_id == entry.container;
  if (entry.is_gone && is_named) return Endpoint();
  if (!entry.is_gone && !(is_named && says_the_same(*stored, entry.container, entry.addresses))) return entry.object;
  entries_.erase(at);
  return std::nullopt;
}

void AttachedEndpoints::tell(const model::ObjectKey& key) {
  const auto at = entries_.find(key);
  std::optional<Endpoint> now;
  Endpoint stored;
  if (key.kind == model::Kind::kPod) {
    const model::Pod* pod = facts_.find_pod(key.name_space, key.name);
    if (pod == nullptr) {
      // Its watch will say so, if it comes.
      if (at->second.is_gone) entries_.erase(at);
      return;
    }
    now = view(at, *pod);
    if (!now) stored = shared(policy::endpoint_of(*pod));
  } else {
    const auto found = stored_.find(key);
    if (found != stored_.end()) stored = found->second;
    now = view(at, stored);
  }
  if (on_change) on_change(key, now ? *now : stored);
}

}  // namespace margay::agent
