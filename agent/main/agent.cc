#include "agent/main/agent.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "agent/main/dataplane_note.h"
#include "agent/main/node_aspects.h"
#include "agent/main/node_snapshot.h"
#include "base/core/text.h"
#include "base/file/file.h"
#include "base/ip/ids.h"
#include "base/json/value.h"
#include "base/process/heap.h"

namespace margay::agent {
namespace {

constexpr Duration kBeat = std::chrono::seconds(1);
constexpr int kBeatsPerRoutes = 10;
constexpr Duration kTellProblems = std::chrono::seconds(5);
constexpr Duration kReconcileFiles = std::chrono::seconds(10);  // as Calico's agent does
constexpr Duration kAfterStart = std::chrono::seconds(3);
constexpr Duration kReturnMemory = std::chrono::minutes(5);
constexpr std::string_view kDefaultNamespace = "kube-system";

std::string secret_namespace(const std::map<std::string, std::string>& variables) {
  const auto at = variables.find("POD_NAMESPACE");
  return at == variables.end() || at->second.empty() ? std::string(kDefaultNamespace) : at->second;
}

Calculation::Options calculation_options(const Agent::Parts& parts) {
  Calculation::Options options{.node = parts.environment.node_name, .bgp = {}};
  options.has_bgp = parts.environment.backend == startup::NetworkingBackend::kBgp;
  options.bgp.node = options.node;
  options.bgp.secret_namespace = secret_namespace(parts.variables);
  const auto router_id = RouterId::parse(parts.environment.router_id);
  if (router_id.ok()) options.bgp.router_id = *router_id;
  return options;
}

// Of names and values: where a value is from does not matter.
std::string hash_of(const json::Value& settings) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  for (const json::Value& setting : *settings.as_array()) {
    add(setting.string_at({"name"}));
    const json::Value* value = setting.find("value");
    if (value != nullptr) add(json::dump(*value));
  }
  return concat(hash);
}

startup::Registration::Parts registration_parts(const Agent::Parts& parts, const telemetry::Logger& log) {
  return {.loop = parts.loop,
          .random = parts.random,
          .client = parts.client,
          .log = log.with({{"scope", "node"}}),
          .source_towards = startup::kernel_source_towards};
}

}  // namespace

