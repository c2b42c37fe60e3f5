// Flow logs, other programs and OpenStack.
#include "agent/config/row.h"
#include "agent/config/settings_table.h"
#include "datastore/model/felix_reporting.h"

namespace margay::config::table {
namespace {

constexpr Setting kReportingRows[] = {
    row("flowLogsFlushInterval", Form::kSeconds, "300", kNotYet),
    row("flowLogsGoldmaneServer", Form::kText, "", kNotYet),
    word<model::Switch>("flowLogsLocalReporter", "Disabled", kNotYet),
    word<model::FlowEvaluationMode>("flowLogsPolicyEvaluationMode", "Continuous", kNotYet),
    row("flowLogsCollectorDebugTrace", Form::kBool, "false", kNotYet),
    row("policySyncPathPrefix", Form::kText, "", kNotYet),
    word<model::Switch>("istioAmbientMode", "Disabled", kNotYet),
    row("istioDSCPMark", Form::kText, "23", kNotYet),
    row("endpointReportingEnabled", Form::kBool, "false", kNone),
    known_as("EndpointReportingDelaySecs", row("endpointReportingDelay", Form::kSeconds, "1", kNone)),
    known_as("ReportingIntervalSecs", row("reportingInterval", Form::kSeconds, "30", kNone)),
    known_as("ReportingTTLSecs", row("reportingTTL", Form::kSeconds, "90", kNone)),
    row("metadataAddr", Form::kText, "127.0.0.1", kNone),
    row("metadataPort", Form::kInteger, "8775", kNone),
    row("openstackRegion", Form::kText, "", kNone),
};

}  // namespace

std::span<const Setting> reporting() { return kReportingRows; }

}  // namespace margay::config::table
