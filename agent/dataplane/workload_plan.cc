#include "agent/dataplane/workload_plan.h"

#include <utility>

#include "base/core/text.h"

namespace margay::agent {
namespace {

template <class Visit>
void for_each_address(const WorkloadPlan::Endpoint& endpoint, IpFamily family, Visit&& visit) {
  if (endpoint == nullptr) return;
  for (const IpPrefix& address : endpoint->spec.ip_networks) {
    if (address.family() == family) visit(address);
  }
}

bool has_address(const WorkloadPlan::Endpoint& endpoint, IpFamily family) {
  bool found = false;
  for_each_address(endpoint, family, [&](const IpPrefix&) { found = true; });
  return found;
}

}  // namespace

void WorkloadPlan::set_endpoint(const model::ObjectKey& key, const Endpoint& endpoint) {
  touched_.insert(key);
  if (endpoint != nullptr) {
    entries_[key].wanted = endpoint;
    unconfirmed_[IpFamily::kV4].insert(key);
    unconfirmed_[IpFamily::kV6].insert(key);
    return;
  }
  const auto at = entries_.find(key);
  if (at == entries_.end()) return;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    unclaim(key, at->second.confirmed(family), family);
    unconfirmed_[family].erase(key);
  }
  entries_.erase(at);
}

void WorkloadPlan::confirm(IpFamily family) {
  for (const model::ObjectKey& key : std::exchange(unconfirmed_[family], {})) {
    confirm_one(key, entries_.at(key), family);
  }
}

void WorkloadPlan::confirm_one(const model::ObjectKey& key, Entry& entry, IpFamily family) {
  touched_.insert(key);
  Endpoint& confirmed = entry.confirmed(family);
  if (confirmed == entry.wanted) return;
  unclaim(key, std::exchange(confirmed, entry.wanted), family);
  claim(key, entry.wanted, family);
}

void WorkloadPlan::claim(const model::ObjectKey& key, const Endpoint& endpoint, IpFamily family) {
  for_each_address(endpoint, family, [&](const IpPrefix& address) {
    claims_[address].insert(key);
    dirty_.insert(address);
  });
  const std::string& interface = endpoint->spec.interface_name;
  auto& users = users_[interface];
  users.insert(key);
  if (users.size() == 1 && interfaces_.contains(interface)) settings_[interface] = true;
}

void WorkloadPlan::unclaim(const model::ObjectKey& key, const Endpoint& endpoint, IpFamily family) {
  if (endpoint == nullptr) return;
  for_each_address(endpoint, family, [&](const IpPrefix& address) {
    dirty_.insert(address);
    const auto at = claims_.find(address);
    if (at == claims_.end()) return;
    at->second.erase(key);
    if (at->second.empty()) claims_.erase(at);
  });
  const auto users = users_.find(endpoint->spec.interface_name);
  if (users == users_.end()) return;
  if (const auto one = users->second.find(key); one != users->second.end()) users->second.erase(one);
  if (users->second.empty()) users_.erase(users);
}

void WorkloadPlan::set_interface(const std::string& name, const std::optional<InterfaceState>& state) {
  const auto at = interfaces_.find(name);
  if (!state) {
    if (at == interfaces_.end()) return;
    interfaces_.erase(at);
    settings_[name] = false;
    return touch_interface(name);
  }
  if (at != interfaces_.end() && at->second == *state) return;
  // Another interface under the same name has none of our settings.
  const bool is_new = at == interfaces_.end() || at->second.index != state->index;
  interfaces_[name] = *state;
  if (is_new && users_.contains(name)) settings_[name] = true;
  touch_interface(name);
}

void WorkloadPlan::touch_interface(const std::string& name) {
  const auto users = users_.find(name);
  if (users == users_.end()) return;
  for (const model::ObjectKey& key : users->second) {
    touched_.insert(key);
    const Entry& entry = entries_.at(key);
    for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
      for_each_address(entry.confirmed(family), family, [&](const IpPrefix& address) { dirty_.insert(address); });
    }
  }
}

const InterfaceState* WorkloadPlan::up_interface(const std::string& name) const {
  const auto at = interfaces_.find(name);
  return at == interfaces_.end() || !at->second.is_up ? nullptr : &at->second;
}

