#include "controllers/policy/accepted_conditions.h"

#include <utility>

#include "controllers/runtime/conditions.h"
#include "datastore/watch/resource_of.h"

namespace margay::controllers {
namespace {

constexpr QueueLimits kAcceptedLimits{.in_work_max = 4};

// Without a time. `problem` "": none.
model::Condition accepted(const std::string& problem, std::int64_t generation) {
  model::Condition out;
  out.type = kAcceptedCondition;
  out.status = problem.empty() ? model::ConditionStatus::kTrue : model::ConditionStatus::kFalse;
  out.observed_generation = generation;
  out.reason = problem.empty() ? "Translated" : "NotHonoured";
  out.message = problem.empty() ? "all of it is translated" : problem;
  return out;
}

}  // namespace

AcceptedConditions::AcceptedConditions(const WriterParts& parts, Find find)
    : parts_(parts),
      find_(std::move(find)),
      queue_(
          parts.loop, parts.random, kAcceptedLimits,
          [this](const model::ObjectKey& source, const std::function<void(Verdict)>& done) { write(source, done); }) {
  queue_.hold();
}

void AcceptedConditions::set_problem(const model::ObjectKey& source, std::string_view text) {
  if (text.empty() ? problems_.erase(source) == 0 : problems_[source] == text) return;
  if (!text.empty()) problems_[source] = text;
  queue_.add(source);
}

void AcceptedConditions::write(const model::ObjectKey& source, const std::function<void(Verdict)>& done) {
  const std::optional<Carrier> carrier = find_(source);
  if (!carrier) return done(Verdict::kDone);
  const auto problem = problems_.find(source);
  const model::Condition* const said = condition_of_type(carrier->conditions, kAcceptedCondition);
  if (problem == problems_.end() && said == nullptr) return done(Verdict::kDone);
  model::Condition wanted = accepted(problem == problems_.end() ? std::string() : problem->second, carrier->generation);
  if (said != nullptr && says_the_same(*said, wanted)) return done(Verdict::kDone);
  wanted.last_transition_time = parts_.loop.wall_now();
  operations_[source] = parts_.client.patch(
      watch::resource_of(carrier->key.kind), {carrier->key.name_space, carrier->key.name}, "status",
      kube::PatchType::kMerge,
      json::dump(condition_patch(carrier->resource_version, carrier->conditions, std::move(wanted))),
      {.field_manager = "margay-controllers"}, [this, source, done](const kube::ApiResult<json::Value>& answer) {
        const auto ended = operations_.extract(source);
        const bool is_over = answer.ok() || answer.error().code == ErrorCode::kNotFound;
        done(is_over ? Verdict::kDone : Verdict::kRetry);
      });
}

}  // namespace margay::controllers
