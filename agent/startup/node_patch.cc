#include "agent/startup/node_patch.h"

#include <algorithm>
#include <utility>

#include "agent/startup/autodetection.h"
#include "base/core/time_text.h"
#include "base/json/value.h"
#include "datastore/codec/node_annotations.h"

namespace margay::startup {
namespace {

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

std::string conditions_patch(const model::Node& node, const std::vector<Condition>& wanted, WallTime now) {
  json::Array changes;
  for (const Condition& each : wanted) {
    const model::NodeCondition* said = find_condition(node, each.type);
    const bool is_status_said = said != nullptr && said->status == each.status;
    const bool are_words_said = said != nullptr && said->reason == each.reason && said->message == each.message;
    if (is_status_said && (are_words_said || each.in_any_words)) continue;
    changes.push_back(
        condition_json({.type = each.type,
                        .status = each.status,
                        .last_heartbeat_time = now,
                        .last_transition_time = is_status_said ? said->last_transition_time.value_or(now) : now,
                        .reason = each.reason,
                        .message = each.message}));
  }
  if (changes.empty()) return "";
  json::Value patch;
  patch["status"]["conditions"] = std::move(changes);
  return json::dump(patch);
}

Condition network_available() {
  return {.type = "NetworkUnavailable",
          .status = model::ConditionStatus::kFalse,
          .reason = "MargayIsUp",
          .message = "Margay is running on this node",
          .in_any_words = true};
}

Condition dataplane_condition(const DataplaneNote& note) {
  return {.type = "MargayDataplane",
          .status = model::ConditionStatus::kTrue,
          .reason = note.is_whole ? "KernelHasAll" : "KernelLacksFeatures",
          .message = note.message};
}

}  // namespace margay::startup