Agent::Agent(Parts parts)
    : parts_(std::move(parts)),
      log_(parts_.log_output),
      timeline_(parts_.loop.now()),
      health_(parts_.loop),
      agent_metrics_(parts_.metrics),
      dataplane_metrics_(parts_.metrics, agent_metrics_),
      status_server_({parts_.loop, parts_.network, log_.with({{"scope", "status"}})}, health_, parts_.metrics),
      calculation_(calculation_options(parts_)),
      cni_({.loop = parts_.loop,
            .network = parts_.network,
            .client = parts_.client,
            .random = parts_.random,
            .book = book_,
            .workloads = calculation_.workloads(),
            .node = parts_.environment.node_name,
            .state_dir = parts_.flags.state_dir,
            .run_dir = parts_.flags.run_dir,
            .log = log_.with({{"scope", "cni"}}),
            .metrics = &parts_.metrics,
            .mtu = [this] { return std::int64_t{tunnels_.mtus().workload}; },
            .on_pod_news = [this](const PodNews& news) { note_pod(news); }}),
      tunnels_({.loop = parts_.loop,
                .client = parts_.client,
                .cni = cni_,
                .node = parts_.environment.node_name,
                .state_dir = parts_.flags.state_dir,
                .log = log_.with({{"scope", "tunnels"}}),
                .on_note = [this](std::string_view reason, const std::string& message,
                                  bool is_warning) { note(reason, message, is_warning); },
                .on_condition = [this](const startup::Condition& each) { registration_.set_condition(each); }}),
      events_({parts_.loop, parts_.random, parts_.client, log_.with({{"scope", "events"}})}, "margay-node",
              parts_.environment.node_name),
      problem_events_({parts_.client, events_, parts_.environment.node_name}),
      pools_({parts_.loop, parts_.random, parts_.client, log_.with({{"scope", "pools"}})}, parts_.environment),
      registration_(registration_parts(parts_, log_), parts_.environment,
                    {.on_identity = {},
                     .on_note = [this](std::string_view reason, const std::string& message,
                                       bool is_warning) { note(reason, message, is_warning); }}),
      node_status_({parts_.loop, parts_.random, parts_.client, log_.with({{"scope", "node status"}})},
                   parts_.environment.node_name,
                   [this] {
                     auto out = node_snapshot({bgp_snapshot_, calculation_.bgp().desired(), links_.links},
                                              parts_.loop.wall_now());
                     out.aspects = aspects();
                     return out;
                   }),
      policy_report_({parts_.loop, parts_.random, parts_.client, log_.with({{"scope", "policy report"}})},
                     parts_.environment.node_name),
      datastore_ready_(health_.readiness("datastore")),
      dataplane_ready_(health_.readiness("dataplane")),
      node_ready_(health_.readiness("node")),
      control_beat_(health_.heartbeat("control")),
      dataplane_beat_(health_.heartbeat("dataplane")),
      bgp_beat_(health_.heartbeat("bgp")),
      turn_timer_(parts_.loop.make_timer([this] { on_turn(cluster_.is_in_sync()); })),
      beat_timer_(parts_.loop.make_timer([this] { beat(); })),
      files_timer_(parts_.loop.make_timer([this] { reconcile_files(); })),
      problems_timer_(parts_.loop.make_timer([this] { tell_problems(); })),
      memory_timer_(parts_.loop.make_timer([this] { return_memory(); })),
      cluster_({parts_.loop, parts_.random, parts_.client, log_.with({{"scope", "watch"}}), &parts_.metrics},
               [this](bool is_in_sync) { on_turn(is_in_sync); }) {
  calculation_.configuration().set_environment(parts_.variables);
  calculation_.watch_all(cluster_, others());
  cni_.watch_all(cluster_);
  cni_.attached().on_change = [this](const model::ObjectKey& key, const AttachedEndpoints::Endpoint& endpoint) {
    calculation_.put_workload(key, endpoint);
    turn_timer_->arm({});
  };
  cni_.measure_ready(agent_metrics_.endpoint_ready);
  watch_node_status();
  watch_policies();
}

// The calculation has them before: consumers of a kind are called in order.
void Agent::watch_policies() {
  const auto note = [this](const model::ObjectKey& key, const auto& policy) {
    policy_progress_.note(key, policy == nullptr ? nullptr : &policy->metadata);
  };
  cluster_.add<model::NetworkPolicy>({}, {note});
  cluster_.add<model::GlobalNetworkPolicy>({}, {note});
}

void Agent::watch_node_status() {
  cluster_.add<model::CalicoNodeStatus>(
      {.is_optional = true},
      {[this](const model::ObjectKey& key, const std::shared_ptr<const model::CalicoNodeStatus>& object) {
        if (object == nullptr || object->spec.node != parts_.environment.node_name) {
          status_objects_.erase(key.name);
          return node_status_.set_object(key.name, object);
        }
        const auto& classes = object->spec.classes;
        const bool with_routes =
            std::find(classes.begin(), classes.end(), model::NodeStatusClass::kRoutes) != classes.end();
        status_objects_[key.name] = with_routes;
        // It is answered at once: with what is so now.
        refresh_snapshot(with_routes, [this, name = key.name, object] {
          if (status_objects_.contains(name)) node_status_.set_object(name, object);
        });
      }});
}

void Agent::refresh_snapshot(bool with_routes, std::function<void()> then) {
  bgp::SnapshotQuery query;
  if (with_routes) query.routes = bgp::SnapshotQuery::Routes::kBest;
  bgp_->snapshot(query, [this, with_routes, then = std::move(then)](BgpSnapshot snapshot) {
    if (!with_routes) snapshot.speaker.routes = std::move(bgp_snapshot_.speaker.routes);
    bgp_snapshot_ = std::move(snapshot);
    if (then) then();
  });
}

