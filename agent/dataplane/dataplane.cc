#include "agent/dataplane/dataplane.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::agent {
namespace {

constexpr std::string_view kRoutes = "routes";
constexpr std::string_view kSets = "ipset";
constexpr Duration kCountTunnelsEvery = std::chrono::seconds(10);

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

iptables::BackendMode mode_of(const std::optional<model::IptablesBackend>& backend) {
  switch (backend.value_or(model::IptablesBackend::kAuto)) {
    case model::IptablesBackend::kAuto: return iptables::BackendMode::kAuto;
    case model::IptablesBackend::kNft: return iptables::BackendMode::kNft;
    case model::IptablesBackend::kLegacy: return iptables::BackendMode::kLegacy;
  }
  return iptables::BackendMode::kAuto;
}

std::map<std::string, std::uint64_t> counts_of(const TablePort& table) {
  const iptables::TableStatistics& statistics = table.statistics();
  return {{"rules", table.rule_count()},
          {"restores", statistics.restores},
          {"restoreErrors", statistics.restore_errors},
          {"saves", statistics.saves},
          {"saveErrors", statistics.save_errors},
          {"lines", statistics.lines},
          {"drifts", statistics.drifts}};
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
      route_protocol_(parts.config.route_protocol),
      own_routes_(routes_.driver()),
      families_(families_of(ports_)),
      propagation_(std::move(parts.propagation)),
      metrics_(parts.metrics),
      write_timer_(parts.loop.make_timer([this] { write(); })),
      retry_timer_(parts.loop.make_timer([this] { write(); })),
      count_timer_(parts.loop.make_timer([this] { count_tunnels(); })) {
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
  if (batch.own_blocks) {
    own_routes_.set_blocks(*batch.own_blocks);
    are_routes_due_ = true;
  }
  take_policy(batch.policy);
  batch_ = batch.number;
  if (!since_) since_ = batch.since;
  if (batch.policy.is_in_sync && !std::exchange(is_open_, true)) {
    routes_.driver().allow_removal_of(is_local);
    own_interfaces();
    queue_resync(Drift::kRoutes);  // now that it is known which interfaces are workloads'
  }
  write();
}

void Dataplane::take_policy(const policy::Delta& delta) {
  ports_.renderer->apply(delta);
  for (const auto& [key, endpoint] : delta.endpoints) {
    const bool is_host = endpoint != nullptr && endpoint->workload == nullptr;
    if (is_host) {
      hosts_.set_endpoint(key, endpoint->host);
      continue;
    }
    if (endpoint == nullptr) hosts_.set_endpoint(key, nullptr);
    plan_.set_endpoint(key, endpoint == nullptr ? nullptr : endpoint->workload);
  }
}

void Dataplane::take_settings(const model::FelixConfigurationSpec& settings) {
  using std::chrono::seconds;
  problems_.clear();
  ports_.renderer->set_settings(settings);
  for (const auto& [id, table] : ports_.tables) table->set_settings(settings);
  ports_.sets->set_settings(settings);
  ports_.backend->set_mode(mode_of(settings.netfilter.iptables_backend));
  take_host_settings(settings.host);
  take_route_settings(settings.routes);
  // Tables know theirs.
  refresh(Drift::kSets, settings.netfilter.ipsets_refresh_interval.value_or(seconds(90)));
  refresh(Drift::kRoutes, settings.routes.route_refresh_interval.value_or(seconds(90)));
  refresh(Drift::kNeighbours, settings.host.interface_refresh_interval.value_or(seconds(90)));
  refresh(Drift::kSettings, settings.host.interface_refresh_interval.value_or(seconds(90)));
}

void Dataplane::take_host_settings(const model::FelixHost& settings) {
  ports_.settings->set_forwarding(settings.ip_forwarding.value_or(model::Switch::kEnabled) == model::Switch::kEnabled);
  workload_prefixes_.clear();
  const std::string_view prefixes = settings.interface_prefix;
  for (const std::string_view prefix : split(prefixes.empty() ? "cali" : prefixes, ',')) {
    workload_prefixes_.emplace_back(trim(prefix));
  }
  excluded_ = InterfaceFilter(settings.interface_exclude, problems_);
  tell_interfaces();
}

void Dataplane::take_route_settings(const model::FelixRoutes& settings) {
  route::RouteDriver& driver = routes_.driver();
  driver.set_protocol(protocol_of(settings, route_protocol_, problems_));
  const RouteForm form = form_of(settings);
  own_routes_.set_form(form);
  tunnels_.set_metrics(form.metric_v4, form.metric_v6);
  driver.set_paused(settings.route_sync_disabled.value_or(false));
  owns_interfaces_ = settings.remove_external_routes.value_or(true);
  own_interfaces();
  queue_resync(Drift::kRoutes);
  // Who waits for a route waits no longer, or again.
  for (const auto& [key, state] : told_) unsettled_.insert(key);
}

// What leads to a workload leads there because we say so; the rest is what others, or another system before us, left.
void Dataplane::own_interfaces() {
  std::set<IfIndex> own;
  for (const auto& [name, interface] : interfaces_) {
    if (owns_interfaces_ && is_workload_interface(name)) own.insert(interface.state.index);
  }
  routes_.driver().set_own_interfaces(std::move(own));
}

void Dataplane::take_routes(const route::RouteBatch& batch) { routes_.apply(batch); }

bool Dataplane::is_workload_interface(std::string_view name) const {
  return std::any_of(workload_prefixes_.begin(), workload_prefixes_.end(),
                     [name](const std::string& prefix) { return name.starts_with(prefix); });
}

void Dataplane::set_interface(const std::string& name, const std::optional<NodeInterface>& interface) {
  const auto before = interfaces_.find(name);
  const bool is_new = before == interfaces_.end();
  const bool is_other = !is_new && (!interface || interface->state.index != before->second.state.index);
  if (is_other) ports_.neighbours->forget(before->second.state.index);
  if (interface) {
    interfaces_[name] = *interface;
  } else {
    interfaces_.erase(name);
  }
  plan_.set_interface(name, interface ? std::optional(interface->state) : std::nullopt);
  if (tunnels_.is_device(name)) ports_.tunnels->queue_resync();
  if (is_workload_interface(name)) {
    if (is_other || is_new) own_interfaces();
  } else {
    tell_interfaces();
  }
  write_soon();
}

void Dataplane::tell_interfaces() {
  render::InterfaceAddresses addresses;
  std::map<IfIndex, std::set<IpAddress>> by_index;
  for (const auto& [name, interface] : interfaces_) {
    if (is_workload_interface(name)) continue;
    by_index[interface.state.index] = interface.addresses;
    if (!excluded_.matches(name) || name == render::kIpvsDevice) addresses[name] = interface.addresses;
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

void Dataplane::note_tables(const std::set<iptables::TableId>& tables) {
  if (ports_.backend->choice().backend != iptables::Backend::kNft) return;
  for (const auto& [id, table] : ports_.tables) {
    if (tables.contains(id)) table->queue_resync();
  }
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
  written_batch_ = batch_;
  ++applies_;
  last_apply_ = loop_.now() - begin;
  apply_seconds_.observe(std::chrono::duration<double>(last_apply_).count());
  observe_propagation();
  plan_retry();
  report();
}

// Rules that keep out who must not send through a tunnel come before its device, routes after it.
void Dataplane::place_tunnels() {
  run("tunnels", [this](TimePoint now) { return ports_.tunnels->apply(now); });
  encapsulate();
  are_routes_due_ |= tunnels_.place_routes();
  if (tunnels_.has_other_networks()) write_soon();
  const bool has_tunnels = tunnels_.is_encapsulating() || !ports_.tunnels->devices().empty();
  if (has_tunnels && !std::exchange(is_counting_, true)) count_timer_->arm(kCountTunnelsEvery);
}

void Dataplane::count_tunnels() {
  count_timer_->arm(kCountTunnelsEvery);
  TunnelCounters now;
  Status counted = ports_.tunnels->count(now);
  if (counted.ok() && ports_.encapsulation != nullptr) counted = ports_.encapsulation->count(now);
  if (!counted.ok()) return log_.debug("tunnels cannot be counted", {{"error", counted.error()}});
  if (tunnel_counters_ != nullptr && *tunnel_counters_ == now) return;
  tunnel_counters_ = std::make_shared<const TunnelCounters>(std::move(now));
  report();
}

void Dataplane::encapsulate() {
  if (ports_.encapsulation == nullptr) return;
  run("encapsulation", [this](TimePoint now) { return ports_.encapsulation->apply(now); });
}

bool Dataplane::has_all_policy() const {
  return std::all_of(steps_.begin(), steps_.end(), [](const auto& entry) {
    const bool is_policy = entry.first == kSets || entry.first.starts_with("iptables ");
    return !is_policy || entry.second.state.failed == 0;
  });
}

// What failed is not there yet; the time until it is counts.
void Dataplane::observe_propagation() {
  if (!since_ || !has_all_policy()) return;
  propagation_.observe(std::chrono::duration<double>(loop_.now() - *std::exchange(since_, std::nullopt)).count());
}

void Dataplane::write_rules() {
  if (auto networks = tunnels_.take_networks()) ports_.renderer->set_networks(std::move(*networks));
  render::RenderChange change = ports_.renderer->take();
  for (const auto& [name, set] : change.sets) ports_.sets->change(name, set);
  for (auto& [id, table] : change.tables) {
    const auto port = ports_.tables.find(id);
    if (port != ports_.tables.end()) port->second->change(std::move(table));
  }
  run("iptables back end", [this](TimePoint now) { return ports_.backend->apply(now); });
  const std::uint64_t sets_before = steps_[std::string(kSets)].state.updated;
  const bool has_sets = run(std::string(kSets), [this](TimePoint now) { return ports_.sets->apply(now); });
  const bool has_new_sets = steps_[std::string(kSets)].state.updated != sets_before;
  for (const auto& [id, table] : ports_.tables) {
    // It may have been refused for want of a set.
    if (has_new_sets && steps_[name_of(id)].state.failed > 0) table->retry_refused();
  }
  write_tables(has_sets);
}

void Dataplane::write_tables(bool has_sets) {
  std::set<IpFamily> written = families_;
  for (const auto& [id, table] : ports_.tables) {
    run(name_of(id), [&port = *table](TimePoint now) { return port.apply(now); });
    if (!table->is_applied()) written.erase(id.family);
  }
  if (ports_.on_tables_done) ports_.on_tables_done();
  if (written == families_) {
    run("iptables leftovers", [this](TimePoint now) { return ports_.backend->apply_removals(now); });
  }
  // Rules that refer to a set which is not as it should be do not say what they mean.
  if (!has_sets) return;
  for (const IpFamily family : written) plan_.confirm(family);
  if (written == families_) hosts_.confirm();
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
  for (const auto& [prefix, interface] : changes.routes) own_routes_.set_workload(prefix, interface);
  run("settings", [this](TimePoint now) { return ports_.settings->apply(now); });
  run("neighbours", [this](TimePoint now) { return ports_.neighbours->apply(now); });
  if (std::exchange(are_routes_due_, false) || !changes.routes.empty()) routes_.write();
  for (const IpAddress& address : changes.forgotten) ports_.conntrack->forget(address);
  run("conntrack", [this](TimePoint now) { return ports_.conntrack->apply(now); });
}

void Dataplane::finish_conntrack() {
  run("conntrack", [this](TimePoint now) { return ports_.conntrack->apply(now); });
  plan_retry();
  if (has_written_) report();
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
  const route::RouteDriver& driver = routes_.driver();
  if (state.stage != EndpointStage::kProgrammed || driver.is_paused()) return state;
  for (const auto& [prefix, interface] : plan_.routes_of(key)) {
    const route::Route* actual = driver.actual(own_routes_.key_of(prefix));
    if (actual != nullptr && actual->hops.size() == 1 && actual->hops[0].interface == interface) continue;
    const auto failure = driver.failures().find(own_routes_.key_of(prefix));
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
    tell_state(key, std::move(now), report);
  }
  collect_hosts(report);
}

void Dataplane::collect_hosts(DataplaneReport& report) {
  const auto states =
      hosts_.states({.chosen = ports_.renderer->hosts(),
                     .problems = ports_.renderer->problems(),
                     .is_present = [this](const std::string& name) { return interfaces_.contains(name); }});
  for (const auto& [key, state] : states) tell_state(key, state, report);
}

void Dataplane::tell_state(const model::ObjectKey& key, EndpointState now, DataplaneReport& report) {
  const auto told = told_.find(key);
  if (told != told_.end() && told->second == now) return;
  told_[key] = now;
  report.endpoints[key] = std::move(now);
}

void Dataplane::collect_drivers(DataplaneReport& report) {
  const auto count = [this](std::string_view name, const ObjectCounts& counts) {
    DriverState& state = steps_[std::string(name)].state;
    state.desired = counts.desired;
    state.actual = counts.actual;
  };
  count(kSets, ports_.sets->counts());
  count("settings", ports_.settings->counts());
  count("neighbours", ports_.neighbours->counts());
  for (const auto& [id, table] : ports_.tables) {
    count(name_of(id), table->counts());
    steps_[name_of(id)].state.counts = counts_of(*table);
  }
  for (const auto& [name, step] : steps_) report.drivers[name] = step.state;
}

void Dataplane::report() {
  DataplaneReport report;
  collect_states(report);
  collect_drivers(report);
  report.learned_routes = last_routes_.wanted;
  report.unresolved_routes = last_routes_.unresolved;
  report.planned_routes = last_routes_.planned;
  report.unresolved_planned_routes = last_routes_.planned_unresolved;
  for (const auto& [kind, index] : ports_.tunnels->devices()) report.tunnel_devices.emplace(ipip::name_of(kind));
  if (tunnels_.is_encapsulating() && steps_["encapsulation"].state.failed == 0) {
    report.tunnel_devices.emplace(ipip::name_of(ipip::DeviceKind::kIpip));
  }
  report.tunnel_counters = tunnel_counters_;
  report.problems = ports_.renderer->problems();
  if (!problems_.empty()) {
    FieldErrors& settings = report.problems["FelixConfiguration"];
    settings.insert(settings.end(), problems_.begin(), problems_.end());
  }
  report.backend = iptables::to_string(ports_.backend->choice().backend);
  report.backend_reason = ports_.backend->choice().why;
  report.are_routes_paused = routes_.driver().is_paused();
  report.has_written = has_written_;
  report.has_all_policy = has_written_ && has_all_policy();
  report.batch = written_batch_;  // not of one that was taken since
  report.last_apply = last_apply_;
  report.applies = applies_;
  on_report_(std::move(report));
}

}  // namespace margay::agent
