#include "policy/question/cluster.h"

#include <algorithm>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/core/check.h"
#include "policy/calc/engine.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

template <class T, class Variant>
inline constexpr bool kIsAlternative = false;
template <class T, class... Others>
inline constexpr bool kIsAlternative<T, std::variant<Others...>> = (std::is_same_v<Shared<T>, Others> || ...);

template <class T>
concept Translatable = requires(const T& object) {
  from_kubernetes(object);
};

class Feeder {
 public:
  Feeder(Engine& engine, std::vector<Note>& notes, std::map<ObjectKey, ObjectKey>& sources)
      : engine_(engine), notes_(notes), sources_(sources) {}

  void feed(const World& world) {
    feed_tiers();
    feed_missing(world);
    world.for_each_table([this](const auto& table) {
      for (const auto& [key, object] : table) feed(key, object);
    });
    engine_.mark_in_sync();
  }

 private:
  template <class T>
  void apply(T object) {
    ObjectKey key = key_of(object);
    engine_.apply({std::move(key), std::make_shared<const T>(std::move(object))});
  }

  template <class T>
  void feed(const ObjectKey& key, const Shared<T>& object) {
    if constexpr (Translatable<T>) {
      auto translated = from_kubernetes(*object);
      for (FieldError& error : translated.errors) notes_.push_back({key, std::move(error)});
      sources_[key_of(translated.object)] = key;
      apply(std::move(translated.object));
    } else if constexpr (kIsAlternative<T, ObjectValue>) {
      engine_.apply({key, object});
    }
  }

  void feed_tier(std::string_view name, double order, model::TierDefaultAction action) {
    model::Tier tier;
    tier.metadata.name = name;
    tier.spec = {.order = order, .default_action = action};
    apply(std::move(tier));
  }

  // Those of the world come later and win.
  void feed_tiers() {
    feed_tier(model::kDefaultTier, model::kDefaultTierOrder, model::TierDefaultAction::kDeny);
    feed_tier(model::kKubeAdminTier, model::kKubeAdminTierOrder, model::TierDefaultAction::kPass);
    feed_tier(model::kKubeBaselineTier, model::kKubeBaselineTierOrder, model::TierDefaultAction::kPass);
  }

  void feed_namespace(std::string_view name) {
    model::Namespace out;
    out.metadata.name = name;
    out.metadata.labels = StringMap{{"kubernetes.io/metadata.name", name}};
    apply(std::move(out));
  }

  void feed_missing(const World& world) {
    for (const auto& [key, pod] : world.all<model::Pod>()) {
      if (world.find<model::Namespace>("", key.name_space) == nullptr) feed_namespace(key.name_space);
      const std::string_view account = pod->spec.service_account_name.view();
      if (account.empty() || world.find<model::ServiceAccount>(key.name_space, account) != nullptr) continue;
      model::ServiceAccount out;
      out.metadata.name = account;
      out.metadata.name_space = key.name_space;
      apply(std::move(out));
    }
  }

  Engine& engine_;
  std::vector<Note>& notes_;
  std::map<ObjectKey, ObjectKey>& sources_;
};

}  // namespace

Cluster::Cluster(const World& world) : world_(world) {
  Engine engine({.node = std::nullopt});
  Feeder(engine, notes_, sources_).feed(world);
  MARGAY_CHECK(state_.apply(engine.flush()).ok());
  for (const auto& [key, errors] : engine.problems()) {
    for (const FieldError& error : errors) notes_.push_back({source_of(key), error});
  }
  std::stable_sort(notes_.begin(), notes_.end(), [](const Note& a, const Note& b) { return a.object < b.object; });
  index();
}

void Cluster::index() {
  for (const auto& [key, endpoint] : state_.endpoints()) {
    if (endpoint->workload != nullptr) {
      for (const IpPrefix& network : endpoint->workload->spec.ip_networks) by_address_[network.first()] = endpoint;
    } else {
      for (const IpAddress& address : endpoint->host->spec.expected_ips) by_address_[address] = endpoint;
    }
  }
  for (const auto& [key, node] : world_.all<model::Node>()) {
    for (const model::NodeAddress& each : node->status.addresses) {
      if (const auto address = IpAddress::parse(each.address); address.ok()) nodes_[*address] = key.name;
    }
  }
  // Pods on the host's network have the addresses of their node.
  for (const auto& [key, pod] : world_.all<model::Pod>()) {
    if (!pod->spec.host_network) continue;
    const std::string node(pod->spec.node_name.view());
    if (pod->status.pod_ip) nodes_.try_emplace(*pod->status.pod_ip, node);
    for (const model::PodIp& each : pod->status.pod_ips) {
      if (each.ip) nodes_.try_emplace(*each.ip, node);
    }
  }
}

std::shared_ptr<const Endpoint> Cluster::endpoint_at(const IpAddress& address) const {
  const auto at = by_address_.find(address);
  return at == by_address_.end() ? nullptr : at->second;
}

std::shared_ptr<const Endpoint> Cluster::endpoint_of(const ObjectKey& key) const {
  const auto at = state_.endpoints().find(key);
  return at == state_.endpoints().end() ? nullptr : at->second;
}

std::string Cluster::node_at(const IpAddress& address) const {
  const auto at = nodes_.find(address);
  return at == nodes_.end() ? std::string() : at->second;
}

ObjectKey Cluster::source_of(const ObjectKey& policy) const {
  const auto at = sources_.find(policy);
  return at == sources_.end() ? policy : at->second;
}

}  // namespace margay::policy
