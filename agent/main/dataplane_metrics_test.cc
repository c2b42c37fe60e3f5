#include "agent/main/dataplane_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/telemetry/exposition.h"

namespace margay::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DataplaneMetricsTest : public testing::Test {
 protected:
  std::string text() { return telemetry::render(registry_, telemetry::Exposition::kPrometheusText); }
  static DriverState table(std::uint64_t rules, std::uint64_t restores, std::uint64_t drifts) {
    DriverState state;
    state.applied = restores;
    state.actual = 12;
    state.desired = 13;
    state.counts = {{"rules", rules}, {"restores", restores}, {"drifts", drifts}, {"lines", 10 * restores}};
    return state;
  }

  telemetry::Registry registry_;
  status::AgentMetrics agent_{registry_};
  DataplaneMetrics metrics_{registry_, agent_};
};

TEST_F(DataplaneMetricsTest, TablesAreToldApartAndSummedUp) {
  DataplaneReport report;
  report.drivers["iptables filter v4"] = table(30, 2, 0);
  report.drivers["iptables nat v6"] = table(4, 1, 0);
  report.drivers["iptables back end"] = {};
  report.drivers["ipset"].actual = 7;
  metrics_.note(report);
  const std::string all = text();
  for (const char* line :
       {"\nfelix_iptables_chains{ip_version=\"4\",table=\"filter\"} 12\n",
        "\nfelix_iptables_rules{ip_version=\"6\",table=\"nat\"} 4\n", "\nfelix_iptables_restore_calls 3\n",
        "\nfelix_iptables_lines_executed 30\n", "\nfelix_ipsets_calico 7\n",
        "\nmargay_iptables_restores_total{ip_version=\"4\",table=\"filter\"} 2\n",
        "\nmargay_objects{kind=\"rules\"} 34\n", "\nmargay_dataplane_desired{driver=\"iptables filter v4\"} 13\n",
        "\nmargay_dataplane_actual{driver=\"ipset\"} 7\n"}) {
    EXPECT_THAT(all, HasSubstr(line));
  }
  EXPECT_THAT(all, Not(HasSubstr("table=\"back\"")));
}

TEST_F(DataplaneMetricsTest, WhatIsToldTwiceCountsOnce) {
  DataplaneReport report;
  report.applies = 5;
  report.drivers["iptables filter v4"] = table(30, 2, 3);
  for (int i = 0; i < 3; ++i) metrics_.note(report);
  report.drivers["iptables filter v4"] = table(31, 3, 4);
  report.applies = 6;
  metrics_.note(report);
  const std::string all = text();
  for (const char* line : {"margay_resync_repairs_total{kind=\"iptables filter v4\"} 4\n",
                           "margay_iptables_restores_total{ip_version=\"4\",table=\"filter\"} 3\n",
                           "felix_int_dataplane_apply_time_seconds_count 2\n",
                           "margay_apply_duration_seconds_count{table=\"iptables filter v4\"} 2\n"}) {
    EXPECT_THAT(all, HasSubstr(line));
  }
}

TEST_F(DataplaneMetricsTest, ErrorsAreCountedByTheirCode) {
  DataplaneReport report;
  DriverState& state = report.drivers["ipset"];
  state.failed = 2;
  state.failures.push_back({"set a", Error{ErrorCode::kPermissionDenied, "no"}});
  metrics_.note(report);
  EXPECT_THAT(text(), HasSubstr("table=\"ipset\"} 1\n"));
}

}  // namespace
}  // namespace margay::agent
