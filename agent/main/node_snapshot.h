// What CalicoNodeStatus tells of this node, from what the speaker tells of itself. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "agent/bgp/bgp_calculation.h"
#include "agent/bgp/bgp_worker.h"
#include "agent/status/node_status.h"
#include "base/core/time.h"
#include "dataplane/link/interface_table.h"

namespace margay::agent {

// An object of the API server has its limits; `netctl node routes` shows all.
inline constexpr std::size_t kStatusRoutesMax = 4000;

struct NodeView {
  const BgpSnapshot& speaker;
  const BgpDesired* desired = nullptr;                  // why each peer is there; nullptr: not known
  const std::map<std::string, link::Interface>& links;  // by which gateways are reached
};
status::NodeSnapshot node_snapshot(const NodeView& view, WallTime now);

}  // namespace margay::agent
