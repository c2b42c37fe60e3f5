#include "agent/main/status_json.h"

#include <utility>

#include "base/process/build_info.h"

namespace margay::agent {
namespace {

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }
json::Value number(std::size_t value) { return static_cast<std::int64_t>(value); }

json::Value stages_json(const Timeline& timeline) {
  json::Array out;
  for (std::size_t i = 0; i < kStageCount; ++i) {
    const auto stage = static_cast<Stage>(i);
    const auto at = timeline.at(stage);
    json::Object one{{"stage", std::string(to_string(stage))}};
    if (at) one["seconds"] = seconds_of(*at);
    out.emplace_back(std::move(one));
  }
  return out;
}

json::Value watches_json(const watch::ClusterWatch& cluster) {
  json::Array out;
  for (const watch::ClusterWatch::KindState& state : cluster.states()) {
    json::Object one{{"resource", state.resource}, {"objects", number(state.objects)}, {"inSync", state.is_in_sync}};
    if (!state.version.empty()) one["resourceVersion"] = state.version;
    if (state.is_absent) one["absent"] = true;
    if (!state.error.empty()) one["error"] = state.error;
    out.emplace_back(std::move(one));
  }
  return out;
}

json::Value driver_json(const DriverState& state) {
  json::Object out{{"desired", number(state.desired)},
                   {"actual", number(state.actual)},
                   {"writes", static_cast<std::int64_t>(state.applied)},
                   {"updated", static_cast<std::int64_t>(state.updated)},
                   {"removed", static_cast<std::int64_t>(state.removed)},
                   {"failed", number(state.failed)},
                   {"lastWriteSeconds", seconds_of(state.last_apply)}};
  for (const auto& [name, count] : state.counts) out[name] = static_cast<std::int64_t>(count);
  if (state.failures.empty()) return out;
  json::Array failures;
  for (const dataplane::ObjectFailure& failure : state.failures) {
    failures.emplace_back(json::Object{{"object", failure.object}, {"error", failure.error.message}});
  }
  out["failures"] = std::move(failures);
  return out;
}

json::Value dataplane_json(const Agent& agent) {
  const DataplaneReport& report = agent.report();
  json::Object drivers;
  for (const auto& [name, state] : report.drivers) drivers[name] = driver_json(state);
  json::Object out{{"hasWritten", report.has_written},
                   {"batchesSent", static_cast<std::int64_t>(agent.batches_sent())},
                   {"batchWritten", static_cast<std::int64_t>(report.batch)},
                   {"passes", static_cast<std::int64_t>(report.applies)},
                   {"lastPassSeconds", seconds_of(report.last_apply)},
                   {"learnedRoutes", number(report.learned_routes)},
                   {"unresolvedRoutes", number(report.unresolved_routes)}};
  if (const DataplaneThread* dataplane = agent.dataplane()) {
    out["backend"] = report.backend;
    out["backendReason"] = report.backend_reason;
    json::Array missing;
    for (const std::string_view feature : iptables::missing_features(dataplane->features())) {
      missing.emplace_back(std::string(feature));
    }
    out["missingFeatures"] = std::move(missing);
    out["routesPaused"] = report.are_routes_paused;
    out["routesFound"] = number(dataplane->found_routes());
  }
  out["drivers"] = std::move(drivers);
  return out;
}

json::Value tunnel_state_json(const Agent& agent) {
  const TunnelParts& tunnels = agent.tunnels();
  const DataplaneReport& report = agent.report();
  json::Array devices;
  for (const std::string& name : report.tunnel_devices) devices.emplace_back(name);
  json::Object problems;
  for (const auto& [handle, problem] : tunnels.problems()) problems[handle] = problem;
  if (tunnels.lacks_ipip()) problems["IPIP"] = tunnels.ipip().why;
  return json::Object{{"ipip", std::string(ipip::to_string(tunnels.ipip().implementation))},
                      {"ipipReason", tunnels.ipip().why},
                      {"devices", std::move(devices)},
                      {"plannedRoutes", number(report.planned_routes)},
                      {"unresolvedPlannedRoutes", number(report.unresolved_planned_routes)},
                      {"hostMTU", number(tunnels.host_mtu())},
                      {"workloadMTU", number(tunnels.mtus().workload)},
                      {"problems", std::move(problems)}};
}

json::Value counts_json(const EndpointBook& book) {
  json::Object out;
  for (const EndpointStage stage : {EndpointStage::kWaitingForPolicy, EndpointStage::kWaitingForInterface,
                                    EndpointStage::kFailed, EndpointStage::kProgrammed}) {
    out[to_string(stage)] = number(book.count(stage));
  }
  return out;
}

json::Value errors_json(const FieldErrors& errors) {
  json::Array out;
  for (const FieldError& error : errors) {
    out.emplace_back(json::Object{{"field", error.path}, {"message", error.message}});
  }
  return out;
}

}  // namespace

