#include "agent/dataplane/dataplane.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::agent {
namespace {

constexpr std::uint32_t kRouteMetric = 1024;  // Calico's default, and what BGP gives: one key for one prefix
constexpr std::string_view kRoutes = "routes";

// As the tables of iptables are named: "filter v4".
std::string name_of(const iptables::TableId& id) {
  const char* table = "filter";
  if (id.table == iptables::Table::kRaw) table = "raw";
  if (id.table == iptables::Table::kMangle) table = "mangle";
  if (id.table == iptables::Table::kNat) table = "nat";
  return concat("iptables ", table, id.family == IpFamily::kV4 ? " v4" : " v6");
}

// What BGP learned has a gateway; what leads to workloads and blocks of ours has none, and waits for no peer.
bool is_local(const route::RouteKey&, const route::Route& route) {
  return route.hops.empty() || (route.hops.size() == 1 && !route.hops[0].gateway);
}

std::set<IpFamily> families_of(const Ports& ports) {
  std::set<IpFamily> out;
  for (const auto& [id, port] : ports.tables) {
    if (id.table == iptables::Table::kFilter) out.insert(id.family);
  }
  return out;
}

}  // namespace

Dataplane::Dataplane(Parts parts)
    : loop_(parts.loop),
      ports_(std::move(parts.ports)),
      log_(std::move(parts.log)),
      on_report_(std::move(parts.on_report)),
      routes_(
          parts.loop, parts.kernel,
          {.protocol = parts.config.route_protocol, .grace = parts.config.route_grace, .ipv6 = parts.config.has_ipv6},
          [this](route::RouteReport report) { on_routes(std::move(report)); }),
      tunnels_(routes_, *ports_.tunnels, ports_.encapsulation.get()),
      families_(families_of(ports_)),
      metrics_(parts.metrics),
      write_timer_(parts.loop.make_timer([this] { write(); })),
      retry_timer_(parts.loop.make_timer([this] { write(); })) {
  if (metrics_ == nullptr) return;
  apply_seconds_ =
      metrics_->histogram({"margay_dataplane_apply_seconds", "How long a pass over all drivers took.", "seconds"},
                          telemetry::exponential_bounds(0.001, 2, 14));
}

Dataplane::~Dataplane() = default;

Status Dataplane::start(loop::FdWatcher& watcher) {
  MARGAY_RETURN_IF_ERROR(routes_.watch(watcher));
  return routes_.read();
}

void Dataplane::take(DataplaneBatch batch) {
  // Settings first: they say how the rest is rendered.
  if (batch.settings) take_settings(*batch.settings);
  if (batch.networks) tunnels_.set_networks(std::move(*batch.networks));
  if (batch.tunnels) tunnels_.set_settings(*batch.tunnels);
  tunnels_.take(batch.plan);
  if (batch.own_blocks) take_blocks(*batch.own_blocks);
  take_policy(batch.policy);
  batch_ = batch.number;
  if (batch.policy.is_in_sync && !std::exchange(is_open_, true)) {
    routes_.driver().allow_removal_of(is_local);
    are_routes_due_ = true;
  }
  write();
}

void Dataplane::take_policy(const policy::Delta& delta) {
  ports_.renderer->apply(delta);
  for (const auto& [key, endpoint] : delta.endpoints) {
    const bool is_host = endpoint != nullptr && endpoint->workload == nullptr;
    if (!is_host) plan_.set_endpoint(key, endpoint == nullptr ? nullptr : endpoint->workload);
  }
}

void Dataplane::take_settings(const model::FelixConfigurationSpec& settings) {
  using std::chrono::seconds;
  ports_.renderer->set_settings(settings);
  for (const auto& [id, table] : ports_.tables) table->set_settings(settings);
  ports_.settings->set_forwarding(settings.host.ip_forwarding.value_or(model::Switch::kEnabled) ==
                                  model::Switch::kEnabled);
  workload_prefixes_.clear();
  const std::string_view prefixes = settings.host.interface_prefix;
  for (const std::string_view prefix : split(prefixes.empty() ? "cali" : prefixes, ',')) {
    workload_prefixes_.emplace_back(trim(prefix));
  }
  tell_interfaces();
  // Tables know theirs.
  refresh(Drift::kSets, settings.netfilter.ipsets_refresh_interval.value_or(seconds(90)));
  refresh(Drift::kRoutes, settings.routes.route_refresh_interval.value_or(seconds(90)));
  refresh(Drift::kNeighbours, settings.host.interface_refresh_interval.value_or(seconds(90)));
  refresh(Drift::kSettings, settings.host.interface_refresh_interval.value_or(seconds(90)));
}

