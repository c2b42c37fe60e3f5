// World: the objects of a cluster that say something about policy, as files or an API server hold them, decoded.
//
// A value without behaviour: nothing is calculated yet (cluster.h). Pure; one thread.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/core/field_error.h"
#include "base/json/value.h"
#include "datastore/model/admin_policy.h"
#include "datastore/model/cluster_policy.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/kubernetes_policy.h"
#include "datastore/model/pod.h"
#include "datastore/model/policy.h"
#include "datastore/model/service.h"

namespace margay::policy {

template <class... Kinds>
struct WorldTables {
  template <class T>
  using Table = std::map<model::ObjectKey, std::shared_ptr<const T>>;
  template <class T>
  static constexpr bool kHas = (std::is_same_v<T, Kinds> || ...);

  std::tuple<Table<Kinds>...> tables;
};

using PolicyTables =
    WorldTables<model::Namespace, model::Node, model::Pod, model::ServiceAccount, model::Service, model::EndpointSlice,
                model::Tier, model::NetworkPolicy, model::GlobalNetworkPolicy, model::StagedNetworkPolicy,
                model::StagedGlobalNetworkPolicy, model::StagedKubernetesNetworkPolicy, model::NetworkSet,
                model::GlobalNetworkSet, model::Profile, model::HostEndpoint, model::WorkloadEndpoint,
                model::KubernetesNetworkPolicy, model::ClusterNetworkPolicy, model::AdminNetworkPolicy,
                model::BaselineAdminNetworkPolicy>;

class World {
 public:
  template <class T>
  using Table = PolicyTables::Table<T>;

  // The kinds that are kept; others are passed over.
  static std::span<const model::Kind> kinds();

  // Replaces an object of the same name. What cannot be read is returned, and the object is not kept.
  //
  // A Pod with an address and no node gets one (in files it is often left out, and for policy any will do), and a
  // Namespace the label kubernetes.io/metadata.name, as every server sets it.
  FieldErrors add(model::Kind kind, const json::Value& object);
  template <class T>
  void put(T object);

  template <class T>
  [[nodiscard]] const Table<T>& all() const {
    return std::get<Table<T>>(tables_.tables);
  }
  template <class T>
  [[nodiscard]] const T* find(std::string_view name_space, std::string_view name) const {
    const auto at = all<T>().find(model::ObjectKey{T::kKind, std::string(name_space), std::string(name)});
    return at == all<T>().end() ? nullptr : at->second.get();
  }
  // Calls visit(table) for the table of each kind.
  template <class Visit>
  void for_each_table(Visit visit) const {
    std::apply([&visit](const auto&... table) { (visit(table), ...); }, tables_.tables);
  }

 private:
  PolicyTables tables_;
};

// The key of an object of the model, of whatever kind.
template <class T>
model::ObjectKey key_of(const T& object) {
  return {T::kKind, std::string(std::string_view(object.metadata.name_space)), object.metadata.name};
}

template <class T>
void World::put(T object) {
  model::ObjectKey key = key_of(object);
  std::get<Table<T>>(tables_.tables)[std::move(key)] = std::make_shared<const T>(std::move(object));
}

}  // namespace margay::policy