json::Value status_json(Agent& agent) {
  json::Object out{{"node", agent.node_name()},
                   {"version", std::string(process::build_info().version)},
                   {"ready", agent.timeline().has(Stage::kReady)},
                   {"stages", stages_json(agent.timeline())},
                   {"endpoints", counts_json(agent.endpoints())},
                   {"dataplane", dataplane_json(agent)},
                   {"tunnels", tunnel_state_json(agent)},
                   {"watches", watches_json(agent.cluster())}};
  json::Array aspects;
  for (const auto& aspect : agent.aspects()) {
    aspects.emplace_back(json::Object{{"type", aspect.type},
                                      {"status", aspect.is_well ? "True" : "False"},
                                      {"reason", aspect.reason},
                                      {"message", aspect.message}});
  }
  out["aspects"] = std::move(aspects);
  json::Object node{{"registered", agent.registration().is_registered()}};
  if (!agent.registration().last_error().empty()) node["error"] = agent.registration().last_error();
  out["registration"] = std::move(node);
  return out;
}

json::Value tunnels_json(Agent& agent) {
  json::Value out = tunnel_state_json(agent);
  const auto& counters = agent.report().tunnel_counters;
  out["counters"] = counters == nullptr ? json::Value() : counters_json(*counters, agent.calculation().node_names());
  return out;
}

json::Value counters_json(const TunnelCounters& counters, const std::map<IpAddress, std::string>& names) {
  const auto count = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  json::Array nodes, devices;
  for (const auto& [address, each] : counters.nodes) {
    const auto name = names.find(address);
    nodes.emplace_back(json::Object{{"node", name == names.end() ? std::string() : name->second},
                                    {"address", address.to_string()},
                                    {"packetsIn", count(each.packets_in)},
                                    {"bytesIn", count(each.bytes_in)},
                                    {"packetsOut", count(each.packets_out)},
                                    {"bytesOut", count(each.bytes_out)},
                                    {"dropsIn", count(each.drops_in)},
                                    {"dropsOut", count(each.drops_out)},
                                    {"pathMTUMessages", count(each.too_big_on_the_way)}});
  }
  for (const auto& [name, each] : counters.devices) {
    devices.emplace_back(json::Object{{"device", name},
                                      {"packetsIn", count(each.packets_in)},
                                      {"bytesIn", count(each.bytes_in)},
                                      {"packetsOut", count(each.packets_out)},
                                      {"bytesOut", count(each.bytes_out)},
                                      {"errorsIn", count(each.errors_in)},
                                      {"errorsOut", count(each.errors_out)},
                                      {"dropsIn", count(each.drops_in)},
                                      {"dropsOut", count(each.drops_out)}});
  }
  json::Object drops;
  for (const auto& [reason, each] : counters.drops) drops[reason] = count(each);
  return json::Object{{"nodes", std::move(nodes)}, {"drops", std::move(drops)}, {"devices", std::move(devices)}};
}

json::Value endpoints_json(const EndpointBook& book) {
  json::Array out;
  for (const auto& [key, state] : book.states()) {
    json::Object one{{"endpoint", key.to_string()},
                     {"interface", state.interface},
                     {"state", std::string(to_string(state.stage))},
                     {"version", state.version}};
    if (!state.message.empty()) one["message"] = state.message;
    out.emplace_back(std::move(one));
  }
  return json::Object{{"endpoints", std::move(out)}};
}

json::Value problems_json(Agent& agent) {
  json::Object objects;
  for (const auto& [key, errors] : agent.calculation().problems()) objects[key.to_string()] = errors_json(errors);
  for (const auto& [key, errors] : agent.cluster().invalid()) objects[key.to_string()] = errors_json(errors);
  for (const auto& [name, errors] : agent.report().problems) objects[name] = errors_json(errors);
  json::Array settings;
  for (const config::Problem& problem : agent.calculation().configuration().problems()) {
    settings.emplace_back(problem.to_string());
  }
  return json::Object{{"objects", std::move(objects)}, {"settings", std::move(settings)}};
}

}  // namespace margay::agent