route::RouteKey Dataplane::key_of(const IpPrefix& prefix) const {
  return {.table = route::kMainTable, .prefix = prefix, .metric = kRouteMetric};
}

// A block of one address is that address: it is routed, or it is not there.
void Dataplane::take_blocks(const std::set<IpPrefix>& blocks) {
  for (const IpPrefix& block : blocks_) {
    if (!blocks.contains(block)) routes_.driver().remove_route(route::Source::kBlackhole, key_of(block));
  }
  blocks_.clear();
  for (const IpPrefix& block : blocks) {
    if (block.is_host()) continue;
    blocks_.insert(block);
    routes_.driver().set_route(route::Source::kBlackhole, key_of(block), {.type = route::RouteType::kBlackhole});
  }
  are_routes_due_ = true;
}

void Dataplane::take_routes(const route::RouteBatch& batch) { routes_.apply(batch); }

bool Dataplane::is_workload_interface(std::string_view name) const {
  return std::any_of(workload_prefixes_.begin(), workload_prefixes_.end(),
                     [name](const std::string& prefix) { return name.starts_with(prefix); });
}

void Dataplane::set_interface(const std::string& name, const std::optional<NodeInterface>& interface) {
  const auto before = interfaces_.find(name);
  const bool is_other =
      before != interfaces_.end() && (!interface || interface->state.index != before->second.state.index);
  if (is_other) ports_.neighbours->forget(before->second.state.index);
  if (interface) {
    interfaces_[name] = *interface;
  } else {
    interfaces_.erase(name);
  }
  plan_.set_interface(name, interface ? std::optional(interface->state) : std::nullopt);
  if (tunnels_.is_device(name)) ports_.tunnels->queue_resync();
  if (!is_workload_interface(name)) tell_interfaces();
  write_soon();
}

void Dataplane::tell_interfaces() {
  render::InterfaceAddresses addresses;
  std::map<IfIndex, std::set<IpAddress>> by_index;
  for (const auto& [name, interface] : interfaces_) {
    if (is_workload_interface(name)) continue;
    addresses[name] = interface.addresses;
    by_index[interface.state.index] = interface.addresses;
  }
  tunnels_.set_addresses(by_index);
  ports_.renderer->set_interfaces(std::move(addresses));
}

void Dataplane::refresh(Drift what, Duration every) {
  Refresh& entry = refreshes_[what];
  if (entry.every == every) return;
  entry.every = every;
  entry.timer = every <= Duration{} ? nullptr : loop_.make_timer([this, what] {
    Refresh& due = refreshes_[what];
    due.timer->arm(due.every);
    note_drift(what);
  });
  if (entry.timer != nullptr) entry.timer->arm(every);
}

void Dataplane::queue_resync(Drift what) {
  switch (what) {
    case Drift::kSets: return ports_.sets->queue_resync();
    case Drift::kTables:
      for (const auto& [id, table] : ports_.tables) table->queue_resync();
      return;
    case Drift::kNeighbours:
      ports_.tunnels->queue_resync();
      if (ports_.encapsulation != nullptr) ports_.encapsulation->queue_resync();
      return ports_.neighbours->queue_resync();
    case Drift::kSettings: return ports_.settings->queue_resync();
    case Drift::kRoutes:
      routes_.driver().queue_resync();
      are_routes_due_ = true;
      return;
  }
}

void Dataplane::note_drift(Drift what) {
  queue_resync(what);
  write_soon();
}

void Dataplane::write() {
  write_timer_->disarm();
  if (!is_open_) return;
  const TimePoint begin = loop_.now();
  is_writing_ = true;
  place_workloads();  // what goes, and what only waited for its interface
  write_rules();
  place_tunnels();
  place_workloads();
  if (tunnels_.has_leftovers()) {
    tunnels_.drop_leftovers();
    encapsulate();
  }
  run("ipset removal", [this](TimePoint now) { return ports_.sets->apply_removals(now); });
  is_writing_ = false;
  has_written_ = true;
  ++applies_;
  last_apply_ = loop_.now() - begin;
  apply_seconds_.observe(std::chrono::duration<double>(last_apply_).count());
  plan_retry();
  report();
}

