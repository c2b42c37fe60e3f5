// RouteSink: where the speaker's best routes go (the kernel, by way of dataplane/route), in batches.
#pragma once

#include <vector>

#include "bgp/rib/route.h"

namespace margay::bgp {

class RouteSink {
 public:
  virtual ~RouteSink() = default;
  virtual void apply(std::vector<rib::RouteChange> changes) = 0;
  // Every peer's End-of-RIB has come or been waited for (its restart time): what of an earlier life was not named since
  // may be removed.
  virtual void converged() = 0;
};

}  // namespace margay::bgp
