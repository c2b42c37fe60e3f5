#include "controllers/status/programmed_controller.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "controllers/runtime/conditions.h"
#include "datastore/codec/codec.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/policy.h"

namespace margay::controllers {
namespace {

// Nobody waits for it: policies that are to be translated go first.
constexpr QueueLimits kLimits{.in_work_max = 4};

// Of five thousand policies only what is needed is kept.
template <class T>
FieldErrors summarize(json::View object, PolicySummary& out) {
  T policy;
  FieldErrors errors = codec::decode(object, policy);
  out.uid = std::move(policy.metadata.uid);
  out.resource_version = std::move(policy.metadata.resource_version);
  out.generation = policy.metadata.generation;
  out.conditions = std::move(policy.status.conditions);
  return errors;
}

}  // namespace

ProgrammedController::ProgrammedController(const WriterParts& parts, watch::ClusterWatch& cluster)
    : parts_(parts),
      look_(parts.loop.make_timer([this] { look(); })),
      queue_(parts.loop, parts.random, kLimits,
             [this](const model::ObjectKey& key, const std::function<void(Verdict)>& done) { write(key, done); }) {
  queue_.hold();
  watch_policies<model::NetworkPolicy>(cluster);
  watch_policies<model::GlobalNetworkPolicy>(cluster);
  cluster.add<model::Node>({}, {[this](const model::ObjectKey& key, const std::shared_ptr<const model::Node>& node) {
                             tally_.set_node(key.name, node != nullptr);
                             has_changed_ = true;
                           }});
  cluster.add<model::Lease>(
      {.name_space = std::string(model::kReportNamespace),
       .label_selector = concat(model::kReportLabel, "=", model::kReportOfPolicies)},
      {[this](const model::ObjectKey& key, const std::shared_ptr<const model::Lease>& lease) {
        const auto known = node_of_report_.extract(key.name);
        if (!known.empty()) tally_.set_report(known.mapped(), std::nullopt);
        has_changed_ = true;
        if (lease == nullptr) return;
        const std::string& node = lease->spec.holder_identity;
        node_of_report_[key.name] = node;
        tally_.set_report(
            node, model::ProgrammedPolicies::parse(lease->metadata.annotations.get(model::kProgrammedAnnotation)));
      }});
}

template <class T>
void ProgrammedController::watch_policies(watch::ClusterWatch& cluster) {
  cluster.add<PolicySummary>(T::kKind, {}, summarize<T>,
                             {[this](const model::ObjectKey& key, const std::shared_ptr<const PolicySummary>& policy) {
                               tally_.set_policy(key, policy.get(), parts_.loop.now());
                               has_changed_ = true;
                               if (policy == nullptr) {
                                 policies_.erase(key);
                                 verdicts_.erase(key);
                               } else {
                                 policies_[key] = policy;
                               }
                             }});
}

void ProgrammedController::on_turn(bool is_in_sync) {
  if (!is_in_sync || !std::exchange(has_changed_, false)) return;
  look_within(kPause);
}

void ProgrammedController::look_within(Duration wait) {
  const TimePoint at = parts_.loop.now() + wait;
  if (look_->is_armed() && look_at_ <= at) return;
  look_at_ = at;
  look_->arm(wait);
}

void ProgrammedController::look() {
  const TimePoint now = parts_.loop.now();
  gauge_.set(static_cast<double>(tally_.reporting_nodes()));
  for (auto& [key, verdict] : tally_.take_verdicts(now)) {
    verdicts_[key] = std::move(verdict);
    queue_.add(key);
  }
  if (const auto next = tally_.next_look()) look_within(std::max(*next - now, kPause));
}

void ProgrammedController::write(const model::ObjectKey& key, const std::function<void(Verdict)>& done) {
  const auto policy = policies_.find(key);
  const auto verdict = verdicts_.find(key);
  if (policy == policies_.end() || verdict == verdicts_.end()) return done(Verdict::kDone);
  // It was changed meanwhile, and has a verdict of its own to come.
  if (policy->second->generation != verdict->second.generation) return done(Verdict::kDone);
  model::Condition wanted = condition_of(verdict->second);
  wanted.last_transition_time = parts_.loop.wall_now();
  const PolicySummary& summary = *policy->second;
  const model::Condition* const said = condition_of_type(summary.conditions, wanted.type);
  if (said != nullptr && says_the_same(*said, wanted)) return done(Verdict::kDone);
  operations_[key] = parts_.client.patch(
      watch::resource_of(key.kind), {key.name_space, key.name}, "status", kube::PatchType::kMerge,
      json::dump(condition_patch(summary.resource_version, summary.conditions, std::move(wanted))),
      {.field_manager = "margay-controllers"}, [this, key, done](const kube::ApiResult<json::Value>& answer) {
        const auto ended = operations_.extract(key);
        const bool is_over = answer.ok() || answer.error().code == ErrorCode::kNotFound;
        done(is_over ? Verdict::kDone : Verdict::kRetry);
      });
}

ControllerEntry programmed_controller() {
  return {"programmed", Section::kAlways, [](const ControllerParts& parts, watch::ClusterWatch& cluster) {
            auto made = std::make_unique<ProgrammedController>(parts.writer, cluster);
            made->set_gauge(parts.metrics.gauge(
                {"margay_controllers_reporting_nodes", "Nodes that say which policies they have", ""}));
            return made;
          }};
}

}  // namespace margay::controllers