// Rules that keep out who must not send through a tunnel come before its device, routes after it.
void Dataplane::place_tunnels() {
  run("tunnels", [this](TimePoint now) { return ports_.tunnels->apply(now); });
  encapsulate();
  are_routes_due_ |= tunnels_.place_routes();
  if (tunnels_.has_other_networks()) write_soon();
}

void Dataplane::encapsulate() {
  if (ports_.encapsulation == nullptr) return;
  run("encapsulation", [this](TimePoint now) { return ports_.encapsulation->apply(now); });
}

void Dataplane::write_rules() {
  if (auto networks = tunnels_.take_networks()) ports_.renderer->set_networks(std::move(*networks));
  render::RenderChange change = ports_.renderer->take();
  for (const auto& [name, set] : change.sets) ports_.sets->change(name, set);
  for (auto& [id, table] : change.tables) {
    const auto port = ports_.tables.find(id);
    if (port != ports_.tables.end()) port->second->change(std::move(table));
  }
  const bool has_sets = run("ipset", [this](TimePoint now) { return ports_.sets->apply(now); });
  std::set<IpFamily> written = families_;
  for (const auto& [id, table] : ports_.tables) {
    run(name_of(id), [&port = *table](TimePoint now) { return port.apply(now); });
    if (!table->is_applied()) written.erase(id.family);
  }
  if (ports_.on_tables_done) ports_.on_tables_done();
  // Rules that refer to a set which is not as it should be do not say what they mean.
  if (!has_sets) return;
  for (const IpFamily family : written) plan_.confirm(family);
}

void Dataplane::place_workloads() {
  const WorkloadChanges changes = plan_.take();
  for (const auto& [name, is_there] : changes.interfaces) {
    if (is_there) {
      ports_.settings->set_workload_interface(name);
    } else {
      ports_.settings->forget_interface(name);
    }
  }
  for (const auto& [key, mac] : changes.neighbours) {
    if (mac) {
      ports_.neighbours->set(key, *mac);
    } else {
      ports_.neighbours->remove(key);
    }
  }
  for (const auto& [prefix, interface] : changes.routes) {
    if (interface) {
      routes_.driver().set_route(route::Source::kLocalWorkload, key_of(prefix), {.hops = {{.interface = *interface}}});
    } else {
      routes_.driver().remove_route(route::Source::kLocalWorkload, key_of(prefix));
    }
  }
  run("settings", [this](TimePoint now) { return ports_.settings->apply(now); });
  run("neighbours", [this](TimePoint now) { return ports_.neighbours->apply(now); });
  if (std::exchange(are_routes_due_, false) || !changes.routes.empty()) routes_.write();
  for (const IpAddress& address : changes.forgotten) ports_.conntrack->forget(address);
  run("conntrack", [this](TimePoint now) { return ports_.conntrack->apply(now); });
}

bool Dataplane::run(const std::string& name, const std::function<dataplane::ApplyReport(TimePoint)>& apply) {
  const TimePoint begin = loop_.now();
  dataplane::ApplyReport done = apply(begin);
  Step& step = steps_[name];
  if (done.updated + done.removed + done.failed > 0) step.state.last_apply = loop_.now() - begin;
  const bool is_ok = done.failed == 0;
  note_result(name, step, std::move(done));
  return is_ok;
}

void Dataplane::note_result(const std::string& name, Step& step, dataplane::ApplyReport done) {
  const bool had_failed = step.state.failed > 0;
  if (done.updated + done.removed > 0) ++step.state.applied;
  step.state.updated += done.updated;
  step.state.removed += done.removed;
  step.state.failed = done.failed;
  step.state.failures = std::move(done.failures);
  step.try_again_at = done.try_again_at;
  if (metrics_ != nullptr && (had_failed || step.state.failed > 0)) {
    metrics_
        ->gauge({"margay_dataplane_failed_objects", "Objects that the kernel does not have as wanted.", ""},
                {{"driver", name}})
        .set(static_cast<double>(step.state.failed));
  }
  if (step.state.failed == 0) {
    if (had_failed) log_.info("written at last", {{"driver", name}});
    return;
  }
  if (const auto suppressed = step.log_limit.admit(loop_.now())) {
    const bool has_first = !step.state.failures.empty();
    log_.warn("cannot write", {{"driver", name},
                               {"failed", step.state.failed},
                               {"first", has_first ? step.state.failures.front().object : std::string()},
                               {"error", has_first ? step.state.failures.front().error.message : std::string()},
                               {"suppressed", *suppressed}});
  }
}

