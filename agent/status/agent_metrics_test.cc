#include "agent/status/agent_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/telemetry/exposition.h"

namespace margay::status {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AgentMetricsTest : public ::testing::Test {
 protected:
  std::string text() { return telemetry::render(registry, telemetry::Exposition::kPrometheusText); }

  telemetry::Registry registry;
  AgentMetrics metrics{registry};
};

TEST_F(AgentMetricsTest, OldNamesHaveTheSameValues) {
  metrics.local_endpoints.set(12);
  metrics.set_objects("sets", 345);
  metrics.set_objects("links", 3);
  metrics.set_in_sync(true);
  const std::string all = text();
  for (const char* line :
       {"\nmargay_local_endpoints 12\n", "\nfelix_active_local_endpoints 12\n", "\nmargay_objects{kind=\"sets\"} 345\n",
        "\nfelix_ipsets_calico 345\n", "\nmargay_objects{kind=\"links\"} 3\n", "\nmargay_datastore_in_sync 1\n",
        "\nfelix_resync_state 3\n"}) {
    EXPECT_THAT(all, HasSubstr(line));
  }
}

TEST_F(AgentMetricsTest, AnInfoIsOneSeries) {
  metrics.set_config_hash("aa");
  metrics.set_config_hash("bb");
  metrics.set_dataplane_mode("iptables", "nft back end");
  EXPECT_THAT(text(), HasSubstr("margay_config_hash_info{hash=\"bb\"} 1"));
  EXPECT_THAT(text(), Not(HasSubstr("aa")));
  EXPECT_THAT(text(), HasSubstr("margay_dataplane_mode_info{mode=\"iptables\",reason=\"nft back end\"} 1"));
}

TEST_F(AgentMetricsTest, ApplyingIsTimedAndCounted) {
  metrics.observe_apply("filter", std::chrono::milliseconds(3));
  EXPECT_THAT(text(), Not(HasSubstr("felix_int_dataplane_apply_time_seconds")));
  metrics.observe_apply("all", std::chrono::milliseconds(5));
  metrics.count_apply_error("filter", "busy");
  metrics.count_repairs("route", 2);
  metrics.count_repairs("route", 1);
  const std::string all = text();
  for (const char* line :
       {"margay_apply_duration_seconds_count{table=\"all\"} 1\n",
        "margay_apply_duration_seconds_count{table=\"filter\"} 1\n", "felix_int_dataplane_apply_time_seconds_count 1\n",
        "margay_apply_errors_total{reason=\"busy\",table=\"filter\"} 1\n",
        "margay_resync_repairs_total{kind=\"route\"} 3\n"}) {
    EXPECT_THAT(all, HasSubstr(line));
  }
}

}  // namespace
}  // namespace margay::status