Agent::~Agent() = default;

Calculation::Others Agent::others() {
  using model::ObjectKey;
  ClusterFacts& facts = cni_.facts();
  const auto to_facts = [&facts](const ObjectKey& key, const auto& value) { facts.set(key, value); };
  return {.on_node =
              [this, to_facts](const ObjectKey& key, const std::shared_ptr<const model::Node>& node) {
                registration_.set_node(key.name, node);
                if (key.name == parts_.environment.node_name) {
                  tunnels_.set_node(node);
                  policy_report_.set_node_uid(node == nullptr ? "" : node->metadata.uid);
                }
                problem_events_.set_node(key.name, node != nullptr);
                to_facts(key, node);
              },
          .on_pod = to_facts,
          .on_namespace = to_facts,
          .on_pool = to_facts,
          .on_block =
              [this](const ObjectKey&, const std::shared_ptr<const model::IpamBlock>& block) {
                if (block != nullptr) cni_.see(*block);
              },
          .attached = cni_.attached()};
}

Status Agent::start() {
  read_config_file();
  MARGAY_RETURN_IF_ERROR(start_dataplane());
  start_bgp();
  beat();
  serve_health_alone();
  cluster_.start();
  return ok_status();
}

// Whether this process lives can be asked before there is an API server: a kubelet would start it again and again. What
// a file and the environment say holds whatever objects say later.
void Agent::serve_health_alone() {
  config::Configuration own(parts_.environment.node_name);
  own.set_environment(parts_.variables);
  own.set_file(parts_.flags.config, config_text_);
  status_server_.apply(*own.take().settings);
}

Status Agent::start_dataplane() {
  auto started = DataplaneThread::start({.owner = parts_.loop,
                                         .ipip = parts_.flags.ipip,
                                         .log = log_.with({{"scope", "dataplane"}}),
                                         .metrics = &parts_.metrics,
                                         .proc_sys = parts_.flags.proc_sys,
                                         .propagation = agent_metrics_.policy_propagation,
                                         .on_report = [this](DataplaneReport report) { on_report(std::move(report)); },
                                         .on_links = [this](const HostLinks& links) { on_links(links); }});
  if (!started.ok()) return started.error().within("dataplane");
  dataplane_ = std::move(started).value();
  const iptables::BackendChoice& backend = dataplane_->backend();
  log_.info("kernel read", {{"backend", std::string(iptables::to_string(backend.backend))},
                            {"why", backend.why},
                            {"routes", dataplane_->found_routes()}});
  const ipip::IpipChoice& ipip = dataplane_->ipip();
  log_.info("IP-in-IP", {{"by", std::string(ipip::to_string(ipip.implementation))}, {"why", ipip.why}});
  tunnels_.set_ipip(ipip);
  calculation_.set_plans_ipip(ipip.implementation == ipip::IpipImplementation::kEbpf);
  reach(Stage::kKernelRead);
  return ok_status();
}

// Without BGP its thread only turns.
void Agent::start_bgp() {
  if (!has_bgp()) {
    static_routes_.emplace(dataplane_->route_sender());
    bgp_ = BgpThread::start({.owner = parts_.loop, .on_routes = [](const route::RouteBatch&) {}, .log = log_});
    return;
  }
  bgp_ = BgpThread::start({.owner = parts_.loop,
                           .on_routes = [sender = dataplane_->route_sender()](
                                            route::RouteBatch batch) mutable { sender.send(std::move(batch)); },
                           .log = log_,
                           .metrics = &parts_.metrics});
}