std::optional<WorkloadPlan::Placed> WorkloadPlan::choose(const IpPrefix& address) const {
  const auto claims = claims_.find(address);
  if (claims == claims_.end()) return std::nullopt;
  for (const model::ObjectKey& key : claims->second) {
    const model::WorkloadEndpoint& endpoint = *entries_.at(key).confirmed(address.family());
    const InterfaceState* interface = up_interface(endpoint.spec.interface_name);
    if (interface != nullptr) return Placed{key, interface->index, endpoint.spec.mac};
  }
  return std::nullopt;
}

void WorkloadPlan::place(const IpPrefix& address, WorkloadChanges& changes) {
  const std::optional<Placed> now = choose(address);
  const auto at = placed_.find(address);
  const std::optional<Placed> before = at == placed_.end() ? std::nullopt : std::optional(at->second);
  if (now == before) return;
  if (now) {
    changes.routes[address] = now->interface;
    placed_.insert_or_assign(address, *now);
  } else {
    changes.routes[address] = std::nullopt;
    placed_.erase(at);
  }
  const IpAddress single = address.first();
  if (before) {
    touched_.insert(before->owner);
    if (before->mac) changes.neighbours[{before->interface, single}] = std::nullopt;
    if (!now || now->interface != before->interface || now->owner != before->owner) changes.forgotten.insert(single);
  }
  if (!now) return;
  touched_.insert(now->owner);
  if (now->mac) changes.neighbours[{now->interface, single}] = now->mac;
}

WorkloadChanges WorkloadPlan::take() {
  WorkloadChanges changes;
  for (const IpPrefix& address : std::exchange(dirty_, {})) {
    place(address, changes);
    if (const auto claims = claims_.find(address); claims != claims_.end()) {
      touched_.insert(claims->second.begin(), claims->second.end());
    }
  }
  changes.interfaces = std::exchange(settings_, {});
  return changes;
}

std::set<model::ObjectKey> WorkloadPlan::take_touched() { return std::exchange(touched_, {}); }

std::string WorkloadPlan::conflict_of(const model::ObjectKey& key, const Endpoint& endpoint) const {
  for (const IpPrefix& address : endpoint->spec.ip_networks) {
    const auto placed = placed_.find(address);
    if (placed == placed_.end() || placed->second.owner == key) continue;
    return concat(address.first().to_string(), " is the address of ", placed->second.owner.to_string(), ", too");
  }
  return {};
}

std::optional<EndpointState> WorkloadPlan::state(const model::ObjectKey& key,
                                                 const std::set<IpFamily>& families) const {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return std::nullopt;
  const Entry& entry = at->second;
  EndpointState out;
  out.interface = entry.wanted->spec.interface_name;
  for (const IpFamily family : families) {
    if (entry.confirmed(family) != entry.wanted) return out;
  }
  out.version = entry.wanted->metadata.resource_version;
  out.container = entry.wanted->spec.container_id;
  out.addresses = entry.wanted->spec.ip_networks;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    if (families.contains(family) || !has_address(entry.wanted, family)) continue;
    out.stage = EndpointStage::kFailed;
    out.message = concat("this kernel has no rules for ", to_string(family));
    return out;
  }
  if (up_interface(out.interface) == nullptr) {
    out.stage = EndpointStage::kWaitingForInterface;
    return out;
  }
  out.message = conflict_of(key, entry.wanted);
  out.stage = out.message.empty() ? EndpointStage::kProgrammed : EndpointStage::kFailed;
  return out;
}

std::map<IpPrefix, IfIndex> WorkloadPlan::routes_of(const model::ObjectKey& key) const {
  std::map<IpPrefix, IfIndex> out;
  const auto at = entries_.find(key);
  if (at == entries_.end()) return out;
  for (const IpPrefix& address : at->second.wanted->spec.ip_networks) {
    const auto placed = placed_.find(address);
    if (placed != placed_.end() && placed->second.owner == key) out.emplace(address, placed->second.interface);
  }
  return out;
}

const model::ObjectKey* WorkloadPlan::owner_of(const IpPrefix& address) const {
  const auto at = placed_.find(address);
  return at == placed_.end() ? nullptr : &at->second.owner;
}

}  // namespace margay::agent
