#include "agent/dataplane/dataplane_thread.h"

#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <utility>

namespace margay::agent {
namespace {

constexpr Duration kDriftDelay = std::chrono::milliseconds(50);
constexpr Duration kDriftInterval = std::chrono::seconds(1);

bool is_reachable(const link::Interface& interface) {
  if (interface.is_loopback) return false;
  return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                     [](const InterfaceAddress& each) { return !each.address.is_link_local(); });
}

NodeInterface node_interface(const link::Interface& interface) {
  NodeInterface out{{interface.index, interface.is_up}, {}};
  for (const InterfaceAddress& each : interface.addresses) out.addresses.insert(each.address);
  return out;
}

}  // namespace

Result<std::unique_ptr<DataplaneThread>> DataplaneThread::start(Parts parts) {
  std::unique_ptr<DataplaneThread> made(new DataplaneThread);
  auto [reports, on_report] = Reports::make(parts.owner, {.on_value = std::move(parts.on_report), .on_closed = {}});
  auto [links, on_links] = Links::make(parts.owner, {.on_value = std::move(parts.on_links), .on_closed = {}});
  made->reports_.emplace(std::move(on_report));
  made->links_.emplace(std::move(on_links));
  made->worker_ = std::make_unique<Worker>();
  made->worker_->reports.emplace(std::move(reports));
  made->worker_->links.emplace(std::move(links));
  Status status = ok_status();
  made->thread_.call([&] { status = made->open(parts); });
  if (!status.ok()) return status.error();
  return made;
}

Status DataplaneThread::open(Parts& parts) {
  Worker& worker = *worker_;
  MARGAY_ASSIGN_OR_RETURN(worker.handles, open_kernel(parts.backend, parts.ipip));
  worker.handles->sysctls = std::make_unique<sysctl::FileSysctlTree>(parts.proc_sys);
  MARGAY_RETURN_IF_ERROR(open_dataplane(parts));
  worker.monitor.emplace(thread_.loop(), *worker.handles->route,
                         [this](const std::set<std::string>& names) { note_interfaces(names); });
  MARGAY_RETURN_IF_ERROR(worker.monitor->watch(thread_.loop()));
  MARGAY_RETURN_IF_ERROR(worker.monitor->read());
  watch_rulesets(parts.log);
  worker.gather.emplace(thread_.loop(), [&worker](DataplaneBatch batch) { worker.dataplane->take(std::move(batch)); });
  auto [batches, on_batch] = Batches::make(
      thread_.loop(),
      {.on_value = [&worker](DataplaneBatch batch) { worker.gather->take(std::move(batch)); }, .on_closed = {}});
  batches_.emplace(std::move(batches));
  worker.batches.emplace(std::move(on_batch));
  auto [routes, on_routes] = Routes::make(
      thread_.loop(), {.on_value = [&worker](const route::RouteBatch& batch) { worker.dataplane->take_routes(batch); },
                       .on_closed = {}});
  routes_.emplace(std::move(routes));
  worker.routes.emplace(std::move(on_routes));
  return ok_status();
}

Status DataplaneThread::open_dataplane(Parts& parts) {
  Worker& worker = *worker_;
  DataplaneConfig config = parts.config;
  config.has_ipv6 = config.has_ipv6 && worker.handles->features.has_ipv6;
  worker.dataplane.emplace(Dataplane::Parts{
      .loop = thread_.loop(),
      .kernel = *worker.handles->route,
      .ports = kernel_ports(*worker.handles, thread_.loop(), [&worker] { worker.dataplane->finish_conntrack(); }),
      .config = config,
      .log = parts.log,
      .metrics = parts.metrics,
      .propagation = parts.propagation,
      .on_report = [&worker](DataplaneReport report) { worker.reports->send(std::move(report)); }});
  MARGAY_RETURN_IF_ERROR(worker.dataplane->start(thread_.loop()));
  // Where BGP's routes go.
  route::RouteBatch table;
  table.move_to(route::kMainTable);
  worker.dataplane->take_routes(table);
  found_routes_ = worker.dataplane->routes().found();
  return ok_status();
}

// Of the nft back end alone; whoever changes tables of the legacy one is found by time. Without being told it is the
// same for both.
void DataplaneThread::watch_rulesets(const telemetry::Logger& log) {
  Worker& worker = *worker_;
  worker.drift_timer = thread_.loop().make_timer([this] { look_at_tables(); });
  auto monitor = netlink::open_monitor(
      thread_.loop(), NETLINK_NETFILTER, {NFNLGRP_NFTABLES},
      {.on_message =
           [this](const netlink::MessageView& message) { note_tables(worker_->handles->rulesets.note(message)); },
       .on_lost = [this] { note_tables(worker_->handles->rulesets.note_lost()); }});
  if (monitor.ok()) {
    worker.rulesets = std::move(monitor).value();
    worker.handles->are_rulesets_watched = true;
  } else {
    log.warn("changes of iptables by others are found by time alone", {{"error", monitor.error()}});
  }
}

// Who changes one rule often changes the next; and who changes them all the time shall not keep us reading.
void DataplaneThread::note_tables(std::set<iptables::TableId> tables) {
  if (tables.empty()) return;
  Worker& worker = *worker_;
  worker.drifted.merge(tables);
  if (worker.drift_timer->is_armed()) return;
  const Duration rest = worker.looked_at + kDriftInterval - thread_.loop().now();
  worker.drift_timer->arm(std::max(rest, kDriftDelay));
}

void DataplaneThread::look_at_tables() {
  worker_->looked_at = thread_.loop().now();
  worker_->dataplane->note_tables(std::exchange(worker_->drifted, {}));
}

void DataplaneThread::note_interfaces(const std::set<std::string>& names) {
  for (const std::string& name : names) {
    const link::Interface* interface = worker_->monitor->find(name);
    worker_->dataplane->set_interface(name,
                                      interface == nullptr ? std::nullopt : std::optional(node_interface(*interface)));
  }
  HostLinks links;
  for (const auto& [name, interface] : worker_->monitor->interfaces()) {
    if (is_reachable(interface)) links.links.emplace(name, interface);
  }
  worker_->links->send(std::move(links));
}

loop::Channel<route::RouteBatch>::Sender DataplaneThread::route_sender() {
  MARGAY_CHECK(routes_.has_value());
  Routes::Sender sender = std::move(*routes_);
  routes_.reset();
  return sender;
}

void DataplaneThread::queue_resync() {
  thread_.loop().post([this] {
    for (const Drift what : {Drift::kSets, Drift::kTables, Drift::kNeighbours, Drift::kSettings, Drift::kRoutes}) {
      worker_->dataplane->note_drift(what);
    }
  });
}

DataplaneThread::~DataplaneThread() {
  if (batches_) batches_->close();  // what is on its way arrives before the call below
  if (routes_) routes_->close();
  thread_.call([this] {
    worker_->batches.reset();
    worker_->gather.reset();
    worker_->routes.reset();
    worker_->monitor.reset();
    worker_->rulesets.reset();
    worker_->drift_timer.reset();
    worker_->dataplane.reset();
    worker_.reset();
  });
}

}  // namespace margay::agent
