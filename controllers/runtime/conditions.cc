#include "controllers/runtime/conditions.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/core/time_text.h"

namespace margay::controllers {
namespace {

json::Value json_of(const model::Condition& condition) {
  json::Object out;
  out["type"] = condition.type;
  out["status"] = std::string(model::to_string(condition.status));
  if (condition.observed_generation != 0) out["observedGeneration"] = condition.observed_generation;
  if (condition.last_transition_time) out["lastTransitionTime"] = format_timestamp(*condition.last_transition_time);
  out["reason"] = condition.reason;
  out["message"] = condition.message;
  return out;
}

}  // namespace

const model::Condition* condition_of_type(const std::vector<model::Condition>& said, std::string_view type) {
  const auto found = std::find_if(said.begin(), said.end(), [&](const auto& each) { return each.type == type; });
  return found == said.end() ? nullptr : &*found;
}

bool says_the_same(const model::Condition& a, const model::Condition& b) {
  return a.type == b.type && a.status == b.status && a.reason == b.reason && a.message == b.message &&
         a.observed_generation == b.observed_generation;
}

json::Value condition_patch(std::string_view resource_version, const std::vector<model::Condition>& said,
                            model::Condition ours) {
  const model::Condition* const before = condition_of_type(said, ours.type);
  if (before != nullptr && before->status == ours.status) ours.last_transition_time = before->last_transition_time;
  json::Array conditions;
  for (const model::Condition& each : said) conditions.push_back(json_of(&each == before ? ours : each));
  if (before == nullptr) conditions.push_back(json_of(ours));
  json::Value out;
  out["metadata"]["resourceVersion"] = std::string(resource_version);
  out["status"]["conditions"] = std::move(conditions);
  return out;
}

}  // namespace margay::controllers
