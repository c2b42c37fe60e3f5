// EndpointReadiness: whoever knows when the kernel has all of an endpoint. The CNI server answers ADD by it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/core/time.h"
#include "base/ip/prefix.h"
#include "datastore/model/key.h"

namespace margay::agent {

// A workload that has its interface and its addresses.
struct NewEndpoint {
  model::ObjectKey key;  // of the WorkloadEndpoint, as policy::endpoint_of names it
  std::string pod_namespace;
  std::string pod_name;  // "": no Kubernetes
  std::string container;
  std::string interface;  // on the host
  std::vector<IpPrefix> addresses;
};

// By which calculation knows it: endpoints that pods make go by the pod.
inline model::ObjectKey calculation_key(const NewEndpoint& endpoint) {
  if (endpoint.pod_name.empty()) return endpoint.key;
  return {model::Kind::kPod, endpoint.pod_namespace, endpoint.pod_name};
}

// Destroying it gives up waiting: the callback does not run any more.
class ReadinessWait {
 public:
  virtual ~ReadinessWait() = default;
};

class EndpointReadiness {
 public:
  virtual ~EndpointReadiness() = default;
  // `done` runs once, not from inside this call: ok when the endpoint's route and policy, for these addresses, are in
  // the kernel; after `timeout` kTimeout with a text that says what is missing.
  virtual std::unique_ptr<ReadinessWait> wait(const NewEndpoint& endpoint, Duration timeout,
                                              Callback<void(Status)> done) = 0;
};

}  // namespace margay::agent
