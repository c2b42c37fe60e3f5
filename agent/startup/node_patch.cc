#include "agent/startup/node_patch.h"

#include <algorithm>
#include <utility>

#include "agent/startup/autodetection.h"
#include "base/core/time_text.h"
#include "base/json/value.h"
#include "datastore/codec/node_annotations.h"

namespace margay::startup {
namespace {

constexpr std::string_view kNetworkUnavailable = "NetworkUnavailable", kDataplane = "MargayDataplane";
constexpr std::string_view kInterfacesAnnotation = "projectcalico.org/Interfaces";
constexpr std::size_t kInterfacesMax = 256;

std::string interfaces_text(HostInterfaces interfaces) {
  std::sort(interfaces.begin(), interfaces.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  json::Array out;
  for (const HostInterface& each : interfaces) {
    json::Array addresses;
    for (const InterfaceAddress& address : each.addresses) {
      if (!address.address.is_link_local()) addresses.emplace_back(address.address.to_string());
    }
    if (addresses.empty() || is_internal_interface(each.name) || out.size() == kInterfacesMax) continue;
    out.emplace_back(json::Object{{"name", each.name}, {"addresses", std::move(addresses)}});
  }
  return json::dump(json::Value(std::move(out)));
}

const model::NodeCondition* find_condition(const model::Node& node, std::string_view type) {
  for (const model::NodeCondition& condition : node.status.conditions) {
    if (condition.type == type) return &condition;
  }
  return nullptr;
}

json::Value condition_json(const model::NodeCondition& condition) {
  json::Object out;
  out["type"] = condition.type;
  out["status"] = model::to_string(condition.status);
  out["reason"] = condition.reason;
  out["message"] = condition.message;
  out["lastHeartbeatTime"] = format_timestamp(*condition.last_heartbeat_time);
  out["lastTransitionTime"] = format_timestamp(*condition.last_transition_time);
  return out;
}

}  // namespace

std::string interfaces_patch(const model::Node& node, const HostInterfaces& interfaces) {
  const std::string wanted = interfaces_text(interfaces);
  if (node.metadata.annotations.get(kInterfacesAnnotation) == wanted) return "";
  json::Value patch;
  patch["metadata"]["annotations"][std::string(kInterfacesAnnotation)] = wanted;
  return json::dump(patch);
}

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
  if (const model::NodeCondition* said = find_condition(node, wanted.type);
      said != nullptr && said->status == wanted.status) {
    if (said->reason == wanted.reason && said->message == wanted.message) return "";
    since = said->last_transition_time.value_or(now);
  }
  json::Value patch;
  patch["status"]["conditions"] = json::Array{condition_json({.type = wanted.type,
                                                              .status = wanted.status,
                                                              .last_heartbeat_time = now,
                                                              .last_transition_time = since,
                                                              .reason = wanted.reason,
                                                              .message = wanted.message})};
  return json::dump(patch);
}

std::string conditions_patch(const model::Node& node, Availability wanted, const DataplaneNote& dataplane,
                             WallTime now) {
  json::Array conditions;
  const bool is_up = wanted == Availability::kUp;
  const model::ConditionStatus unavailable = is_up ? model::ConditionStatus::kFalse : model::ConditionStatus::kTrue;
  const model::NodeCondition* said = find_condition(node, kNetworkUnavailable);
  // Whoever said so, and in whichever words.
  if (said == nullptr || said->status != unavailable) {
    conditions.push_back(
        condition_json({.type = std::string(kNetworkUnavailable),
                        .status = unavailable,
                        .last_heartbeat_time = now,
                        .last_transition_time = now,
                        .reason = is_up ? "MargayIsUp" : "MargayIsDown",
                        .message = is_up ? "Margay is running on this node" : "Margay is not running on this node"}));
  }
  const char* const reason = dataplane.is_whole ? "KernelHasAll" : "KernelLacksFeatures";
  said = find_condition(node, kDataplane);
  if (!dataplane.message.empty() && (said == nullptr || said->status != model::ConditionStatus::kTrue ||
                                     said->reason != reason || said->message != dataplane.message)) {
    conditions.push_back(condition_json({.type = std::string(kDataplane),
                                         .status = model::ConditionStatus::kTrue,
                                         .last_heartbeat_time = now,
                                         .last_transition_time = now,
                                         .reason = reason,
                                         .message = dataplane.message}));
  }
  if (conditions.empty()) return "";
  json::Value patch;
  patch["status"]["conditions"] = std::move(conditions);
  return json::dump(patch);
}

}  // namespace margay::startup
