#include "agent/bgp/bgp_calculation.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/bgp/cluster_objects.h"
#include "agent/bgp/peer_table.h"
#include "base/core/text.h"

namespace margay::agent {
namespace {

using bgp::kFamilies;

bool is_usable(Asn asn) {
  bgp::SpeakerConfig config;
  config.asn = asn;
  config.router_id = RouterId(1);
  return bgp::validate(config).empty();
}

bool are_same(const bgp::SpeakerConfig& a, const bgp::SpeakerConfig& b) {
  return a.asn == b.asn && a.router_id == b.router_id && a.listen_addresses == b.listen_addresses &&
         a.listen_port == b.listen_port;
}

std::vector<IpPrefix> all_ranges(const BgpSettings& settings) {
  std::set<IpPrefix> out(settings.cluster_ips.begin(), settings.cluster_ips.end());
  out.insert(settings.external_ips.begin(), settings.external_ips.end());
  out.insert(settings.load_balancer_ips.begin(), settings.load_balancer_ips.end());
  return {out.begin(), out.end()};
}

}  // namespace

class BgpCalculation::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), objects_(options_.node, options_.secret_namespace) {}

  void apply(const BgpInput& input) { objects_.apply(input); }
  BgpDelta flush();

  [[nodiscard]] const BgpDesired* desired() const { return desired_ ? &*desired_ : nullptr; }
  [[nodiscard]] const Problems& problems() const { return problems_; }

 private:
  void refresh_settings(const NodeFacts& own, BgpDelta& delta);
  void refresh_pools();
  void refresh_peers(const NodeFacts& own);
  void refresh_routes(BgpDelta& delta);
  [[nodiscard]] Asn own_asn(const NodeFacts& own);
  [[nodiscard]] bgp::SpeakerConfig settings_config(const NodeFacts& own) const;
  [[nodiscard]] PeerMaker::Cluster cluster(const NodeFacts& own);
  void think_of_node(const PeerMaker& maker, const std::string& name);
  void think_of_peer(const PeerMaker& maker, const std::string& name);
  void collect_problems();

  Options options_;
  ClusterObjects objects_;
  PeerTable table_;
  BgpSettings settings_;
  Asn asn_;
  Problems settings_problems_;
  std::optional<BgpDesired> desired_;
  Problems problems_;
};

BgpDelta BgpCalculation::Impl::flush() {
  BgpDelta delta;
  const NodeFacts* const own = objects_.own();
  if (own == nullptr || !own->has_address()) {
    collect_problems();
    return delta;
  }
  if (!desired_) desired_.emplace();
  if (objects_.dirty.all) refresh_settings(*own, delta);
  if (objects_.dirty.all || objects_.dirty.pools) refresh_pools();
  refresh_peers(*own);
  table_.flush(*desired_, delta);
  refresh_routes(delta);
  objects_.dirty = {.all = false, .nodes = false, .pools = false, .node_names = {}, .peer_names = {}};
  collect_problems();
  return delta;
}

Asn BgpCalculation::Impl::own_asn(const NodeFacts& own) {
  if (own.asn) {
    if (is_usable(*own.asn)) return *own.asn;
    add_problem(settings_problems_, {model::Kind::kNode, "", options_.node},
                {FieldError::Kind::kInvalid, "metadata.annotations[projectcalico.org/ASNumber]",
                 concat(own.asn->to_string(), " cannot be used as an AS number")});
  }
  const Asn asn = objects_.configurations.asn_of(options_.node);
  if (is_usable(asn)) return asn;
  add_problem(
      settings_problems_, {model::Kind::kBgpConfiguration, "", std::string(kDefaultConfiguration)},
      {FieldError::Kind::kInvalid, "spec.asNumber", concat(asn.to_string(), " cannot be used as an AS number")});
  return BgpSettings().asn;
}

bgp::SpeakerConfig BgpCalculation::Impl::settings_config(const NodeFacts& own) const {
  bgp::SpeakerConfig config;
  config.asn = asn_;
  const auto& ipv4 = own.address[bgp::Family::kIpv4Unicast];
  config.router_id = options_.router_id ? *options_.router_id
                     : ipv4             ? RouterId(ipv4->v4_value())
                                        : router_id_of_name(options_.node);
  config.listen_port = settings_.listen_port;
  if (!settings_.binds_to_node) return config;
  std::set<IpAddress> addresses;
  for (const bgp::Family family : kFamilies) {
    if (own.address[family]) addresses.insert(*own.address[family]);
    if (settings_.workload_peering[family]) addresses.insert(*settings_.workload_peering[family]);
  }
  config.listen_addresses.assign(addresses.begin(), addresses.end());
  return config;
}

