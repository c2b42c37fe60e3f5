// PolicyController: NetworkPolicy of Kubernetes, and its cluster-wide relatives, kept translated as policy of
// projectcalico.org/v3.
//
//   NetworkPolicy (networking.k8s.io) ─────────────────────────▶ NetworkPolicy        knp.default.NAME
//   AdminNetworkPolicy, BaselineAdminNetworkPolicy,
//   ClusterNetworkPolicy (policy.networking.k8s.io) ───────────▶ GlobalNetworkPolicy  kanp.…, kbanp.…, kcnp.…
//   StagedKubernetesNetworkPolicy (projectcalico.org) ─────────▶ StagedNetworkPolicy  knp.default.NAME
//
// What is made is owned by its source: it is repaired when edited and goes with it. Rules that cannot be translated
// fail closed (policy/translate), what cannot even be read too (policy_source.h), and both are told on the source: as
// an Event, and as condition Accepted, which for NetworkPolicy of Kubernetes, which has no status, stands on what is
// made of it (D-090). Policies that users wrote are never touched. Thread: the loop's.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controllers/policy/accepted_conditions.h"
#include "controllers/policy/policy_source.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/kept_objects.h"
#include "datastore/model/admin_policy.h"
#include "datastore/model/cluster_policy.h"
#include "datastore/model/kubernetes_policy.h"
#include "datastore/model/policy.h"
#include "datastore/watch/cluster_watch.h"
#include "policy/translate/translate.h"

namespace margay::controllers {

class PolicyController final : public Controller {
 public:
  // Adds what it watches to `cluster`, which is not started yet and outlives this.
  PolicyController(const WriterParts& parts, watch::ClusterWatch& cluster, EventGate& events);

  void configure(const Settings& settings) override;
  // Before all is in sync nothing is removed.
  void on_turn(bool is_in_sync) override;
  void lead(bool is_leading) override;

  void set_gauge(telemetry::Gauge wanted) { gauge_ = std::move(wanted); }
  [[nodiscard]] std::size_t wanted_count() const;
  [[nodiscard]] bool is_settled() const override;
  [[nodiscard]] WriteCounts counts() const;

 private:
  // What is made of a source. The first two are parts of what the watch keeps.
  struct Source {
    std::shared_ptr<const model::ObjectMeta> metadata;
    std::shared_ptr<const std::vector<model::Condition>> conditions;  // nullptr: the kind has none
    kube::ObjectName made;
    std::string not_translated;  // what of it, and why; "": nothing
    std::string not_written;
  };
  template <class T>
  struct Made {
    explicit Made(PolicyController& owner, const WriterParts& parts);
    KeptObjects<T> objects;
    std::map<kube::ObjectName, model::ObjectKey> sources;
  };

  template <class From, class T>
  void translate_all(watch::ClusterWatch& cluster, Made<T>& made);
  template <class From, class T>
  void translate(const model::ObjectKey& key, const std::shared_ptr<const PolicySource<From>>& read, Made<T>& made);
  template <class T>
  void watch_made(watch::ClusterWatch& cluster, Made<T>& made);
  template <class T>
  void forget(const model::ObjectKey& key, Made<T>& made);
  void tell(const model::ObjectKey& source);
  [[nodiscard]] std::optional<AcceptedConditions::Carrier> carrier_of(const model::ObjectKey& source) const;
  void look_at_all();

  EventGate& events_;
  telemetry::Gauge gauge_;              // wanted_count()
  Duration period_ = Duration::zero();  // zero: never
  std::unique_ptr<loop::Timer> look_timer_;
  std::map<model::ObjectKey, Source> sources_;
  Made<model::NetworkPolicy> policies_;
  Made<model::GlobalNetworkPolicy> global_policies_;
  Made<model::StagedNetworkPolicy> staged_policies_;
  AcceptedConditions accepted_;
};

ControllerEntry policy_controller();

}  // namespace margay::controllers
