#include "controllers/policy/policy_controller.h"

#include <memory>
#include <utility>

#include "base/core/text.h"

namespace margay::controllers {
namespace {

// Both are gone together: they share a namespace, or are both of the whole cluster.
model::OwnerReference owner_of(const model::ObjectKey& key, const model::ObjectMeta& metadata) {
  const model::KindInfo& info = model::info(key.kind);
  return {std::string(info.api_version), std::string(info.name), key.name, metadata.uid, true, false};
}

template <class T>
void watch_made(watch::ClusterWatch& cluster, KeptObjects<T>& objects) {
  cluster.add<T>({.label_selector = managed_selector()},
                 {[&objects](const model::ObjectKey& key, const std::shared_ptr<const T>& object) {
                   objects.note({key.name_space, key.name}, object);
                 }});
}

}  // namespace

template <class T>
PolicyController::Made<T>::Made(PolicyController& owner, const WriterParts& parts)
    : objects(parts, QueueLimits{}, [this, &owner](const kube::ObjectName& name, const std::string& text) {
        if (const auto source = sources.find(name); source != sources.end()) owner.tell(source->second, text);
      }) {}

PolicyController::PolicyController(const WriterParts& parts, watch::ClusterWatch& cluster, EventGate& events)
    : events_(events),
      look_timer_(parts.loop.make_timer([this] { look_at_all(); })),
      policies_(*this, parts),
      global_policies_(*this, parts),
      staged_policies_(*this, parts) {
  translate_all<model::KubernetesNetworkPolicy>(cluster, policies_);
  translate_all<model::AdminNetworkPolicy>(cluster, global_policies_);
  translate_all<model::BaselineAdminNetworkPolicy>(cluster, global_policies_);
  translate_all<model::ClusterNetworkPolicy>(cluster, global_policies_);
  translate_all<model::StagedKubernetesNetworkPolicy>(cluster, staged_policies_);
  watch_made(cluster, policies_.objects);
  watch_made(cluster, global_policies_.objects);
  watch_made(cluster, staged_policies_.objects);
}

template <class From, class T>
void PolicyController::translate_all(watch::ClusterWatch& cluster, Made<T>& made) {
  cluster.add<From>({}, {[this, &made](const model::ObjectKey& key, const std::shared_ptr<const From>& from) {
                      if (from == nullptr || from->metadata.deletion_timestamp) return forget(key, made);
                      translate(key, *from, made);
                    }});
}

template <class From, class T>
void PolicyController::translate(const model::ObjectKey& key, const From& from, Made<T>& made) {
  auto translated = policy::from_kubernetes(from);
  const kube::ObjectName name{translated.object.metadata.name_space, translated.object.metadata.name};
  // The tier of a ClusterNetworkPolicy is part of the name.
  const auto before = sources_.find(key);
  if (before != sources_.end() && before->second.made != name) forget(key, made);
  sources_[key] = {from.metadata, name};
  made.sources[name] = key;
  translated.object.metadata = {};
  translated.object.metadata.owner_references = {owner_of(key, from.metadata)};
  made.objects.want(name, std::move(translated.object));
  if (translated.errors.empty()) return events_.forget(key);
  tell(key, concat(to_string(translated.errors), "; what cannot be translated allows nothing"));
}

template <class T>
void PolicyController::forget(const model::ObjectKey& key, Made<T>& made) {
  const auto found = sources_.find(key);
  if (found == sources_.end()) return;
  made.objects.forget(found->second.made);
  made.sources.erase(found->second.made);
  sources_.erase(found);
  events_.forget(key);
}

void PolicyController::tell(const model::ObjectKey& source, std::string_view text) {
  const auto found = sources_.find(source);
  if (found != sources_.end()) events_.warn(source, found->second.metadata, "PolicyNotHonoured", text);
}

void PolicyController::on_turn(bool is_in_sync) {
  gauge_.set(static_cast<double>(wanted_count()));
  if (!is_in_sync) return;
  policies_.objects.allow_removal();
  global_policies_.objects.allow_removal();
  staged_policies_.objects.allow_removal();
}

void PolicyController::configure(const Settings& settings) {
  const auto& section = settings.spec.controllers.policy;
  period_ = section ? section->reconciler_period.value_or(Duration::zero()) : Duration::zero();
  look_timer_->disarm();
  if (period_ > Duration::zero()) look_timer_->arm(period_);
}

void PolicyController::look_at_all() {
  policies_.objects.look_at_all();
  global_policies_.objects.look_at_all();
  staged_policies_.objects.look_at_all();
  look_timer_->arm(period_);
}

void PolicyController::lead(bool is_leading) {
  policies_.objects.lead(is_leading);
  global_policies_.objects.lead(is_leading);
  staged_policies_.objects.lead(is_leading);
}

std::size_t PolicyController::wanted_count() const {
  return policies_.objects.wanted_count() + global_policies_.objects.wanted_count() +
         staged_policies_.objects.wanted_count();
}

bool PolicyController::is_settled() const {
  return policies_.objects.is_settled() && global_policies_.objects.is_settled() &&
         staged_policies_.objects.is_settled();
}

WriteCounts PolicyController::counts() const {
  WriteCounts sum;
  for (const WriteCounts* counts :
       {&policies_.objects.counts(), &global_policies_.objects.counts(), &staged_policies_.objects.counts()}) {
    sum.created += counts->created;
    sum.updated += counts->updated;
    sum.removed += counts->removed;
    sum.failed += counts->failed;
  }
  return sum;
}

ControllerEntry policy_controller() {
  return {"policy", Section::kPolicy, [](const ControllerParts& parts, watch::ClusterWatch& cluster) {
            auto made = std::make_unique<PolicyController>(parts.writer, cluster, parts.events);
            made->set_gauge(parts.metrics.gauge({"margay_controllers_policies", "Policies made of others", ""}));
            return made;
          }};
}

}  // namespace margay::controllers