void BgpCalculation::Impl::refresh_settings(const NodeFacts& own, BgpDelta& delta) {
  settings_problems_.clear();
  std::map<std::string, FieldErrors> errors;
  settings_ = objects_.configurations.settings_of(options_.node, errors);
  for (auto& [name, wrong] : errors) {
    settings_problems_[{model::Kind::kBgpConfiguration, "", name}] = std::move(wrong);
  }
  asn_ = own_asn(own);
  bgp::SpeakerConfig config = settings_config(own);
  if (!are_same(config, desired_->config)) {
    delta.speaker.settings = config;
    config.peers = std::move(desired_->config.peers);
    config.local_routes = std::move(desired_->config.local_routes);
    desired_->config = std::move(config);
  }
  std::vector<IpPrefix> ranges = all_ranges(settings_);
  if (ranges != desired_->not_for_kernel) {
    delta.speaker.not_for_kernel = ranges;
    desired_->not_for_kernel = std::move(ranges);
  }
  delta.log_severity_changed = desired_->log_severity != settings_.log_severity;
  desired_->log_severity = settings_.log_severity;
  objects_.services.set_settings(settings_, own.advertises_services());
}

void BgpCalculation::Impl::refresh_pools() {
  const std::vector<PoolFacts> pools = objects_.pools();
  std::vector<IpPrefix> ranges;
  for (const PoolFacts& pool : pools) ranges.push_back(pool.cidr);
  objects_.prefixes.set_pools(ranges);
  objects_.chains.set_export_rules(export_rules(pools, settings_, objects_.own()->cluster_id.has_value()));
  objects_.dirty.all = true;
}

PeerMaker::Cluster BgpCalculation::Impl::cluster(const NodeFacts& own) {
  return {.node = options_.node,
          .own = own,
          .asn = asn_,
          .settings = settings_,
          .configurations = objects_.configurations,
          .nodes = objects_.nodes,
          .node_of = objects_.node_of,
          .secrets = objects_.secrets,
          .chains = objects_.chains};
}

void BgpCalculation::Impl::think_of_node(const PeerMaker& maker, const std::string& name) {
  PeerMaker::Out out;
  const auto found = objects_.nodes.find(name);
  if (found != objects_.nodes.end() && name != options_.node) {
    maker.add_mesh(name, found->second, out);
    for (const auto& [peer_name, peer] : objects_.peers) maker.add_selected(peer, name, found->second, out);
  }
  table_.replace(concat("node/", name), std::move(out));
}

void BgpCalculation::Impl::think_of_peer(const PeerMaker& maker, const std::string& name) {
  PeerMaker::Out out;
  const auto found = objects_.peers.find(name);
  if (found != objects_.peers.end()) {
    maker.add_address(found->second, out);
    maker.add_workloads(found->second, objects_.workloads(), out);
  }
  table_.replace(concat("peer/", name), std::move(out));
}

void BgpCalculation::Impl::refresh_peers(const NodeFacts& own) {
  Dirty& dirty = objects_.dirty;
  if (!dirty.all && !dirty.nodes && dirty.node_names.empty() && dirty.peer_names.empty()) return;
  const PeerMaker::Cluster cluster = this->cluster(own);
  const PeerMaker maker(cluster);
  // Those that are gone are named; the others are all thought of.
  for (const std::string& name : dirty.node_names) think_of_node(maker, name);
  for (const std::string& name : dirty.peer_names) think_of_peer(maker, name);
  if (dirty.all || dirty.nodes) {
    for (const auto& [name, facts] : objects_.nodes) {
      if (!dirty.node_names.contains(name)) think_of_node(maker, name);
    }
  }
  if (!dirty.all) return;
  for (const auto& [name, peer] : objects_.peers) {
    if (!dirty.peer_names.contains(name)) think_of_peer(maker, name);
  }
}

void BgpCalculation::Impl::refresh_routes(BgpDelta& delta) {
  const bool has_new_prefixes = objects_.prefixes.update();
  const bool has_new_services = objects_.services.update();
  // The settings decide on priorities and communities.
  if (!has_new_prefixes && !has_new_services && !objects_.dirty.all) return;
  std::set<IpPrefix> prefixes = objects_.prefixes.prefixes();
  for (const auto& [prefix, count] : objects_.services.prefixes()) prefixes.insert(prefix);
  std::vector<bgp::rib::LocalRoute> routes;
  routes.reserve(prefixes.size());
  for (const IpPrefix& prefix : prefixes) {
    bgp::rib::LocalRoute route;
    route.prefix = prefix;
    settings_.complete(route);
    routes.push_back(std::move(route));
  }
  if (routes == desired_->config.local_routes) return;
  delta.speaker.local_routes = routes;
  desired_->config.local_routes = std::move(routes);
}

void BgpCalculation::Impl::collect_problems() {
  problems_ = settings_problems_;
  objects_.add_problems(problems_);
  table_.add_problems(problems_);
}

BgpCalculation::BgpCalculation(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
BgpCalculation::~BgpCalculation() = default;
void BgpCalculation::apply(const BgpInput& input) { impl_->apply(input); }
BgpDelta BgpCalculation::flush() { return impl_->flush(); }
const BgpDesired* BgpCalculation::desired() const { return impl_->desired(); }
const std::map<model::ObjectKey, FieldErrors>& BgpCalculation::problems() const { return impl_->problems(); }

}  // namespace margay::agent
