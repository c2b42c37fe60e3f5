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
