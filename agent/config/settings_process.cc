// The process of the agent itself: log, health, metrics.
#include "agent/config/row.h"
#include "agent/config/settings_table.h"
#include "datastore/model/felix_process.h"

namespace margay::config::table {
namespace {

constexpr std::string_view kClientAuth[] = {"RequireAndVerifyClientCert", "RequireAnyClientCert",
                                            "VerifyClientCertIfGiven", "NoClientCert"};

constexpr Setting client_auth() {
  Setting setting = row("prometheusMetricsClientAuth", Form::kWord, "NoClientCert", kActs);
  setting.words = kClientAuth;
  return setting;
}

constexpr Setting kProcessRows[] = {
    word<model::LogSeverity>("logSeverityScreen", "Info", kActs),
    // The log goes to standard error, and from there to where systemd or the container runtime keeps it; its lines name
    // no source files.
    word<model::LogSeverity>("logSeverityFile", "Info", kNone),
    word<model::LogSeverity>("logSeveritySys", "Info", kNone),
    row("logFilePath", Form::kText, "/var/log/calico/felix.log", kNone),
    row("logDebugFilenameRegex", Form::kPattern, "", kNone),
    row("debugDisableLogDropping", Form::kBool, "false", kNone),
    row("healthEnabled", Form::kBool, "false", kActs),
    row("healthHost", Form::kText, "localhost", kActs),
    row("healthPort", Form::kInteger, "9099", kActs),
    row("healthTimeoutOverrides", Form::kNamedTimeouts, "", kActs),
    row("dataplaneWatchdogTimeout", Form::kSeconds, "90", kActs),
    row("prometheusMetricsEnabled", Form::kBool, "false", kActs),
    row("prometheusMetricsHost", Form::kText, "", kActs),
    row("prometheusMetricsPort", Form::kInteger, "9091", kActs),
    row("prometheusMetricsCAFile", Form::kText, "", kActs),
    row("prometheusMetricsCertFile", Form::kText, "", kActs),
    row("prometheusMetricsKeyFile", Form::kText, "", kActs),
    client_auth(),
    row("prometheusGoMetricsEnabled", Form::kBool, "true", kNone),
    row("prometheusProcessMetricsEnabled", Form::kBool, "true", kActs),
    row("prometheusWireGuardMetricsEnabled", Form::kBool, "true", kNotYet),
    within(row("goGCThreshold", Form::kInteger, "40", kNone), -1, 1'000'000),
    row("goMaxProcs", Form::kInteger, "-1", kNone),
    row("goMemoryLimitMB", Form::kInteger, "-1", kNone),
    row("debugHost", Form::kText, "localhost", kNone),
    row("debugPort", Form::kInteger, "", kNone),
    row("debugMemoryProfilePath", Form::kText, "", kNone),
    row("debugSimulateCalcGraphHangAfter", Form::kSeconds, "", kNone),
    row("debugSimulateDataplaneHangAfter", Form::kSeconds, "", kNone),
    row("debugSimulateDataplaneApplyDelay", Form::kSeconds, "", kNone),
    row("featureDetectOverride", Form::kText, "", kNotYet),
    row("featureGates", Form::kText, "", kNotYet),
    row("useInternalDataplaneDriver", Form::kBool, "true", kNone),
    never_none(row("dataplaneDriver", Form::kText, "calico-iptables-plugin", kNone)),
    // Nothing is reported to anybody, whatever these say.
    row("usageReportingEnabled", Form::kBool, "true", kNone),
    known_as("UsageReportingInitialDelaySecs", row("usageReportingInitialDelay", Form::kSeconds, "300", kNone)),
    known_as("UsageReportingIntervalSecs", row("usageReportingInterval", Form::kSeconds, "86400", kNone)),
};

}  // namespace

std::span<const Setting> process() { return kProcessRows; }

}  // namespace margay::config::table
