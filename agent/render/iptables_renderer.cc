#include "agent/render/iptables_renderer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/render/endpoint_dispatch.h"
#include "agent/render/host_chains.h"
#include "agent/render/host_endpoints.h"
#include "agent/render/nat.h"
#include "agent/render/owned_chains.h"
#include "agent/render/policy_chains.h"
#include "agent/render/sets.h"
#include "agent/render/static_chains.h"
#include "agent/render/tables.h"
#include "agent/render/workload_chains.h"
#include "base/core/text.h"

namespace margay::render {
namespace {

using policy::ObjectKey;

constexpr std::string_view kSettings = "FelixConfiguration";

}  // namespace

class IptablesRenderer::Impl {
 public:
  explicit Impl(const KernelFeatures& features) : features_(features), sets_(features) { set_settings({}); }

  void apply(const policy::Delta& delta) {
    sets_.apply(delta.ip_sets);
    for (const auto& [key, policy] : delta.policies) apply_policy(key, policy);
    for (const auto& [name, profile] : delta.profiles) apply_profile(name, profile);
    for (const auto& [key, endpoint] : delta.endpoints) apply_endpoint(key, endpoint);
  }

  void set_settings(const model::FelixConfigurationSpec& spec) {
    FieldErrors found;
    settings_ = settings_of(spec, features_, found);
    report(std::string(kSettings), std::move(found));
    sets_.set_networks(networks_, settings_.external_nodes);
    is_everything_dirty_ = true;
  }

  void set_networks(NodeNetworks networks) {
    networks.ipvs_services = networks_.ipvs_services;
    if (networks == networks_) return;
    networks_ = std::move(networks);
    sets_.set_networks(networks_, settings_.external_nodes);
    are_static_dirty_ = true;
  }

  void set_interfaces(InterfaceAddresses interfaces) {
    auto ipvs = interfaces.extract(std::string(kIpvsDevice));
    set_ipvs(ipvs.empty() ? std::nullopt : std::optional(std::move(ipvs.mapped())));
    if (interfaces == interfaces_) return;
    interfaces_ = std::move(interfaces);
    are_hosts_dirty_ = true;
  }

  RenderChange take() {
    const bool is_rebuild = std::exchange(is_everything_dirty_, false);
    if (is_rebuild) begin_rebuild();
    if (std::exchange(are_static_dirty_, false)) render_static();
    for (const std::string& interface : std::exchange(dirty_workloads_, {})) render_workload_of(interface);
    if (std::exchange(is_dispatch_dirty_, false)) render_workload_dispatch();
    if (std::exchange(are_hosts_dirty_, false)) render_hosts();
    // Last: endpoints say which of them are there.
    render_shared_chains();
    if (is_rebuild) tables_.end_rebuild();
    return {.sets = sets_.take(), .tables = tables_.take()};
  }

  [[nodiscard]] const std::map<std::string, FieldErrors>& problems() const { return problems_; }
  [[nodiscard]] const std::map<std::string, ObjectKey>& hosts() const { return hosts_; }

 private:
  void set_ipvs(std::optional<std::set<IpAddress>> services) {
    if (services == networks_.ipvs_services) return;
    // Chains come or go.
    is_everything_dirty_ |= services.has_value() != networks_.ipvs_services.has_value();
    networks_.ipvs_services = std::move(services);
    sets_.set_networks(networks_, settings_.external_nodes);
    are_static_dirty_ = true;
  }

  void report(const std::string& object, FieldErrors errors) {
    if (errors.empty()) {
      problems_.erase(object);
    } else {
      problems_[object] = std::move(errors);
    }
  }

  void apply_policy(const ObjectKey& key, const std::shared_ptr<const policy::Policy>& policy) {
    for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
      shared_.touch({direction, PolicySource{key}});
    }
    const policy::Policy* before = book_.policy(key);
    const bool is_grouped_alike = before != nullptr && policy != nullptr && before->selector == policy->selector;
    if (policy == nullptr) {
      book_.policies.erase(key);
      report(readable(key), {});
      return;
    }
    report(readable(key), problems_of(policy->rules));
    book_.policies[key] = policy;
    if (!is_grouped_alike) touch_endpoints_with(key);
  }