// The programmer of routes tries again by itself.
void Dataplane::on_routes(route::RouteReport report) {
  DriverState& state = steps_[std::string(kRoutes)].state;
  ++state.applied;
  state.failed = report.failed;
  state.failures = report.failures;
  state.desired = routes_.driver().desired_count();
  state.actual = routes_.driver().actual_count();
  last_routes_ = std::move(report);
  if (!is_writing_ && has_written_) this->report();
}

void Dataplane::plan_retry() {
  std::optional<TimePoint> next;
  for (const auto& [name, step] : steps_) {
    if (step.try_again_at && (!next || *step.try_again_at < *next)) next = step.try_again_at;
  }
  if (!next) return retry_timer_->disarm();
  retry_timer_->arm(*next - loop_.now());
}

// What the plan calls programmed is so once the kernel has the routes.
EndpointState Dataplane::settled(const model::ObjectKey& key, EndpointState state) const {
  if (state.stage != EndpointStage::kProgrammed) return state;
  const route::RouteDriver& driver = routes_.driver();
  for (const auto& [prefix, interface] : plan_.routes_of(key)) {
    const route::Route* actual = driver.actual(key_of(prefix));
    if (actual != nullptr && actual->hops.size() == 1 && actual->hops[0].interface == interface) continue;
    const auto failure = driver.failures().find(key_of(prefix));
    state.stage = EndpointStage::kFailed;
    state.message = failure == driver.failures().end() ? concat("no route to ", prefix.to_string())
                                                       : concat("route: ", failure->second.message);
    return state;
  }
  return state;
}

void Dataplane::collect_states(DataplaneReport& report) {
  std::set<model::ObjectKey> due = plan_.take_touched();
  due.merge(unsettled_);
  unsettled_.clear();
  for (const model::ObjectKey& key : due) {
    std::optional<EndpointState> state = plan_.state(key, families_);
    if (!state) {
      if (told_.erase(key) > 0) report.endpoints[key] = std::nullopt;
      continue;
    }
    EndpointState now = settled(key, std::move(*state));
    if (now.stage == EndpointStage::kFailed) unsettled_.insert(key);
    const auto told = told_.find(key);
    if (told != told_.end() && told->second == now) continue;
    told_[key] = now;
    report.endpoints[key] = std::move(now);
  }
}

void Dataplane::report() {
  DataplaneReport report;
  collect_states(report);
  const ObjectCounts sets = ports_.sets->counts();
  steps_["ipset"].state.desired = sets.desired;
  steps_["ipset"].state.actual = sets.actual;
  for (const auto& [id, table] : ports_.tables) {
    DriverState& state = steps_[name_of(id)].state;
    const ObjectCounts counts = table->counts();
    state.desired = counts.desired;
    state.actual = counts.actual;
  }
  for (const auto& [name, step] : steps_) report.drivers[name] = step.state;
  report.learned_routes = last_routes_.wanted;
  report.unresolved_routes = last_routes_.unresolved;
  report.planned_routes = last_routes_.planned;
  report.unresolved_planned_routes = last_routes_.planned_unresolved;
  for (const auto& [kind, index] : ports_.tunnels->devices()) report.tunnel_devices.emplace(ipip::name_of(kind));
  if (tunnels_.is_encapsulating() && steps_["encapsulation"].state.failed == 0) {
    report.tunnel_devices.emplace(ipip::name_of(ipip::DeviceKind::kIpip));
  }
  report.problems = ports_.renderer->problems();
  report.has_written = has_written_;
  if (has_written_) report.batch = batch_;
  report.last_apply = last_apply_;
  report.applies = applies_;
  on_report_(std::move(report));
}

}  // namespace margay::agent
