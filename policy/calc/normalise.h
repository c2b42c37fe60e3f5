// Objects of Kubernetes as those the calculation knows: pods become workload endpoints. Pure.
#pragma once

#include "policy/calc/input.h"

namespace margay::policy {

// The workload endpoint that an input of a pod or a workload endpoint stands for; null: there is none.
Shared<model::WorkloadEndpoint> workload_of(const Input& input);

// The object, if the input has one of this kind.
template <class T>
Shared<T> object_of(const Input& input) {
  const auto* value = std::get_if<Shared<T>>(&input.value);
  return value == nullptr ? nullptr : *value;
}

}  // namespace margay::policy
