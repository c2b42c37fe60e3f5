// BatchSink: the speaker's best routes as batches for the dataplane (route::RouteBatch), which a channel carries to its
// loop and merges there.
//
//   bgp::Speaker ─RouteSink─▶ BatchSink ─RouteBatch─▶ send
//
// Thread: the speaker's.
#pragma once

#include <utility>
#include <vector>

#include "base/core/task.h"
#include "bgp/rib/route.h"
#include "bgp/speaker/route_sink.h"
#include "dataplane/route/route_batch.h"

namespace margay::bgp {

// Says the changes to a batch: next hops with their link-local addresses, the priority as the metric.
void add_changes(const std::vector<rib::RouteChange>& changes, route::RouteBatch& batch);

class BatchSink final : public RouteSink {
 public:
  explicit BatchSink(Callback<void(route::RouteBatch)> send) : send_(std::move(send)) {}

  void apply(std::vector<rib::RouteChange> changes) override;
  void converged() override;

 private:
  Callback<void(route::RouteBatch)> send_;
};

}  // namespace margay::bgp
