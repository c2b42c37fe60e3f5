#include "agent/dataplane/host_states.h"

#include "base/core/text.h"

namespace margay::agent {

void HostStates::set_endpoint(const model::ObjectKey& key, const Host& host) {
  if (host == nullptr) {
    hosts_.erase(key);
  } else {
    hosts_[key] = {host, false};
  }
}

void HostStates::confirm() {
  for (auto& [key, entry] : hosts_) entry.is_confirmed = true;
}

EndpointState HostStates::state(const model::ObjectKey& key, const Entry& entry, const Facts& facts) {
  EndpointState out;
  out.interface = entry.host->spec.interface_name;
  bool has_interface = out.interface == "*";
  for (const auto& [name, owner] : facts.chosen) {
    if (owner != key) continue;
    out.interface = name;
    has_interface = has_interface || facts.is_present(name);
  }
  if (!entry.is_confirmed) return out;
  out.version = entry.host->metadata.resource_version;
  const auto problems = facts.problems.find(concat("HostEndpoint ", key.name));
  if (problems != facts.problems.end() && !problems->second.empty()) {
    const FieldError& first = problems->second.front();
    out.stage = EndpointStage::kFailed;
    out.message = concat(first.path, ": ", first.message);
    return out;
  }
  out.stage = has_interface ? EndpointStage::kProgrammed : EndpointStage::kWaitingForInterface;
  if (!has_interface && out.interface.empty()) out.message = "no interface of the node has one of its expectedIPs";
  return out;
}

std::map<model::ObjectKey, EndpointState> HostStates::states(const Facts& facts) const {
  std::map<model::ObjectKey, EndpointState> out;
  for (const auto& [key, entry] : hosts_) out.emplace(key, state(key, entry, facts));
  return out;
}

}  // namespace margay::agent
