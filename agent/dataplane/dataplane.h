// Dataplane: makes the kernel match what the control loop wants. Owns every driver; does nothing but compare and write.
//
//   take(DataplaneBatch) ─▶ renderer ─▶ sets, tables ─confirm─▶ WorkloadPlan ─▶ settings, neighbours, routes
//   take_routes(RouteBatch), set_interface, note_drift                             │
//   on_report(DataplaneReport) ◀───────────────────────────────────────────────────┘
//
// One pass, in this order, so that nothing refers to what is not there and no packet gets through too early:
//   1. routes of what has gone          4. settings, neighbours and routes of endpoints whose rules are in the kernel
//   2. sets: created, members changed   5. sets that nothing refers to
//   3. tables, what is left in those of the other back end; devices of tunnels, then routes to other nodes
// Nothing is written before a batch says that all is in sync. A driver that fails does not stop the others; it is tried
// again with its own backoff, and what depends on it waits (an endpoint whose rules are not in the kernel has no
// route). Destroying it leaves everything in place.
// Thread: the loop's. It blocks while the kernel works.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/dataplane/batch.h"
#include "agent/dataplane/host_states.h"
#include "agent/dataplane/interface_filter.h"
#include "agent/dataplane/own_routes.h"
#include "agent/dataplane/ports.h"
#include "agent/dataplane/tunnels.h"
#include "agent/dataplane/workload_plan.h"
#include "base/core/task.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "base/telemetry/rate_limit.h"
#include "dataplane/route/route_programmer.h"

namespace margay::agent {

// An interface of this node, as the kernel tells it.
struct NodeInterface {
  InterfaceState state;
  std::set<IpAddress> addresses;
  friend bool operator==(const NodeInterface&, const NodeInterface&) = default;
};

struct DataplaneConfig {
  std::uint8_t route_protocol = 80;
  // A route of ours that nobody wants is left alone so long after it was found.
  Duration route_grace = std::chrono::seconds(10);
  bool has_ipv6 = true;
};

// What may have been changed behind our back.
enum class Drift : std::uint8_t { kSets, kTables, kNeighbours, kSettings, kRoutes };

class Dataplane {
 public:
  struct Parts {
    loop::Loop& loop;
    netlink::Netlink& kernel;  // NETLINK_ROUTE
    Ports ports;
    DataplaneConfig config{};
    telemetry::Logger log{};
    telemetry::Registry* metrics = nullptr;
    telemetry::Histogram propagation{};  // seconds from DataplaneBatch::since until the kernel has it
    Callback<void(DataplaneReport)> on_report;
  };
  explicit Dataplane(Parts parts);
  ~Dataplane();
  Dataplane(const Dataplane&) = delete;
  Dataplane& operator=(const Dataplane&) = delete;

  void take(DataplaneBatch batch);
  // Of BGP; written at once, as the routes of others do not depend on rules here.
  void take_routes(const route::RouteBatch& batch);
  // nullopt: gone. Written on the next turn, with all that comes until then.
  void set_interface(const std::string& name, const std::optional<NodeInterface>& interface);
  void note_drift(Drift what);
  // Somebody has changed these, which are those of the nft back end.
  void note_tables(const std::set<iptables::TableId>& tables);
  // ConntrackPort has something to report.
  void finish_conntrack();

  // Listens to routes and links, reads what is there. Before the first batch.
  Status start(loop::FdWatcher& watcher);
  [[nodiscard]] route::RouteProgrammer& routes() { return routes_; }

 private:
  struct Step {
    DriverState state;
    telemetry::RateLimit log_limit{std::chrono::seconds(10)};
    std::optional<TimePoint> try_again_at;
  };
  struct Refresh {
    std::unique_ptr<loop::Timer> timer;
    Duration every{};
  };

  void take_policy(const policy::Delta& delta);
  void take_settings(const model::FelixConfigurationSpec& settings);
  void take_route_settings(const model::FelixRoutes& settings);
  void take_host_settings(const model::FelixHost& settings);
  void write_soon() { write_timer_->arm({}); }
  void write();
  void write_rules();
  void write_tables(bool has_sets);
  // Sets and rules are as wanted.
  [[nodiscard]] bool has_all_policy() const;
  void observe_propagation();
  void place_workloads();
  void place_tunnels();
  void encapsulate();
  void count_tunnels();
  // Whether nothing of it failed.
  bool run(const std::string& name, const std::function<dataplane::ApplyReport(TimePoint)>& apply);
  void note_result(const std::string& name, Step& step, dataplane::ApplyReport done);
  void on_routes(route::RouteReport report);
  void plan_retry();
  void refresh(Drift what, Duration every);
  void queue_resync(Drift what);
  [[nodiscard]] EndpointState settled(const model::ObjectKey& key, EndpointState state) const;
  void collect_states(DataplaneReport& report);
  void collect_hosts(DataplaneReport& report);
  void collect_drivers(DataplaneReport& report);
  void tell_state(const model::ObjectKey& key, EndpointState now, DataplaneReport& report);
  void report();
  [[nodiscard]] bool is_workload_interface(std::string_view name) const;
  void tell_interfaces();
  void own_interfaces();

  loop::Loop& loop_;
  Ports ports_;
  telemetry::Logger log_;
  Callback<void(DataplaneReport)> on_report_;
  route::RouteReport last_routes_;
  route::RouteProgrammer routes_;
  Tunnels tunnels_;
  WorkloadPlan plan_;
  std::map<std::string, NodeInterface> interfaces_;
  std::vector<std::string> workload_prefixes_{"cali"};
  const std::uint8_t route_protocol_;  // unless a setting says otherwise
  OwnRoutes own_routes_;
  HostStates hosts_;
  InterfaceFilter excluded_;
  FieldErrors problems_;                  // of settings that are read here
  bool owns_interfaces_ = true;           // removeExternalRoutes
  std::set<IpFamily> families_;           // that rules are written for
  std::set<model::ObjectKey> unsettled_;  // placed, but not all of it is in the kernel
  std::map<model::ObjectKey, EndpointState> told_;
  std::map<std::string, Step> steps_;
  std::map<Drift, Refresh> refreshes_;
  bool is_open_ = false;  // the kernel may be written to
  bool are_routes_due_ = false;
  bool is_writing_ = false;
  bool has_written_ = false;
  std::uint64_t applies_ = 0;
  std::uint64_t batch_ = 0;          // the last that was taken
  std::uint64_t written_batch_ = 0;  // or tried
  Duration last_apply_{};
  std::optional<TimePoint> since_;
  telemetry::Histogram apply_seconds_, propagation_;
  telemetry::Registry* metrics_;
  std::unique_ptr<loop::Timer> write_timer_;
  std::unique_ptr<loop::Timer> retry_timer_;
  std::shared_ptr<const TunnelCounters> tunnel_counters_;
  bool is_counting_ = false;
  std::unique_ptr<loop::Timer> count_timer_;
};

}  // namespace margay::agent
