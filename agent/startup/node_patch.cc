#include "agent/startup/node_patch.h"

#include <utility>

#include "base/core/time_text.h"
#include "base/json/value.h"
#include "datastore/codec/node_annotations.h"

namespace margay::startup {
namespace {

constexpr std::string_view kConditionType = "NetworkUnavailable";

}  // namespace

std::string annotations_patch(const model::Node& node, const model::NodeNetworking& wanted) {
  const StringMap& before = node.metadata.annotations;
  StringMap after = before;
  codec::write_node_annotations(wanted, after);
  json::Object changes;
  for (const auto& [key, value] : after) {
    if (before.find(key) != std::optional<std::string_view>(value)) changes[key] = value;
  }
  for (const auto& [key, value] : before) {
    if (!after.contains(key)) changes[key] = nullptr;
  }
  if (changes.empty()) return "";
  json::Value patch;
  patch["metadata"]["annotations"] = std::move(changes);
  return json::dump(patch);
}

std::string condition_patch(const model::Node& node, const Condition& wanted, WallTime now) {
  WallTime since = now;
  for (const model::NodeCondition& present : node.status.conditions) {
    if (present.type != wanted.type || present.status != wanted.status) continue;
    if (present.reason == wanted.reason && present.message == wanted.message) return "";
    since = present.last_transition_time.value_or(now);
  }
  json::Object condition{{"type", wanted.type},
                         {"status", std::string(model::to_string(wanted.status))},
                         {"reason", wanted.reason},
                         {"message", wanted.message},
                         {"lastHeartbeatTime", format_timestamp(now)},
                         {"lastTransitionTime", format_timestamp(since)}};
  json::Array conditions;
  conditions.emplace_back(std::move(condition));
  json::Value patch;
  patch["status"]["conditions"] = std::move(conditions);
  return json::dump(patch);
}

std::string availability_patch(const model::Node& node, Availability wanted, WallTime now) {
  const bool is_up = wanted == Availability::kUp;
  const model::ConditionStatus status = is_up ? model::ConditionStatus::kFalse : model::ConditionStatus::kTrue;
  for (const model::NodeCondition& condition : node.status.conditions) {
    if (condition.type == kConditionType && condition.status == status) return "";
  }
  const std::string time = format_timestamp(now);
  json::Object condition;
  condition["type"] = kConditionType;
  condition["status"] = model::to_string(status);
  condition["reason"] = is_up ? "MargayIsUp" : "MargayIsDown";
  condition["message"] = is_up ? "Margay is running on this node" : "Margay is not running on this node";
  condition["lastHeartbeatTime"] = time;
  condition["lastTransitionTime"] = time;
  json::Array conditions;
  conditions.emplace_back(std::move(condition));
  json::Value patch;
  patch["status"]["conditions"] = std::move(conditions);
  return json::dump(patch);
}

}  // namespace margay::startup
