#include "agent/main/dataplane_metrics.h"

#include <array>
#include <optional>
#include <utility>

#include "base/core/text.h"

namespace margay::agent {
namespace {

using telemetry::Labels;

// "iptables filter v4"
std::optional<Labels> table_of(const std::string& name) {
  const auto words = split(name, ' ');
  if (words.size() != 3 || words[0] != "iptables") return std::nullopt;
  const bool is_family = words[2] == "v4" || words[2] == "v6";
  if (!is_family) return std::nullopt;
  return Labels{{"ip_version", std::string(words[2].substr(1))}, {"table", std::string(words[1])}};
}

std::uint64_t count_of(const DriverState& state, const char* name) {
  const auto at = state.counts.find(name);
  return at == state.counts.end() ? 0 : at->second;
}

struct Counted {
  const char* count;  // in DriverState::counts
  const char* ours;
  const char* alias;
  const char* help;
};
// Of tunnels. A node's are by node and direction, a device's by device and direction.
constexpr const char* kNodePackets = "margay_tunnel_packets_total";
constexpr const char* kNodeBytes = "margay_tunnel_inner_bytes_total";
constexpr const char* kNodeDrops = "margay_tunnel_node_drops_total";
constexpr const char* kNodeTooBig = "margay_tunnel_path_mtu_messages_total";
constexpr const char* kDirections[] = {"in", "out"};

constexpr std::array<Counted, 5> kCounted = {{
    {"restores", "margay_iptables_restores_total", "felix_iptables_restore_calls", "Runs of iptables-restore."},
    {"restoreErrors", "margay_iptables_restore_errors_total", "felix_iptables_restore_errors",
     "Runs of iptables-restore that failed; what they should do is tried again."},
    {"saves", "margay_iptables_saves_total", "felix_iptables_save_calls", "Runs of iptables-save."},
    {"saveErrors", "margay_iptables_save_errors_total", "felix_iptables_save_errors",
     "Runs of iptables-save that failed."},
    {"lines", "margay_iptables_lines_total", "felix_iptables_lines_executed", "Lines given to iptables-restore."},
}};

}  // namespace

std::uint64_t DataplaneMetrics::grown(const std::string& name, std::uint64_t count) {
  std::uint64_t& before = before_[name];
  const std::uint64_t by = count > before ? count - before : 0;
  before = count;
  return by;
}

void DataplaneMetrics::note_driver(const std::string& name, const DriverState& state) {
  const Labels labels{{"driver", name}};
  registry_.gauge({"margay_dataplane_desired", "Objects that are wanted, by driver.", ""}, labels)
      .set(static_cast<double>(state.desired));
  registry_.gauge({"margay_dataplane_actual", "Objects of ours in the kernel, by driver.", ""}, labels)
      .set(static_cast<double>(state.actual));
  if (grown(name + " writes", state.applied) > 0) agent_.observe_apply(name, state.last_apply);
  if (const std::uint64_t drifts = grown(name + " drifts", count_of(state, "drifts"))) {
    agent_.count_repairs(name, drifts);
  }
  if (state.failed > 0)
    agent_.count_apply_error(
        name, to_string(state.failures.empty() ? ErrorCode::kUnavailable : state.failures.front().error.code));
}

void DataplaneMetrics::note_tables(const DataplaneReport& report) {
  std::uint64_t chains = 0, rules = 0;
  std::map<std::string, std::uint64_t> totals;
  for (const auto& [name, state] : report.drivers) {
    const auto labels = table_of(name);
    if (!labels) continue;
    const std::uint64_t own_rules = count_of(state, "rules");
    chains += state.actual;
    rules += own_rules;
    registry_.gauge({"felix_iptables_chains", "Chains of ours.", ""}, *labels).set(static_cast<double>(state.actual));
    registry_.gauge({"felix_iptables_rules", "Rules of ours.", ""}, *labels).set(static_cast<double>(own_rules));
    for (const Counted& each : kCounted) {
      const std::uint64_t count = count_of(state, each.count);
      totals[each.alias] += count;
      registry_.counter({each.ours, each.help, ""}, *labels).increment(grown(concat(name, " ", each.count), count));
    }
  }
  for (const Counted& each : kCounted) {
    registry_.gauge({each.alias, each.help, ""}).set(static_cast<double>(totals[each.alias]));
  }
  agent_.set_objects("chains", static_cast<double>(chains));
  agent_.set_objects("rules", static_cast<double>(rules));
}

void DataplaneMetrics::note_times(const DataplaneReport& report) {
  if (report.applies == std::exchange(applies_, report.applies)) return;
  agent_.observe_apply("all", report.last_apply);
}

void DataplaneMetrics::add(const telemetry::MetricInfo& info, const Labels& labels, std::uint64_t count) {
  std::string name = info.name;
  for (const auto& [key, value] : labels) name += concat(" ", value);
  registry_.counter(info, labels).increment(grown(name, count));
}

void DataplaneMetrics::note_node(const std::string& node, const NodeCounters& counters) {
  const auto both = [&](const char* name, const char* help, const char* unit, std::uint64_t in, std::uint64_t out) {
    add({name, help, unit}, {{"node", node}, {"direction", "in"}}, in);
    add({name, help, unit}, {{"node", node}, {"direction", "out"}}, out);
  };
  both(kNodePackets, "Packets through the IP-in-IP tunnel to a node, where eBPF carries it.", "", counters.packets_in,
       counters.packets_out);
  both(kNodeBytes, "Bytes of the packets inside.", "bytes", counters.bytes_in, counters.bytes_out);
  both(kNodeDrops, "Packets of a node's tunnel that were dropped.", "", counters.drops_in, counters.drops_out);
  add({kNodeTooBig, "Messages of routers that the way to a node is narrower, passed on to pods.", ""}, {{"node", node}},
      counters.too_big_on_the_way);
}

void DataplaneMetrics::note_device(const std::string& device, const DeviceCounters& counters) {
  const auto both = [&](const char* name, const char* help, const char* unit, std::uint64_t in, std::uint64_t out) {
    add({name, help, unit}, {{"device", device}, {"direction", "in"}}, in);
    add({name, help, unit}, {{"device", device}, {"direction", "out"}}, out);
  };
  both("margay_tunnel_device_packets_total", "Packets through a tunnel's device.", "", counters.packets_in,
       counters.packets_out);
  both("margay_tunnel_device_inner_bytes_total", "Bytes of the packets inside.", "bytes", counters.bytes_in,
       counters.bytes_out);
  both("margay_tunnel_device_errors_total", "Packets that a tunnel's device could not make sense of, or not send.", "",
       counters.errors_in, counters.errors_out);
  both("margay_tunnel_device_drops_total", "Packets that a tunnel's device dropped.", "", counters.drops_in,
       counters.drops_out);
}

void DataplaneMetrics::forget_nodes(const std::set<std::string>& present) {
  for (const std::string& node : nodes_) {
    if (present.contains(node)) continue;
    for (const char* name : {kNodePackets, kNodeBytes, kNodeDrops}) {
      for (const char* direction : kDirections) {
        registry_.remove(name, {{"node", node}, {"direction", direction}});
        before_.erase(concat(name, " ", direction, " ", node));
      }
    }
    registry_.remove(kNodeTooBig, {{"node", node}});
    before_.erase(concat(kNodeTooBig, " ", node));
  }
  nodes_ = present;
}

void DataplaneMetrics::note_tunnels(const TunnelCounters& counters, const std::map<IpAddress, std::string>& names) {
  std::set<std::string> present;
  for (const auto& [address, each] : counters.nodes) {
    const auto name = names.find(address);
    const std::string node = name == names.end() ? address.to_string() : name->second;
    if (present.insert(node).second) note_node(node, each);
  }
  for (const auto& [reason, count] : counters.drops) {
    add({"margay_tunnel_drops_total", "Packets that IP-in-IP by eBPF dropped.", ""}, {{"reason", reason}}, count);
  }
  for (const auto& [device, each] : counters.devices) note_device(device, each);
  forget_nodes(present);
}

void DataplaneMetrics::note(const DataplaneReport& report) {
  for (const auto& [name, state] : report.drivers) note_driver(name, state);
  note_tables(report);
  note_times(report);
  const auto count = [&](const char* driver, const char* kind) {
    const auto at = report.drivers.find(driver);
    if (at != report.drivers.end()) agent_.set_objects(kind, static_cast<double>(at->second.actual));
  };
  count("ipset", "sets");
  count("routes", "routes");
  count("neighbours", "neighbours");
}

}  // namespace margay::agent
