// What goes between the control loop and the dataplane's, as values that merge while the other side is busy.
//
//   control ──DataplaneBatch──▶ dataplane ──DataplaneReport──▶ control
//
// Level-based: a batch says what is wanted from now on; what it does not mention stays as it was.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/dataplane/tunnel_counters.h"
#include "agent/render/iptables_renderer.h"
#include "base/core/time.h"
#include "base/ip/prefix.h"
#include "dataplane/driver/driver.h"
#include "datastore/model/felix_configuration.h"
#include "datastore/model/key.h"
#include "ipip/devices/device_spec.h"
#include "ipip/plan/plan.h"
#include "policy/desired/delta.h"

namespace margay::agent {

struct DataplaneBatch {
  policy::Delta policy;  // is_in_sync: from now on the kernel may be written to
  std::optional<model::FelixConfigurationSpec> settings;
  std::optional<render::NodeNetworks> networks;
  // Blocks of addresses that are this node's: what is not routed to a workload goes nowhere.
  std::optional<std::set<IpPrefix>> own_blocks;
  ipip::PlanDelta plan;  // routes to other nodes, tunnels
  std::optional<ipip::TunnelSettings> tunnels;
  // Counts up; told back when it, and all before it, have been written.
  std::uint64_t number = 0;
  // When the first of the events came that made this; nullopt: nothing that anybody waits for.
  std::optional<TimePoint> since;

  void merge(DataplaneBatch&& later);
  // Changes nothing, once the first one that is in sync has been sent.
  [[nodiscard]] bool empty() const {
    return policy.empty() && !settings && !networks && !own_blocks && plan.empty() && !tunnels;
  }
};

// How far an endpoint of this node has come.
enum class EndpointStage : std::uint8_t {
  kWaitingForPolicy,     // its rules are not in the kernel yet: no packet gets through
  kWaitingForInterface,  // there is no such interface, or it is down
  kFailed,               // see the message; tried again
  kProgrammed,           // rules, routes and settings of its interface are in the kernel
};
std::string_view to_string(EndpointStage stage);

struct EndpointState {
  EndpointStage stage = EndpointStage::kWaitingForPolicy;
  std::string version;    // resourceVersion of the object that the kernel has, "" before the first
  std::string interface;  // on the host
  std::string message;
  std::string container{};            // of a workload, as that object names it
  std::vector<IpPrefix> addresses{};  // of a workload
  friend bool operator==(const EndpointState&, const EndpointState&) = default;
};

// One driver, for people and health checks.
struct DriverState {
  std::uint64_t applied = 0;  // times it had something to do
  std::uint64_t updated = 0, removed = 0;
  std::size_t failed = 0;                          // objects that could not be brought to what is wanted, as of now
  std::vector<dataplane::ObjectFailure> failures;  // the first of them
  Duration last_apply{};                           // what that took
  std::size_t desired = 0, actual = 0;             // objects; 0 where the driver does not count
  // Of tables: "rules", "restores", "restoreErrors", "saves", "saveErrors", "lines", "drifts".
  std::map<std::string, std::uint64_t> counts;
};

struct DataplaneReport {
  std::map<model::ObjectKey, std::optional<EndpointState>> endpoints;  // that changed; nullopt: gone
  std::map<std::string, DriverState> drivers;                          // all, by name
  std::map<std::string, FieldErrors> problems;                         // of what is to be written, all
  std::string backend, backend_reason;                                 // of iptables, as of now
  bool are_routes_paused = false;                                      // routeSyncDisabled
  // The first whole state has been written, or tried: what failed stands above. Stays true.
  bool has_written = false;
  bool has_all_policy = false;                            // sets and rules are as the batches up to `batch` want them
  std::size_t learned_routes = 0, unresolved_routes = 0;  // of BGP; unresolved: no next hop can be reached
  std::size_t planned_routes = 0, unresolved_planned_routes = 0;  // of the plan; unresolved: also without their tunnel
  std::set<std::string> tunnel_devices;                   // that are there; tunl0 also where programs stand for it
  std::shared_ptr<const TunnelCounters> tunnel_counters;  // as last read, each ten seconds; null: not yet
  std::uint64_t batch = 0;                                // the last that was written, or tried
  Duration last_apply{};
  std::uint64_t applies = 0;

  void merge(DataplaneReport&& later);
};

}  // namespace margay::agent