// What an admin of the node should know, on the Node object; the log has it already.
void Agent::note(std::string_view reason, const std::string& message, bool is_warning) {
  events::News news;
  news.about.api_version = "v1";
  news.about.kind = "Node";
  news.about.name = parts_.environment.node_name;
  news.reason = reason;
  news.message = message;
  news.is_warning = is_warning;
  events_.record(news);
}

void Agent::note_pod(const PodNews& news) {
  events::News out;
  out.about.api_version = "v1";
  out.about.kind = "Pod";
  out.about.name_space = news.pod_namespace;
  out.about.name = news.pod_name;
  out.about.uid = news.pod_uid;
  out.reason = news.reason;
  out.message = news.message;
  out.is_warning = true;
  events_.record(out);
}

void Agent::reach(Stage stage) {
  if (!timeline_.reach(stage, parts_.loop.now())) return;
  log_.info("reached", {{"stage", std::string(to_string(stage))}, {"after", *timeline_.at(stage)}});
}

void Agent::send(DataplaneBatch batch) {
  batch.number = ++batches_sent_;
  dataplane_->send(std::move(batch));
}

void Agent::on_turn(bool is_in_sync) {
  if (!is_in_sync) return;
  reach(Stage::kDatastoreInSync);
  datastore_ready_.set(true);
  agent_metrics_.set_in_sync(true);
  cni_.open();
  Calculation::Change change = calculation_.take();
  const bool is_first = !timeline_.has(Stage::kCalcFlushed);
  reach(Stage::kCalcFlushed);
  apply_config(change.config);
  change.dataplane.tunnels = tunnels_.take(change.config.settings, calculation_.local_tunnels());
  // Most of what happens in a cluster is none of this node's business.
  if (!is_first && !change.dataplane.policy.empty()) change.dataplane.since = parts_.loop.now();
  if (is_first || !change.dataplane.empty()) send(std::move(change.dataplane));
  policy_progress_.sent(batches_sent_);
  report_policies();
  if (has_bgp() && !change.bgp.speaker.empty()) bgp_->send(std::move(change.bgp.speaker));
  if (!pools_.is_done()) {
    std::vector<IpPrefix> present;
    for (const model::IpPool* pool : cni_.facts().pools()) present.push_back(pool->spec.cidr);
    pools_.set_pools(std::move(present));
  }
}

void Agent::apply_config(const config::Change& change) {
  for (const config::Problem& problem : change.new_problems) {
    log_.warn("setting", {{"reason", std::string(config::to_string(problem.kind))}, {"problem", problem.to_string()}});
  }
  if (change.changed.empty()) return;
  set_log_level(change);
  agent_metrics_.set_config_hash(hash_of(calculation_.configuration().origins()));
  status_server_.apply(*change.settings);
  health_.set_timeouts(change.settings->process.health_timeout_overrides);
  parts_.process_metrics.set_shown(change.settings->process.prometheus_process_metrics_enabled.value_or(true));
  book_.files().set_prefix(change.settings->host.endpoint_status_path_prefix);
}

// The command line's word is the stronger one.
void Agent::set_log_level(const config::Change& change) {
  if (parts_.flags.has_log_level || !change.touches({"logSeverityScreen"})) return;
  using model::LogSeverity;
  switch (change.settings->process.log_severity_screen.value_or(LogSeverity::kInfo)) {
    case LogSeverity::kTrace:
    case LogSeverity::kDebug: return parts_.log_output.set_level(telemetry::Level::kDebug);
    case LogSeverity::kInfo: return parts_.log_output.set_level(telemetry::Level::kInfo);
    case LogSeverity::kWarning: return parts_.log_output.set_level(telemetry::Level::kWarn);
    case LogSeverity::kError:
    case LogSeverity::kFatal:
    case LogSeverity::kPanic: return parts_.log_output.set_level(telemetry::Level::kError);
    case LogSeverity::kNone: return parts_.log_output.set_level(telemetry::Level::kOff);
  }
}

