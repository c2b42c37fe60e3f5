// How this node fares, in three sentences: conditions of its CalicoNodeStatus objects and `aspects` of GET /status, so
// that netctl says the same wherever it asks. Pure.
//
//   Ready           every stage of the start-up was reached and the node is registered
//   DataplaneReady  the first whole state is in the kernel, and nothing has failed
//   TunnelsReady    what pools want of tunnels is there
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/dataplane/batch.h"
#include "agent/main/timeline.h"
#include "agent/status/node_status.h"
#include "ipip/devices/ipip_choice.h"

namespace margay::agent {

struct AspectView {
  const Timeline& timeline;
  std::string registration_error;  // empty: registered, or not tried yet
  const DataplaneReport& report;
  std::size_t endpoints_programmed = 0, endpoints_failed = 0;
  const ipip::IpipChoice& ipip;
  bool lacks_ipip = false;  // pools want what the kernel cannot do
  const std::map<std::string, std::string>& tunnel_problems;
};

std::vector<status::NodeSnapshot::Aspect> aspects_of(const AspectView& view);

}  // namespace margay::agent