  void apply_profile(const std::string& name, const std::shared_ptr<const policy::Profile>& profile) {
    for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
      shared_.touch({direction, ProfileSource{name}});
    }
    report(concat("Profile ", name), profile == nullptr ? FieldErrors() : problems_of(profile->rules));
    if (profile == nullptr) {
      book_.profiles.erase(name);
    } else {
      book_.profiles[name] = profile;
    }
  }

  void apply_endpoint(const ObjectKey& key, const std::shared_ptr<const policy::Endpoint>& endpoint) {
    const auto before = endpoints_.find(key);
    if (before != endpoints_.end()) {
      forget(key, *before->second);
      endpoints_.erase(before);
    }
    if (endpoint == nullptr) return;
    endpoints_[key] = endpoint;
    if (endpoint->workload != nullptr) {
      add_workload(key, endpoint->workload->spec);
    } else {
      are_hosts_dirty_ = true;
    }
  }

  void forget(const ObjectKey& key, const policy::Endpoint& endpoint) {
    report(readable(key), {});
    if (endpoint.workload == nullptr) {
      are_hosts_dirty_ = true;
      return;
    }
    const std::string& interface = endpoint.workload->spec.interface_name;
    const auto at = workloads_.find(interface);
    if (at == workloads_.end()) return;
    at->second.erase(key);
    if (at->second.empty()) workloads_.erase(at);
    dirty_workloads_.insert(interface);
  }

  void add_workload(const ObjectKey& key, const model::WorkloadEndpointSpec& spec) {
    const std::string& interface = spec.interface_name;
    if (!is_interface_name(interface)) {
      report(readable(key), {{FieldError::Kind::kInvalid, "spec.interfaceName",
                              concat(quoted(interface), " is not a name of an interface")}});
      return;
    }
    workloads_[interface].insert(key);
    dirty_workloads_.insert(interface);
  }

  void touch_endpoints_with(const ObjectKey& policy) {
    for (const auto& [key, endpoint] : endpoints_) {
      if (!names(endpoint->policy, policy)) continue;
      if (endpoint->workload != nullptr) {
        dirty_workloads_.insert(endpoint->workload->spec.interface_name);
      } else {
        are_hosts_dirty_ = true;
      }
    }
  }

  static bool names(const policy::EndpointPolicy& of, const ObjectKey& policy) {
    const auto is_it = [&policy](const policy::PolicyRef& ref) { return ref.id == policy; };
    for (const auto* tiers : {&of.normal, &of.untracked, &of.pre_dnat, &of.forward}) {
      for (const policy::TierPolicies& tier : *tiers) {
        if (std::any_of(tier.ingress.begin(), tier.ingress.end(), is_it)) return true;
        if (std::any_of(tier.egress.begin(), tier.egress.end(), is_it)) return true;
      }
    }
    return false;
  }

  void begin_rebuild() {
    tables_.begin_rebuild();
    shared_.touch_all();
    for (const auto& [interface, keys] : workloads_) dirty_workloads_.insert(interface);
    are_static_dirty_ = is_dispatch_dirty_ = are_hosts_dirty_ = true;
  }

  void put(const iptables::TableId& table, TableContent content) {
    for (iptables::Chain& chain : content.chains) tables_.put(table, std::move(chain));
    for (auto& [name, hook] : content.hooks) tables_.set_hook(table, name, std::move(hook));
  }

  void render_static() {
    for (const IpFamily family : families(settings_)) {
      put({family, Table::kRaw}, static_raw(family, settings_, networks_));
      put({family, Table::kMangle}, static_mangle(settings_));
      for (iptables::Chain& chain : failsafe_chains(family, Table::kMangle, settings_)) {
        tables_.put({family, Table::kMangle}, std::move(chain));
      }
      put({family, Table::kNat}, nat_content(family, settings_, networks_));
      put({family, Table::kFilter}, static_filter(family, settings_, networks_));
    }
  }

  [[nodiscard]] EndpointContext context(std::vector<IpFamily> of) {
    return {.settings = settings_, .book = book_, .shared = shared_, .families = std::move(of)};
  }

  // Of several workloads on one interface, which is a matter of an old one that is going, the first by name.
  void render_workload_of(const std::string& interface) {
    const auto at = workloads_.find(interface);
    if (at == workloads_.end()) {
      workload_chains_.replace(interface, {});
      with_exceptions_.erase(interface);
      is_dispatch_dirty_ = families_.erase(interface) > 0 || is_dispatch_dirty_;
      return;
    }
    const ObjectKey& first = *at->second.begin();
    const policy::Endpoint& endpoint = *endpoints_.at(first);
    std::vector<IpFamily> spoken = families_of(endpoint.workload->spec, settings_);
    const auto [before, is_new] = families_.try_emplace(interface, spoken);
    const bool speaks_others = is_new || before->second != spoken;
    before->second = spoken;
    workload_chains_.replace(interface, render_workload(interface, endpoint, context(std::move(spoken))));
    const bool had_exceptions = with_exceptions_.erase(interface) > 0;
    const bool has_exceptions = !endpoint.workload->spec.allow_spoofed_source_prefixes.empty();
    if (has_exceptions) with_exceptions_.insert(interface);
    is_dispatch_dirty_ = is_dispatch_dirty_ || speaks_others || had_exceptions || has_exceptions;
    report_workloads(interface, at->second, endpoint.workload->spec);
  }

  void report_workloads(const std::string& interface, const std::set<ObjectKey>& keys,
                        const model::WorkloadEndpointSpec& first) {
    for (const ObjectKey& key : keys) {
      FieldErrors errors = problems_of(first, features_);
      if (key != *keys.begin()) {
        errors = {{FieldError::Kind::kDuplicate, "spec.interfaceName",
                   concat(interface, " is the interface of ", readable(*keys.begin()))}};
      }
      if (!is_of_workload(interface, settings_.workload_prefixes)) {
        errors.push_back({FieldError::Kind::kInvalid, "spec.interfaceName",
                          concat(quoted(interface), " does not begin with interfacePrefix: no packet is policed")});
      }
      report(readable(key), std::move(errors));
    }
  }

  void render_workload_dispatch() {
    std::map<std::string, const policy::Endpoint*> first_of;
    for (const auto& [interface, keys] : workloads_) first_of[interface] = endpoints_.at(*keys.begin()).get();
    dispatch_chains_.replace("workloads", workload_dispatch(first_of, settings_, networks_.ipvs_services.has_value()));
  }

  void render_hosts() {
    HostChoice choice = choose_hosts(endpoints_, interfaces_, settings_.workload_prefixes);
    for (const auto& [key, endpoint] : endpoints_) {
      if (endpoint->host != nullptr) report(readable(key), std::move(choice.problems[key]));
    }
    for (const std::string& interface : host_chains_.owners()) {
      if (!choice.interfaces.contains(interface)) host_chains_.replace(interface, {});
    }
    for (const auto& [interface, key] : choice.interfaces) {
      host_chains_.replace(interface, render_host(interface, *endpoints_.at(key), context(families(settings_))));
    }
    dispatch_chains_.replace("hosts", host_dispatch(choice, endpoints_, settings_));
    hosts_ = std::move(choice.interfaces);
  }

  void render_shared_chains() {
    for (const SharedChains::Dirty& dirty : shared_.take_dirty()) {
      const auto& [table, name] = dirty.id;
      if (dirty.source == nullptr) {
        tables_.remove(table, name);
      } else {
        tables_.put(table, render_shared(*dirty.source, table, book_, settings_));
      }
    }
  }

  const KernelFeatures features_;
  Settings settings_;
  NodeNetworks networks_;
  InterfaceAddresses interfaces_;
  std::map<std::string, FieldErrors> problems_;

  PolicyBook book_;
  Endpoints endpoints_;
  std::map<std::string, std::set<ObjectKey>> workloads_;  // by interface

  Sets sets_;
  Tables tables_;
  SharedChains shared_;                   // outlives the uses below
  OwnedChains workload_chains_{tables_};  // by interface
  OwnedChains host_chains_{tables_};
  OwnedChains dispatch_chains_{tables_};

  bool is_everything_dirty_ = true;
  bool are_static_dirty_ = true;
  bool is_dispatch_dirty_ = true;
  bool are_hosts_dirty_ = true;
  std::set<std::string> dirty_workloads_;
  std::map<std::string, ObjectKey> hosts_;
  std::set<std::string> with_exceptions_;                  // interfaces whose workload may use other sources
  std::map<std::string, std::vector<IpFamily>> families_;  // that its workload speaks, by interface
};

IptablesRenderer::IptablesRenderer(const KernelFeatures& features) : impl_(std::make_unique<Impl>(features)) {}
IptablesRenderer::~IptablesRenderer() = default;

void IptablesRenderer::apply(const policy::Delta& delta) { impl_->apply(delta); }
void IptablesRenderer::set_settings(const model::FelixConfigurationSpec& settings) { impl_->set_settings(settings); }
void IptablesRenderer::set_networks(NodeNetworks networks) { impl_->set_networks(std::move(networks)); }
void IptablesRenderer::set_interfaces(InterfaceAddresses interfaces) { impl_->set_interfaces(std::move(interfaces)); }
RenderChange IptablesRenderer::take() { return impl_->take(); }
const std::map<std::string, FieldErrors>& IptablesRenderer::problems() const { return impl_->problems(); }
const std::map<std::string, policy::ObjectKey>& IptablesRenderer::hosts() const { return impl_->hosts(); }

}  // namespace margay::render
