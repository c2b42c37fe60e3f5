// NodeReport: how a node fares, as its agent tells it: by its socket, or in a CalicoNodeStatus object. One value for
// `netctl node status`, `netctl lab status` and the support bundle. Pure but for read_agent().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/json/value.h"

namespace margay::node {

class Host;

struct PeerReport {
  std::string address;
  std::string type;   // "node-to-node mesh", "global", "node specific", "local workload"; "" not known
  std::string state;  // "Established", "Idle", …
  std::optional<Duration> since;
  std::optional<std::int64_t> asn, received, accepted, sent;  // prefixes
  std::string problem;                                        // why it is not up

  [[nodiscard]] bool is_up() const { return state == "Established"; }
  friend bool operator==(const PeerReport&, const PeerReport&) = default;
};

// Ready, DataplaneReady, TunnelsReady (agent/main/node_aspects.h).
struct AspectReport {
  std::string type;
  bool is_well = false;
  std::string reason;
  std::string message;
  friend bool operator==(const AspectReport&, const AspectReport&) = default;
};

struct NodeReport {
  std::string node;
  std::string problem;      // why nothing is known of it; empty: the rest holds
  std::string bgp;          // "running", "not running"; empty: not known
  std::string bgp_problem;  // why its last configuration was not taken
  std::string router_id;
  std::string version;
  std::vector<AspectReport> aspects;  // empty: an agent that does not tell (Calico's)
  std::vector<PeerReport> peers;      // IPv4 first, by address

  [[nodiscard]] const AspectReport* find(std::string_view aspect) const;
  [[nodiscard]] std::size_t peers_up() const;
  // It answered, all aspects are well, BGP took its configuration, and all peers are up.
  [[nodiscard]] bool is_well() const;
};

// Of GET /status and GET /peers of an agent.
NodeReport report_of(const json::Value& status, const json::Value& peers);
// Of a CalicoNodeStatus that was filled.
NodeReport report_of(const json::Value& object);
json::Value as_json(const NodeReport& report);

// Asks the agent behind a socket. The error says why nobody answers.
Result<NodeReport> read_agent(Host& host, const std::string& socket);

}  // namespace margay::node
