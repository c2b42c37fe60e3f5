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

TEST_F(DataplaneMetricsTest, TunnelsAreCountedByNodeReasonAndDevice) {
  const IpAddress b = IpAddress::parse("192.0.2.2").value(), c = IpAddress::parse("192.0.2.3").value();
  TunnelCounters counters;
  counters.nodes[b] = {.packets_in = 5, .bytes_in = 500, .packets_out = 7, .drops_in = 2, .too_big_on_the_way = 3};
  counters.nodes[c].packets_out = 1;
  counters.drops["spoofed source"] = 2;
  counters.devices["tunl0"] = {.packets_in = 9, .errors_in = 4, .drops_out = 6};
  const std::map<IpAddress, std::string> names{{b, "node-b"}};
  for (int i = 0; i < 2; ++i) metrics_.note_tunnels(counters, names);
  std::string all = text();
  for (const char* line : {"\nmargay_tunnel_packets_total{direction=\"in\",node=\"node-b\"} 5\n",
                           "\nmargay_tunnel_packets_total{direction=\"out\",node=\"node-b\"} 7\n",
                           "\nmargay_tunnel_packets_total{direction=\"out\",node=\"192.0.2.3\"} 1\n",
                           "\nmargay_tunnel_inner_bytes_total{direction=\"in\",node=\"node-b\"} 500\n",
                           "\nmargay_tunnel_node_drops_total{direction=\"in\",node=\"node-b\"} 2\n",
                           "\nmargay_tunnel_path_mtu_messages_total{node=\"node-b\"} 3\n",
                           "\nmargay_tunnel_drops_total{reason=\"spoofed source\"} 2\n",
                           "\nmargay_tunnel_device_packets_total{device=\"tunl0\",direction=\"in\"} 9\n",
                           "\nmargay_tunnel_device_errors_total{device=\"tunl0\",direction=\"in\"} 4\n",
                           "\nmargay_tunnel_device_drops_total{device=\"tunl0\",direction=\"out\"} 6\n"}) {
    EXPECT_THAT(all, HasSubstr(line));
  }
  counters.nodes.erase(b);
  metrics_.note_tunnels(counters, names);
  EXPECT_THAT(text(), Not(HasSubstr("node-b"))) << "a node that has gone";
  counters.nodes[b].packets_in = 1;
  metrics_.note_tunnels(counters, names);
  all = text();
  EXPECT_THAT(all, HasSubstr("\nmargay_tunnel_packets_total{direction=\"in\",node=\"node-b\"} 1\n")) << "and is new";
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
