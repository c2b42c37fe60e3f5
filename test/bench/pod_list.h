// A LIST of pods as kube-apiserver sends it, for benchmarks: Deployments' pods with the usual annotations, volumes,
// tolerations, conditions and managedFields, about 3 kB each.
#pragma once

#include <cstddef>
#include <string>

namespace margay::bench {

// Compact JSON, ended by a newline.
std::string pod_list(std::size_t pods);

}  // namespace margay::bench
