#include "policy/calc/normalise.h"

#include <utility>

#include "policy/translate/translate.h"

namespace margay::policy {

Shared<model::WorkloadEndpoint> workload_of(const Input& input) {
  const Shared<model::Pod> pod = object_of<model::Pod>(input);
  if (pod == nullptr) return object_of<model::WorkloadEndpoint>(input);
  std::optional<model::WorkloadEndpoint> endpoint = endpoint_of(*pod);
  if (!endpoint) return nullptr;
  return std::make_shared<const model::WorkloadEndpoint>(*std::move(endpoint));
}

}  // namespace margay::policy
