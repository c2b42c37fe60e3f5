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

// NetworkPolicy of Kubernetes has none.
template <class T>
std::shared_ptr<const std::vector<model::Condition>> conditions_of(
    const std::shared_ptr<const PolicySource<T>>& source) {
  if constexpr (requires { source->object.status.conditions; }) {
    return {source, &source->object.status.conditions};
  } else {
    return nullptr;
  }
}

}  // namespace

template <class T>
PolicyController::Made<T>::Made(PolicyController& owner, const WriterParts& parts)
    : objects(parts, QueueLimits{}, [this, &owner](const kube::ObjectName& name, const std::string& text) {
        const auto source = sources.find(name);
        if (source == sources.end()) return;
        owner.sources_.at(source->second).not_written = text;
        owner.tell(source->second);
      }) {}

PolicyController::PolicyController(const WriterParts& parts, watch::ClusterWatch& cluster, EventGate& events)
    : events_(events),
      look_timer_(parts.loop.make_timer([this] { look_at_all(); })),
      policies_(*this, parts),
      global_policies_(*this, parts),
      staged_policies_(*this, parts),
      accepted_(parts, [this](const model::ObjectKey& source) { return carrier_of(source); }) {
  translate_all<model::KubernetesNetworkPolicy>(cluster, policies_);
  translate_all<model::AdminNetworkPolicy>(cluster, global_policies_);
  translate_all<model::BaselineAdminNetworkPolicy>(cluster, global_policies_);
  translate_all<model::ClusterNetworkPolicy>(cluster, global_policies_);
  translate_all<model::StagedKubernetesNetworkPolicy>(cluster, staged_policies_);
  watch_made(cluster, policies_);
  watch_made(cluster, global_policies_);
  watch_made(cluster, staged_policies_);
}

template <class T>
void PolicyController::watch_made(watch::ClusterWatch& cluster, Made<T>& made) {
  cluster.add<T>({.label_selector = managed_selector()},
                 {[this, &made](const model::ObjectKey& key, const std::shared_ptr<const T>& object) {
                   const kube::ObjectName name{key.name_space, key.name};
                   made.objects.note(name, object);
                   const auto source = made.sources.find(name);
                   if (object == nullptr || source == made.sources.end()) return;
                   if (std::string& problem = sources_.at(source->second).not_written; !problem.empty()) {
                     problem.clear();
                     tell(source->second);
                   }
                   accepted_.look_at(source->second);
                 }});
}

template <class From, class T>
void PolicyController::translate_all(watch::ClusterWatch& cluster, Made<T>& made) {
  using Read = PolicySource<From>;
  cluster.add<Read>(From::kKind, {}, read_source<From>,
                    {[this, &made](const model::ObjectKey& key, const std::shared_ptr<const Read>& source) {
                      if (source == nullptr || source->object.metadata.deletion_timestamp) return forget(key, made);
                      translate<From>(key, source, made);
                    }});
}

template <class From, class T>
void PolicyController::translate(const model::ObjectKey& key, const std::shared_ptr<const PolicySource<From>>& read,
                                 Made<T>& made) {
  const From& from = read->object;
  auto translated = policy::from_kubernetes(from);
  const kube::ObjectName name{translated.object.metadata.name_space, translated.object.metadata.name};
  // The tier of a ClusterNetworkPolicy is part of the name.
  const auto before = sources_.find(key);
  if (before != sources_.end() && before->second.made != name) forget(key, made);
  Source& source = sources_[key];
  source.metadata = {read, &from.metadata};
  source.conditions = conditions_of(read);
  source.made = name;
  made.sources[name] = key;
  translated.object.metadata = {};
  translated.object.metadata.owner_references = {owner_of(key, from.metadata)};
  made.objects.want(name, std::move(translated.object));
  const FieldErrors errors = errors_of(read->errors, translated.errors);
  source.not_translated = errors.empty() ? "" : concat(to_string(errors), "; what cannot be translated allows nothing");
  tell(key);
  accepted_.look_at(key);
}

template <class T>
void PolicyController::forget(const model::ObjectKey& key, Made<T>& made) {
  const auto found = sources_.find(key);
  if (found == sources_.end()) return;
  made.objects.forget(found->second.made);
  made.sources.erase(found->second.made);
  sources_.erase(found);
  events_.forget(key);
  accepted_.forget(key);
}

// All there is to say of a source.
void PolicyController::tell(const model::ObjectKey& key) {
  const Source& source = sources_.at(key);
  const bool says_both = !source.not_translated.empty() && !source.not_written.empty();
  const std::string text = concat(source.not_translated, says_both ? "; " : "", source.not_written);
  accepted_.set_problem(key, text);
  if (text.empty()) return events_.forget(key);
  events_.warn(key, *source.metadata, "PolicyNotHonoured", text);
}

// Who has a status speaks for itself.
std::optional<AcceptedConditions::Carrier> PolicyController::carrier_of(const model::ObjectKey& key) const {
  const auto found = sources_.find(key);
  if (found == sources_.end()) return std::nullopt;
  const Source& source = found->second;
  if (source.conditions != nullptr) {
    return AcceptedConditions::Carrier{key, source.metadata->resource_version, source.metadata->generation,
                                       *source.conditions};
  }
  const model::NetworkPolicy* const made = policies_.objects.actual(source.made);
  if (made == nullptr) return std::nullopt;
  return AcceptedConditions::Carrier{{model::Kind::kNetworkPolicy, source.made.name_space, source.made.name},
                                     made->metadata.resource_version,
                                     made->metadata.generation,
                                     made->status.conditions};
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
  accepted_.lead(is_leading);
}

std::size_t PolicyController::wanted_count() const {
  return policies_.objects.wanted_count() + global_policies_.objects.wanted_count() +
         staged_policies_.objects.wanted_count();
}

bool PolicyController::is_settled() const {
  return policies_.objects.is_settled() && global_policies_.objects.is_settled() &&
         staged_policies_.objects.is_settled() && accepted_.is_settled();
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
