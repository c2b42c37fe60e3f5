// Flow logs, other programs and OpenStack of FelixConfiguration.
#include "datastore/codec/archive.h"
#include "datastore/codec/felix_fields.h"

namespace margay::codec {

namespace {

template <class Archive, Is<model::FelixReporting> S>
void list_reporting(Archive& a, S& s) {
  a.field("flowLogsFlushInterval", s.flow_logs_flush_interval);
  a.field("flowLogsGoldmaneServer", s.flow_logs_goldmane_server);
  a.field("flowLogsLocalReporter", s.flow_logs_local_reporter);
  a.field("flowLogsPolicyEvaluationMode", s.flow_logs_policy_evaluation_mode);
  a.field("flowLogsCollectorDebugTrace", s.flow_logs_collector_debug_trace);
  a.field("policySyncPathPrefix", s.policy_sync_path_prefix);
  a.field("istioAmbientMode", s.istio_ambient_mode);
  a.field("istioDSCPMark", s.istio_dscp_mark);
  a.field("endpointReportingEnabled", s.endpoint_reporting_enabled);
  a.field("endpointReportingDelay", s.endpoint_reporting_delay);
  a.field("reportingInterval", s.reporting_interval);
  a.field("reportingTTL", s.reporting_ttl);
  a.field("metadataAddr", s.metadata_addr);
  a.field("metadataPort", s.metadata_port);
  a.field("openstackRegion", s.openstack_region);
}

}  // namespace

void fields(Reader& a, model::FelixReporting& s) { list_reporting(a, s); }
void fields(Writer& a, const model::FelixReporting& s) { list_reporting(a, s); }

}  // namespace margay::codec
