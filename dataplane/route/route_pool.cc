#include "dataplane/route/route_pool.h"

#include <algorithm>

namespace margay::route {

bool RoutePool::uses(IfIndex interface) const {
  const auto leaves_by = [interface](const RouteHop& hop) {
    return hop.interface == interface || hop.interface.value() == 0;  // 0: the kernel chose it
  };
  return std::any_of(routes_.begin(), routes_.end(), [&](const Held& held) {
    return std::any_of(held.first.hops.begin(), held.first.hops.end(), leaves_by);
  });
}

}  // namespace margay::route
