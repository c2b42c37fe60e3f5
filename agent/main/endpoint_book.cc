#include "agent/main/endpoint_book.h"

#include <algorithm>

#include "base/core/text.h"

namespace margay::agent {
namespace {

// As Calico names the workload of a pod: namespace/name.
status::WorkloadId id_of(const model::WorkloadEndpoint& endpoint) {
  const model::WorkloadEndpointSpec& spec = endpoint.spec;
  const bool is_pod = !spec.pod.empty();
  return {.orchestrator = spec.orchestrator,
          .workload = is_pod ? concat(endpoint.metadata.name_space, "/", spec.pod) : spec.workload,
          .endpoint = spec.endpoint};
}

}  // namespace

void EndpointBook::note(const std::map<model::ObjectKey, std::optional<EndpointState>>& changes,
                        const Workloads& workloads) {
  for (const auto& [key, state] : changes) {
    if (state) {
      states_[key] = *state;
    } else {
      states_.erase(key);
    }
    const auto workload = workloads.find(key);
    if (state && state->stage == EndpointStage::kProgrammed && workload != workloads.end()) {
      const model::WorkloadEndpointSpec& spec = workload->second->spec;
      const status::WorkloadId id = id_of(*workload->second);
      files_.set(id, status::EndpointStatus{spec.interface_name, spec.mac, spec.ip_networks, ""});
      written_[key] = id;
    } else if (const auto at = written_.find(key); at != written_.end() && !state) {
      files_.set(at->second, std::nullopt);
      written_.erase(at);
    }
  }
}

const EndpointState* EndpointBook::find(const model::ObjectKey& key) const {
  const auto at = states_.find(key);
  return at == states_.end() ? nullptr : &at->second;
}

std::size_t EndpointBook::count(EndpointStage stage) const {
  return static_cast<std::size_t>(std::count_if(states_.begin(), states_.end(),
                                                [stage](const auto& entry) { return entry.second.stage == stage; }));
}

}  // namespace margay::agent
