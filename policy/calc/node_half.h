// NodeHalf: what one node enforces: which policies select its endpoints, in the order of tiers and policies, apart by
// direction and by untracked, preDNAT, forward and normal. Staged policies are named and never enforced.
//
// An endpoint is given out once everything its policy names is here, and stays as it was until then; so a delta never
// refers to what is missing. Pure, one thread.
#pragma once

#include <memory>

#include "policy/calc/exchange.h"
#include "policy/calc/input.h"
#include "policy/desired/delta.h"

namespace margay::policy {

class NodeHalf {
 public:
  NodeHalf();
  ~NodeHalf();
  NodeHalf(const NodeHalf&) = delete;
  NodeHalf& operator=(const NodeHalf&) = delete;

  // Endpoints of this node; null: gone.
  void put_workload(const ObjectKey& key, Shared<model::WorkloadEndpoint> endpoint);
  void put_host(const ObjectKey& key, Shared<model::HostEndpoint> endpoint);
  void apply(ClusterUpdate update);

  // What the cluster half is to be asked for since the last call. One at a time: not to be called between a demand that
  // was not empty and apply() of the answer to it.
  NodeDemand take_demand();
  // What changed to be enforced since the last call.
  Delta take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::policy
