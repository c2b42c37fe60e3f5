#include "ctl/lab/pod.h"

#include <algorithm>
#include <map>

#include "base/core/text.h"

namespace margay::lab {
namespace {

using json::Array;
using json::Object;
using json::Value;

std::vector<ServedPort> ports_of(const Value& object) {
  std::vector<ServedPort> out;
  for (const Value& container : object.array_at({"spec", "containers"})) {
    for (const Value& port : container.array_at({"ports"})) {
      const Value* number = port.find("containerPort");
      const std::string_view protocol = port.string_at({"protocol"});
      const bool is_number = number != nullptr && number->as_integer() != nullptr && *number->as_integer() > 0 &&
                             *number->as_integer() <= 65535;
      if (!is_number || (!protocol.empty() && protocol != "TCP" && protocol != "UDP")) continue;
      out.push_back({static_cast<std::uint16_t>(*number->as_integer()), protocol == "UDP"});
    }
  }
  if (out.empty()) out.push_back({80, false});
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<IpAddress> addresses_of(const Value& object) {
  std::vector<IpAddress> out;
  for (const Value& each : object.array_at({"status", "podIPs"})) {
    if (const auto address = IpAddress::parse(each.string_at({"ip"})); address.ok()) out.push_back(*address);
  }
  if (!out.empty()) return out;
  if (const auto address = IpAddress::parse(object.string_at({"status", "podIP"})); address.ok())
    out.push_back(*address);
  return out;
}

Array container_states(const LabPod& pod, const std::string& now) {
  Array out;
  for (const LabContainer& each : pod.containers) {
    out.push_back(Object{{"name", each.name},
                         {"image", each.image},
                         {"imageID", ""},
                         {"ready", true},
                         {"started", true},
                         {"restartCount", 0},
                         {"state", Object{{"running", Object{{"startedAt", now}}}}}});
  }
  return out;
}

}  // namespace

LabPod read_pod(const Value& object) {
  LabPod pod;
  pod.name_space = std::string(object.string_at({"metadata", "namespace"}));
  pod.name = std::string(object.string_at({"metadata", "name"}));
  pod.uid = std::string(object.string_at({"metadata", "uid"}));
  pod.node = std::string(object.string_at({"spec", "nodeName"}));
  pod.addresses = addresses_of(object);
  pod.ports = ports_of(object);
  for (const Value& each : object.array_at({"spec", "containers"})) {
    pod.containers.push_back({std::string(each.string_at({"name"})), std::string(each.string_at({"image"}))});
  }
  const Value* host = object.find({"spec", "hostNetwork"});
  pod.is_host_networked = host != nullptr && host->as_bool() != nullptr && *host->as_bool();
  const std::string_view phase = object.string_at({"status", "phase"});
  pod.is_deleted = !object.string_at({"metadata", "deletionTimestamp"}).empty();
  pod.is_going = pod.is_deleted || phase == "Succeeded" || phase == "Failed";
  pod.is_running = phase == "Running";
  return pod;
}

std::string choose_node(const std::vector<std::string>& nodes, const std::vector<LabPod>& pods) {
  std::map<std::string, std::size_t> counts;
  for (const LabPod& pod : pods) {
    if (!pod.is_going) ++counts[pod.node];
  }
  const auto fewest = std::min_element(
      nodes.begin(), nodes.end(), [&](const std::string& a, const std::string& b) { return counts[a] < counts[b]; });
  return fewest == nodes.end() ? std::string() : *fewest;
}

Value running_status(const LabPod& pod, const std::vector<IpAddress>& addresses, const std::string& host_address,
                     const std::string& now) {
  Array ips;
  for (const IpAddress& address : addresses) ips.push_back(Object{{"ip", address.to_string()}});
  Array conditions;
  for (const char* type : {"PodScheduled", "Initialized", "ContainersReady", "Ready"}) {
    conditions.push_back(Object{{"type", type}, {"status", "True"}, {"lastTransitionTime", now}});
  }
  Object status{{"phase", "Running"},
                {"hostIP", host_address},
                {"startTime", now},
                {"podIPs", std::move(ips)},
                {"conditions", std::move(conditions)},
                {"containerStatuses", container_states(pod, now)}};
  if (!addresses.empty()) status["podIP"] = addresses.front().to_string();
  if (pod.is_host_networked) status["podIP"] = host_address;
  return status;
}

const LabPod* find_pod(const std::vector<LabPod>& pods, std::string_view text, std::string_view name_space) {
  const auto parts = split_once(text, '/');
  const std::string_view wanted_space = parts ? parts->first : name_space;
  const std::string_view wanted = parts ? parts->second : text;
  const auto at = std::find_if(pods.begin(), pods.end(),
                               [&](const LabPod& pod) { return pod.name == wanted && pod.name_space == wanted_space; });
  return at == pods.end() ? nullptr : &*at;
}

}  // namespace margay::lab