void Agent::on_report(DataplaneReport report) {
  book_.note(report.endpoints, calculation_.workloads());
  report.endpoints.clear();
  const bool has_counters = report.tunnel_counters != nullptr && report.tunnel_counters != report_.tunnel_counters;
  report_ = std::move(report);
  if (has_counters) dataplane_metrics_.note_tunnels(*report_.tunnel_counters, calculation_.node_names());
  tunnels_.set_devices(report_.tunnel_devices);
  agent_metrics_.set_dataplane_mode("iptables", report_.backend_reason);
  registration_.set_condition(startup::dataplane_condition(
      dataplane_note(report_.backend, report_.backend_reason, dataplane_->features(), dataplane_->ipip())));
  dataplane_metrics_.note(report_);
  report_policies();
  cni_.look();
  if (!report_.has_written) return;
  if (!timeline_.has(Stage::kDataplaneSynced)) {
    reach(Stage::kDataplaneSynced);
    dataplane_ready_.set(true);
    book_.files().mark_in_sync();
    files_timer_->arm(kReconcileFiles);
    problems_timer_->arm(kTellProblems);
    memory_timer_->arm(kAfterStart);
    open_bgp();
  }
  const Status written = book_.files().apply();
  if (!written.ok()) log_.warn("endpoint status files", {{"error", written.error()}});
}

// A start needs for a moment what nobody needs afterwards; so does whatever makes all be listed or written again.
void Agent::return_memory() {
  memory_timer_->arm(kReturnMemory);
  process::return_free_memory();
}

void Agent::report_policies() {
  if (!report_.has_written || !report_.has_all_policy) return;
  policy_progress_.written(report_.batch);
  policy_report_.look(policy_progress_);
}

// Somebody may have removed or changed them.
void Agent::reconcile_files() {
  files_timer_->arm(kReconcileFiles);
  const Status written = book_.files().reconcile();
  if (!written.ok()) log_.warn("endpoint status files", {{"error", written.error()}});
}

// Not each time something changes: what is being edited is wrong for a moment.
void Agent::tell_problems() {
  problems_timer_->arm(kTellProblems);
  Problems shared = calculation_.problems();
  for (const auto& [key, errors] : cluster_.invalid()) shared[key] = errors;
  for (const config::Problem& problem : calculation_.configuration().problems()) {
    const auto place = split_once(problem.source.place, ' ');
    if (!place || place->first != model::info(model::Kind::kFelixConfiguration).name) continue;
    // What a file or the environment says is what the admin of the node wants.
    if (problem.kind == config::Problem::Kind::kOverridden) continue;
    shared[{model::Kind::kFelixConfiguration, "", std::string(place->second)}].push_back(
        {FieldError::Kind::kInvalid, concat("spec.", problem.setting), problem.message});
  }
  Problems own = problems_by_key(report_.problems, {model::Kind::kNode, "", parts_.environment.node_name});
  const auto mine =
      shared.extract({model::Kind::kFelixConfiguration, "", concat("node.", parts_.environment.node_name)});
  if (!mine.empty()) own[mine.key()] = mine.mapped();
  problem_events_.set_problems(shared, own);
}

std::vector<status::NodeSnapshot::Aspect> Agent::aspects() const {
  return aspects_of({.timeline = timeline_,
                     .registration_error = registration_.last_error(),
                     .report = report_,
                     .endpoints_programmed = book_.count(EndpointStage::kProgrammed),
                     .endpoints_failed = book_.count(EndpointStage::kFailed),
                     .ipip = tunnels_.ipip(),
                     .lacks_ipip = tunnels_.lacks_ipip(),
                     .tunnel_problems = tunnels_.problems()});
}

