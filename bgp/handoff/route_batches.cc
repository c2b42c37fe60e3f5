#include "bgp/handoff/route_batches.h"

namespace margay::bgp {

void add_changes(const std::vector<rib::RouteChange>& changes, route::RouteBatch& batch) {
  route::HopSet hops;
  for (const rib::RouteChange& change : changes) {
    if (!change.route) {
      batch.remove(change.prefix);
      continue;
    }
    hops.clear();
    for (const NextHop& next_hop : change.route->next_hops) hops.push_back({next_hop.address, next_hop.link_local});
    batch.set(change.prefix, hops, change.route->priority);
  }
}

void BatchSink::apply(std::vector<rib::RouteChange> changes) {
  route::RouteBatch batch;
  add_changes(changes, batch);
  if (!batch.empty()) send_(std::move(batch));
}

void BatchSink::converged() {
  route::RouteBatch batch;
  batch.converge();
  send_(std::move(batch));
}

}  // namespace margay::bgp
