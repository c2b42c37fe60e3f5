#include "agent/main/calculation.h"

#include <utility>

#include "datastore/codec/readable.h"
#include "datastore/model/policy.h"
#include "datastore/model/service.h"

namespace margay::agent {
namespace {

template <class T>
watch::Consume<T> to_engine(policy::Engine& engine) {
  return [&engine](const model::ObjectKey& key, const std::shared_ptr<const T>& value) {
    policy::Input input{.key = key, .value = {}};
    if (value != nullptr) input.value = value;
    engine.apply(input);
  };
}

template <class T>
watch::Consume<T> to_bgp(BgpCalculation& bgp) {
  return [&bgp](const model::ObjectKey& key, const std::shared_ptr<const T>& value) {
    BgpInput input{.key = key, .value = {}};
    if (value != nullptr) input.value = value;
    bgp.apply(input);
  };
}

template <class T>
watch::Consume<T> to_planner(ipip::TunnelPlanner& planner) {
  return [&planner](const model::ObjectKey& key, const std::shared_ptr<const T>& value) {
    ipip::PlanInput input{.key = key, .value = {}};
    if (value != nullptr) input.value = value;
    planner.apply(input);
  };
}

}  // namespace

Calculation::Calculation(const Options& options)
    : node_(options.node),
      secret_namespace_(options.bgp.secret_namespace),
      engine_({.node = options.node}),
      networks_(options.node),
      bgp_(options.bgp),
      planner_(options.node),
      configuration_(options.node),
      has_bgp_(options.has_bgp),
      plans_ipip_(options.plans_ipip) {}

void Calculation::watch_all(watch::ClusterWatch& cluster, const Others& others) {
  watch_policy(cluster, others);
  watch_bgp(cluster, others);
  watch_both(cluster, others);
  cluster.add<config::SettingsObject>(
      model::Kind::kFelixConfiguration, {}, config::decode,
      {[this](const model::ObjectKey& key, const std::shared_ptr<const config::SettingsObject>& object) {
        configuration_.set_object(key.name, object == nullptr ? std::nullopt : std::optional(*object));
      }});
}

void Calculation::put_workload(const model::ObjectKey& key, const AttachedEndpoints::Endpoint& endpoint) {
  policy::Input input{.key = key, .value = {}};
  if (endpoint != nullptr) input.value = endpoint;
  engine_.apply(input);
}

// What this node's containers have comes before what the API server says of them.
template <class T>
watch::Consume<T> Calculation::workloads_to_engine(AttachedEndpoints& attached) {
  return [this, &attached, to_engine = to_engine<T>(engine_)](const model::ObjectKey& key,
                                                              const std::shared_ptr<const T>& value) {
    if (const auto endpoint = attached.see(key, value)) return put_workload(key, *endpoint);
    to_engine(key, value);
  };
}

void Calculation::watch_policy(watch::ClusterWatch& cluster, const Others& others) {
  cluster.add<model::Pod>(model::Kind::kPod, {}, codec::SharingDecoder<model::Pod>(),
                          {workloads_to_engine<model::Pod>(others.attached), others.on_pod});
  cluster.add<model::Namespace>({}, {to_engine<model::Namespace>(engine_), others.on_namespace});
  cluster.add<model::ServiceAccount>({}, {to_engine<model::ServiceAccount>(engine_)});
  cluster.add<model::NetworkPolicy>(model::Kind::kNetworkPolicy, {}, codec::decode_readable<model::NetworkPolicy>,
                                    {to_engine<model::NetworkPolicy>(engine_)});
  cluster.add<model::GlobalNetworkPolicy>(model::Kind::kGlobalNetworkPolicy, {},
                                          codec::decode_readable<model::GlobalNetworkPolicy>,
                                          {to_engine<model::GlobalNetworkPolicy>(engine_)});
  cluster.add<model::StagedNetworkPolicy>({}, {to_engine<model::StagedNetworkPolicy>(engine_)});
  cluster.add<model::StagedGlobalNetworkPolicy>({}, {to_engine<model::StagedGlobalNetworkPolicy>(engine_)});
  cluster.add<model::Profile>({}, {to_engine<model::Profile>(engine_)});
  watch_readable<model::Tier>(cluster);
  watch_readable<model::NetworkSet>(cluster);
  watch_readable<model::GlobalNetworkSet>(cluster);
  watch_readable<model::HostEndpoint>(cluster);
  // Those of this node reach BGP through the engine, with those that pods make (note_workloads).
  cluster.add<model::WorkloadEndpoint>({}, {workloads_to_engine<model::WorkloadEndpoint>(others.attached)});
}

// What these cannot be read of is left out of them, alone: without them less would be denied (D-110).
template <class T>
void Calculation::watch_readable(watch::ClusterWatch& cluster) {
  const auto key_of = [](const T& object) {
    return model::ObjectKey{T::kKind, std::string(std::string_view(object.metadata.name_space)), object.metadata.name};
  };
  cluster.add<T>(T::kKind, {},
                 [this, key_of](json::View view, T& object) -> FieldErrors {
                   FieldErrors errors = codec::decode(view, object);
                   if (errors.empty()) {
                     unread_.erase(key_of(object));
                   } else {
                     unread_[key_of(object)] = std::move(errors);
                   }
                   return {};
                 },
                 {to_engine<T>(engine_), [this](const model::ObjectKey& key, const std::shared_ptr<const T>& object) {
                    if (object == nullptr) unread_.erase(key);
                  }});
}

void Calculation::watch_bgp(watch::ClusterWatch& cluster, const Others& others) {
  cluster.add<model::BgpPeer>({}, {to_bgp<model::BgpPeer>(bgp_)});
  cluster.add<model::BgpFilter>({}, {to_bgp<model::BgpFilter>(bgp_)});
  cluster.add<model::IpamBlock>(
      {}, {to_bgp<model::IpamBlock>(bgp_), to_planner<model::IpamBlock>(planner_), others.on_block});
  cluster.add<model::Service>({}, {to_bgp<model::Service>(bgp_)});
  // Passwords. Who may not read Secrets has peers without.
  cluster.add<model::Secret>({.name_space = secret_namespace_, .is_optional = true}, {to_bgp<model::Secret>(bgp_)});
}

void Calculation::watch_both(watch::ClusterWatch& cluster, const Others& others) {
  using model::ObjectKey;
  cluster.add<model::EndpointSlice>({}, {to_engine<model::EndpointSlice>(engine_), to_bgp<model::EndpointSlice>(bgp_)});
  cluster.add<model::IpPool>({}, {others.on_pool, to_bgp<model::IpPool>(bgp_), to_planner<model::IpPool>(planner_),
                                  [this](const ObjectKey& key, const auto& value) { networks_.set_pool(key, value); }});
  cluster.add<model::BlockAffinity>(
      {}, {to_bgp<model::BlockAffinity>(bgp_),
           [this](const ObjectKey& key, const auto& value) { networks_.set_affinity(key, value); }});
  cluster.add<model::BgpConfiguration>(
      {}, {to_bgp<model::BgpConfiguration>(bgp_),
           [this](const ObjectKey& key, const auto& value) { networks_.set_configuration(key, value); }});
  cluster.add<model::Node>(
      {}, {to_engine<model::Node>(engine_), to_bgp<model::Node>(bgp_), to_planner<model::Node>(planner_),
           [this](const ObjectKey& key, const auto& value) { note_node(key, value); }, others.on_node});
}

void Calculation::note_node(const model::ObjectKey& key, const std::shared_ptr<const model::Node>& node) {
  if (key.name == node_ && node != nullptr) configuration_.set_node_labels(node->metadata.labels);
}

// BGP tells of addresses that were borrowed from blocks of others.
void Calculation::note_workloads(const policy::Delta& delta) {
  for (const auto& [key, endpoint] : delta.endpoints) {
    BgpInput input{.key = {model::Kind::kWorkloadEndpoint, key.name_space, key.name}, .value = {}};
    if (endpoint == nullptr) {
      if (workloads_.erase(key) == 0) continue;
    } else if (endpoint->workload == nullptr) {
      continue;
    } else {
      workloads_[key] = endpoint->workload;
      input.value = endpoint->workload;
    }
    bgp_.apply(input);
  }
}

ipip::PlannedRoutes Calculation::planned_routes(const model::FelixConfigurationSpec& settings) const {
  using enum model::ProgramClusterRoutes;
  if (!has_bgp_) return {.ipip = true, .plain = true};
  const auto which = settings.routes.program_cluster_routes.value_or(kEnabledIpipOnly);
  return {.ipip = plans_ipip_ || which == kEnabled || which == kEnabledIpipOnly,
          .plain = which == kEnabled || which == kEnabledNoEncapOnly};
}

void Calculation::note_policies(const policy::Delta& delta) {
  for (const auto& [key, policy] : delta.policies) {
    if (policy == nullptr) {
      policies_.erase(key);
    } else {
      policies_.insert(key);
    }
  }
}

Calculation::Change Calculation::take() {
  if (!std::exchange(is_in_sync_, true)) engine_.mark_in_sync();
  Change change;
  change.dataplane.policy = engine_.flush();
  note_workloads(change.dataplane.policy);
  note_policies(change.dataplane.policy);
  Networks::Change networks = networks_.take();
  change.dataplane.networks = std::move(networks.networks);
  change.dataplane.own_blocks = std::move(networks.own_blocks);
  change.config = configuration_.take();
  planner_.set_planned(planned_routes(*change.config.settings));
  change.dataplane.plan = planner_.flush();
  if (change.dataplane.plan.local) local_tunnels_ = *change.dataplane.plan.local;
  if (!change.config.changed.empty()) change.dataplane.settings = *change.config.settings;
  change.bgp = bgp_.flush();
  return change;
}

std::map<model::ObjectKey, FieldErrors> Calculation::problems() const {
  std::map<model::ObjectKey, FieldErrors> out = engine_.problems();
  for (const auto* problems : {&bgp_.problems(), &planner_.problems(), &unread_}) {
    for (const auto& [key, errors] : *problems) {
      FieldErrors& all = out[key];
      all.insert(all.end(), errors.begin(), errors.end());
    }
  }
  return out;
}

}  // namespace margay::agent
