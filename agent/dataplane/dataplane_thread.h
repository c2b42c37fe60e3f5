// DataplaneThread: a Dataplane on the real kernel, with a loop and thread of its own, in the network namespace of the
// thread that makes it.
//
//   control ── Channel<DataplaneBatch> ─▶ Dataplane ── Channel<DataplaneReport> ─▶ control
//   BGP     ── Channel<RouteBatch> ─────▶    ▲      ── Channel<HostLinks> ───────▶ control
//                              InterfaceMonitor, RulesetEvents
// Batches come by a RemovalGather.
// Made and destroyed on the owner's loop. Destroying it leaves everything in the kernel in place.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "agent/dataplane/dataplane.h"
#include "agent/dataplane/kernel_ports.h"
#include "agent/dataplane/removal_gather.h"
#include "base/loop/channel.h"
#include "base/loop/loop_thread.h"
#include "dataplane/link/interface_monitor.h"

namespace margay::agent {

// Interfaces that have an address others can reach, all of them; the latest counts.
struct HostLinks {
  std::map<std::string, link::Interface> links;
  void merge(HostLinks&& later) { *this = std::move(later); }
};

class DataplaneThread {
 public:
  struct Parts {
    loop::Loop& owner;
    iptables::BackendMode backend = iptables::BackendMode::kAuto;
    std::optional<ipip::IpipImplementation> ipip{};  // nullopt: what works
    DataplaneConfig config{};
    telemetry::Logger log{};
    telemetry::Registry* metrics = nullptr;
    std::string proc_sys = "/proc/sys";
    telemetry::Histogram propagation{};  // see Dataplane::Parts
    // On the owner's loop.
    Callback<void(DataplaneReport)> on_report;
    Callback<void(HostLinks)> on_links;
  };
  // Waits until what is there has been read. The error says what this machine lacks.
  static Result<std::unique_ptr<DataplaneThread>> start(Parts parts);
  ~DataplaneThread();
  DataplaneThread(const DataplaneThread&) = delete;
  DataplaneThread& operator=(const DataplaneThread&) = delete;

  void send(DataplaneBatch batch) { batches_->send(std::move(batch)); }
  // For one other thread (BGP's).
  [[nodiscard]] loop::Channel<route::RouteBatch>::Sender route_sender();
  // Reads everything again.
  void queue_resync();

  // Routes of ours that were there at the start.
  [[nodiscard]] std::size_t found_routes() const { return found_routes_; }
  // At the start; DataplaneReport has that of now.
  [[nodiscard]] const iptables::BackendChoice& backend() const { return worker_->handles->backend; }
  [[nodiscard]] const iptables::KernelFeatures& features() const { return worker_->handles->features; }
  [[nodiscard]] const ipip::IpipChoice& ipip() const { return worker_->handles->ipip; }
  // For what else belongs on that loop: heartbeats.
  [[nodiscard]] loop::LoopThread& thread() { return thread_; }

 private:
  using Batches = loop::Channel<DataplaneBatch>;
  using Routes = loop::Channel<route::RouteBatch>;
  using Reports = loop::Channel<DataplaneReport>;
  using Links = loop::Channel<HostLinks>;
  // Lives on the thread.
  struct Worker {
    std::unique_ptr<KernelHandles> handles;
    std::optional<Reports::Sender> reports;
    std::optional<Links::Sender> links;
    std::optional<Dataplane> dataplane;
    std::optional<link::InterfaceMonitor> monitor;
    std::unique_ptr<netlink::Monitor> rulesets;
    std::unique_ptr<loop::Timer> drift_timer;
    std::set<iptables::TableId> drifted;
    TimePoint looked_at{};
    std::optional<Routes::Receiver> routes;
    std::optional<RemovalGather> gather;
    std::optional<Batches::Receiver> batches;  // first to end
  };

  DataplaneThread() = default;
  Status open(Parts& parts);
  Status open_dataplane(Parts& parts);
  void watch_rulesets(const telemetry::Logger& log);
  void note_tables(std::set<iptables::TableId> tables);
  void look_at_tables();
  void note_interfaces(const std::set<std::string>& names);

  std::unique_ptr<Worker> worker_;  // before the thread: what runs on it ends first
  loop::LoopThread thread_;
  std::optional<Batches::Sender> batches_;
  std::optional<Routes::Sender> routes_;
  std::optional<Reports::Receiver> reports_;
  std::optional<Links::Receiver> links_;
  std::size_t found_routes_ = 0;
};

}  // namespace margay::agent
