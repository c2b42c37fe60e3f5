#include "agent/main/node_aspects.h"

#include "base/core/text.h"
#include "base/process/build_info.h"
#include "ipip/devices/device_spec.h"

namespace margay::agent {
namespace {

using Aspect = status::NodeSnapshot::Aspect;

std::string counted(std::size_t number, std::string_view what) {
  return concat(number, " ", what, number == 1 ? "" : "s");
}

Aspect ready_aspect(const AspectView& view) {
  if (!view.registration_error.empty()) {
    return {.type = "Ready", .is_well = false, .reason = "NotRegistered", .message = view.registration_error};
  }
  for (std::size_t i = 0; i < kStageCount; ++i) {
    const auto stage = static_cast<Stage>(i);
    if (view.timeline.has(stage)) continue;
    return {.type = "Ready",
            .is_well = false,
            .reason = "Starting",
            .message = concat("the stage ", to_string(stage), " has not been reached")};
  }
  return {.type = "Ready", .is_well = true, .reason = "Ready", .message = process::version_line("margay-node")};
}

Aspect dataplane_aspect(const AspectView& view) {
  const DataplaneReport& report = view.report;
  Aspect out{.type = "DataplaneReady",
             .is_well = report.has_written,
             .reason = report.has_written ? "Programmed" : "Starting",
             .message = concat(report.backend.empty() ? "" : concat("iptables-", report.backend, ", "),
                               counted(view.endpoints_programmed, "endpoint"))};
  std::size_t failed = 0;
  std::string first;
  for (const auto& [name, driver] : report.drivers) {
    failed += driver.failed;
    if (!first.empty() || driver.failures.empty()) continue;
    first = concat(" (", driver.failures.front().object, ": ", driver.failures.front().error.message, ")");
  }
  if (failed > 0) out.message += concat("; ", counted(failed, "object"), " failed", first);
  if (view.endpoints_failed > 0) out.message += concat("; ", counted(view.endpoints_failed, "endpoint"), " failed");
  if (report.are_routes_paused) out.message += "; routes are not written (routeSyncDisabled)";
  if (report.unresolved_routes > 0) {
    out.message += concat("; ", counted(report.unresolved_routes, "route"), " without a next hop that can be reached");
  }
  if (failed + view.endpoints_failed > 0) {
    out.is_well = false;
    out.reason = "Failing";
  }
  return out;
}

// "2 nodes; 5 packets dropped (spoofed source: 5)"; "" where nothing is counted by node.
std::string tunnel_traffic(const TunnelCounters& counters) {
  if (counters.nodes.empty() && counters.drops.empty()) return {};
  std::string reasons;
  std::uint64_t dropped = 0;
  for (const auto& [reason, count] : counters.drops) {
    if (count == 0) continue;
    dropped += count;
    reasons += concat(reasons.empty() ? "" : ", ", reason, ": ", count);
  }
  std::string out = concat("; packets with ", counted(counters.nodes.size(), "node"));
  if (dropped > 0) out += concat("; ", counted(dropped, "packet"), " dropped (", reasons, ")");
  return out;
}

Aspect tunnels_aspect(const AspectView& view) {
  Aspect out{.type = "TunnelsReady", .is_well = true, .reason = "NotNeeded"};
  for (const std::string& name : view.report.tunnel_devices) {
    out.message += concat(out.message.empty() ? "" : ", ", name);
    if (name == ipip::name_of(ipip::DeviceKind::kIpip))
      out.message += concat(" (", ipip::to_string(view.ipip.implementation), ")");
    out.reason = "Programmed";
  }
  if (view.report.tunnel_counters != nullptr && !out.message.empty()) {
    out.message += tunnel_traffic(*view.report.tunnel_counters);
  }
  const auto add = [&out](std::string_view problem) {
    out.message += concat(out.message.empty() ? "" : "; ", problem);
    out.is_well = false;
    out.reason = "Failing";
  };
  if (view.lacks_ipip) add(concat("IP-in-IP: ", view.ipip.why));
  for (const auto& [handle, problem] : view.tunnel_problems) add(concat(handle, ": ", problem));
  return out;
}

}  // namespace

std::vector<Aspect> aspects_of(const AspectView& view) {
  return {ready_aspect(view), dataplane_aspect(view), tunnels_aspect(view)};
}

}  // namespace margay::agent