// What there is in the cluster, as the watches have it.
void Agent::count_cluster() {
  std::map<std::string, double> counts;
  for (const watch::ClusterWatch::KindState& state : cluster_.states()) {
    counts[state.resource] += static_cast<double>(state.objects);
  }
  agent_metrics_.cluster_hosts.set(counts["nodes"]);
  agent_metrics_.cluster_workload_endpoints.set(counts["pods"] + counts["workloadendpoints.projectcalico.org"]);
  agent_metrics_.cluster_host_endpoints.set(counts["hostendpoints.projectcalico.org"]);
  agent_metrics_.cluster_policies.set(counts["networkpolicies.projectcalico.org"] +
                                      counts["globalnetworkpolicies.projectcalico.org"]);
  agent_metrics_.cluster_profiles.set(counts["profiles.projectcalico.org"] + counts["namespaces"] +
                                      counts["serviceaccounts"]);
  agent_metrics_.cluster_tiers.set(counts["tiers.projectcalico.org"]);
  agent_metrics_.local_endpoints.set(static_cast<double>(calculation_.workloads().size()));
  agent_metrics_.local_policies.set(static_cast<double>(calculation_.local_policies()));
}

void Agent::open_bgp() {
  if (has_bgp()) {
    bgp_->open_gate(dataplane_->found_routes() > 0);
  } else {
    // Nobody will say what of an earlier life's routes is still learnt: nothing is.
    route::RouteBatch nothing;
    nothing.converge();
    static_routes_->send(std::move(nothing));
  }
  reach(Stage::kBgpStarted);
  registration_.set_ready();
  check_ready();
}

void Agent::check_ready() {
  node_ready_.set(registration_.is_registered(), registration_.last_error());
  if (timeline_.has(Stage::kReady) || !timeline_.has(Stage::kBgpStarted) || !registration_.identity()) return;
  reach(Stage::kReady);
  if (parts_.on_ready) parts_.on_ready();
}

void Agent::on_links(const HostLinks& links) {
  tunnels_.set_links(links);
  if (auto changed = tunnels_.take()) {
    DataplaneBatch batch;
    batch.tunnels = *changed;
    send(std::move(batch));
  }
  links_ = links;
  startup::HostInterfaces interfaces;
  std::map<IfIndex, const link::Interface*> by_index;
  for (const auto& [name, interface] : links.links) by_index[interface.index] = &interface;
  for (const auto& [index, interface] : by_index) {
    interfaces.push_back({.name = interface->name, .is_up = interface->is_up, .addresses = interface->addresses});
  }
  std::vector<IpPrefix> networks;
  for (const startup::HostInterface& interface : interfaces) {
    for (const InterfaceAddress& address : interface.addresses) networks.push_back(address.prefix());
  }
  registration_.set_interfaces(std::move(interfaces));
  const auto& identity = registration_.identity();
  pools_.set_host(std::move(networks), identity && identity->networking.ipv6_address);
}

// A loop that does not turn does not answer.
void Agent::beat() {
  beat_timer_->arm(kBeat);
  control_beat_.beat(parts_.loop.now());
  dataplane_->thread().loop().post(
      [beat = dataplane_beat_, &loop = dataplane_->thread().loop()] { beat.beat(loop.now()); });
  bgp_->heartbeat([this] { bgp_beat_.beat(parts_.loop.now()); });
  if (!status_objects_.empty()) {
    // All routes are many: not every time.
    const bool is_turn = beats_++ % kBeatsPerRoutes == 0;
    const bool with_routes = is_turn && std::any_of(status_objects_.begin(), status_objects_.end(),
                                                    [](const auto& object) { return object.second; });
    refresh_snapshot(with_routes, {});
  }
  count_cluster();
  check_ready();
}

void Agent::read_config_file() {
  if (parts_.flags.config.empty()) return;
  const auto text = file::read_file(parts_.flags.config);
  if (!text.ok()) {
    log_.warn("settings file cannot be read; what was read before holds",
              {{"file", parts_.flags.config}, {"error", text.error()}});
    return;
  }
  config_text_ = *text;
  calculation_.configuration().set_file(parts_.flags.config, config_text_);
}

void Agent::reload() {
  read_config_file();
  on_turn(cluster_.is_in_sync());
}

}  // namespace margay::agent
