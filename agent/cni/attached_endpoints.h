// AttachedEndpoints: the workload endpoints of this node as its containers have them, for as long as the API server
// says something else: on its way there and back is what takes longest of a pod's start.
//
//   watch ─see()─▶ ┌──────────────────────┐ ─on_change─▶ calculation
//   CniServer ───▶ │ container ▶ endpoint │
//   attach, detach └──────────────────────┘
//
// attach(): it holds until the API server's object says the same, or is gone, or is another pod's. What it says then
// counts, as it does for containers of which nothing is known here (after a restart of the agent).
// detach(): the container has no endpoint any more, whatever the API server's object says of it as long as it is there.
//
// No I/O. Thread: the control loop's. Refers to `facts`, which is told of a pod after see() has been asked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/cni/cluster_facts.h"
#include "agent/cni/readiness.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/key.h"
#include "datastore/model/pod.h"

namespace margay::agent {

class AttachedEndpoints {
 public:
  using Endpoint = std::shared_ptr<const model::WorkloadEndpoint>;  // null: there is none

  explicit AttachedEndpoints(const ClusterFacts& facts) : facts_(facts) {}

  // Of a pod. `pod_uid` "": whichever has that name.
  void attach(const NewEndpoint& endpoint, const std::string& pod_uid);
  // Without Kubernetes: all of it.
  void attach(const model::ObjectKey& key, model::WorkloadEndpoint object);
  // Nothing happens when it is another container's by now. `key` as calculation_key() has it.
  void detach(const model::ObjectKey& key, const std::string& container);

  // What calculation is to know in place of what the watch has; nullopt: what the watch has.
  std::optional<Endpoint> see(const model::ObjectKey& key, const std::shared_ptr<const model::Pod>& pod);
  std::optional<Endpoint> see(const model::ObjectKey& key, const Endpoint& stored);

  // What calculation is to know from now on. Runs from inside attach() and detach().
  std::function<void(const model::ObjectKey& key, const Endpoint& endpoint)> on_change;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string container;
    std::string pod_uid;
    std::vector<IpPrefix> addresses;
    Endpoint object;  // without Kubernetes
    bool is_gone = false;
  };
  using Entries = std::map<model::ObjectKey, Entry>;

  // The API server's object, as the watch has it, is of this container.
  [[nodiscard]] bool names(const model::ObjectKey& key, const std::string& container) const;
  [[nodiscard]] std::optional<Endpoint> view(Entries::iterator at, const model::Pod& pod);
  [[nodiscard]] std::optional<Endpoint> view(Entries::iterator at, const Endpoint& stored);
  void tell(const model::ObjectKey& key);

  const ClusterFacts& facts_;
  Entries entries_;
  std::map<model::ObjectKey, Endpoint> stored_;  // of this node, without Kubernetes, as the watch has them
};

}  // namespace margay::agent
