// Reports of nodes through the API server: a CalicoNodeStatus is made for each, the agents fill it, and it is removed
// again, whatever happens in between; what an earlier netctl left is removed as well.
#pragma once

#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "ctl/node/node_report.h"
#include "ctl/verbs/session.h"

namespace margay::verbs {

// In the order of `nodes`; one that does not answer within `wait` has a report that says so. The error: nothing could
// be asked.
Result<std::vector<node::NodeReport>> reports_by_api(Session& session, const std::vector<std::string>& nodes,
                                                     Duration wait);
// Names of all nodes of the cluster, sorted.
Result<std::vector<std::string>> node_names(Session& session);
// Where agents have their sockets, unless told otherwise.
inline constexpr std::string_view kAgentSocket = "/run/margay/node.sock";
inline constexpr std::string_view kSpeakerSocket = "/run/margay/bgpd.sock";
// Whether there is an API server to be asked.
bool has_server(Session& session);

}  // namespace margay::verbs
