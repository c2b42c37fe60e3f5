// Probes: real packets between pods, to see who reaches whom. A probe that gets no answer within the limit was denied,
// or lost; TCP counts when the connection stands, UDP when the pod's server answers.
#pragma once

#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/ip/address.h"
#include "ctl/lab/pod_server.h"

namespace margay::lab {

struct ProbeTarget {
  IpAddress address;
  ServedPort port;
};

struct ProbeAnswer {
  bool is_reached = false;
  std::string said;  // the first line the server said after the head; only of ask()
  std::string why;   // why not: "no answer within 1.5s", "Connection refused"
};

// All at once from one namespace; an answer for each target, in order.
Result<std::vector<ProbeAnswer>> probe_all(const std::string& space, const std::vector<ProbeTarget>& targets,
                                           Duration limit);
// One, and what the server says.
Result<ProbeAnswer> ask(const std::string& space, const ProbeTarget& target, Duration limit);

}  // namespace margay::lab
