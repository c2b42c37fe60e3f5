// The eBPF dataplane.
#include "agent/config/row.h"
#include "agent/config/settings_table.h"
#include "datastore/model/felix_bpf.h"

namespace margay::config::table {
namespace {

constexpr std::int64_t kInt32Max = 0x7fffffff;
constexpr std::int64_t kMaglevMax = 3000;

constexpr Setting map_size(std::string_view name, std::string_view fallback) {
  return never_none(within(row(name, Form::kInteger, fallback, kNotYet), 1, kInt32Max));
}

constexpr Setting kBpfRows[] = {
    row("bpfEnabled", Form::kBool, "false", kNotYet),
    never_none(word<model::BpfAttachType>("bpfAttachType", "Netkit", kNotYet)),
    row("bpfDataIfacePattern", Form::kPattern, "^((en|wl|ww|sl|ib)[Popsx].*|(eth|wlan|wwan|bond).*)", kNotYet),
    row("bpfL3IfacePattern", Form::kPattern, "", kNotYet),
    row("bpfDisableGROForIfaces", Form::kPattern, "", kNotYet),
    never_none(word<model::BpfConnectTimeLoadBalancing>("bpfConnectTimeLoadBalancing", "TCP", kNotYet)),
    row("bpfConnectTimeLoadBalancingEnabled", Form::kBool, "true", kNotYet),
    never_none(word<model::Switch>("bpfHostNetworkedNATWithoutCTLB", "Enabled", kNotYet)),
    never_none(word<model::BpfServiceMode>("bpfExternalServiceMode", "Tunnel", kNotYet)),
    row("bpfDSROptoutCIDRs", Form::kTexts, "", kNotYet),
    row("bpfExcludeCIDRsFromNAT", Form::kTexts, "", kNotYet),
    row("bpfExtToServiceConnmark", Form::kInteger, "0", kNotYet),
    never_none(word<model::BpfRpfMode>("bpfEnforceRPF", "Loose", kNotYet)),
    known_as("BPFConntrackCleanupMode", word<model::BpfConntrackMode>("bpfConntrackMode", "Auto", kNotYet)),
    never_none(word<model::BpfConntrackLogLevel>("bpfConntrackLogLevel", "Off", kNotYet)),
    row("bpfConntrackTimeouts", Form::kTimeouts,
        "CreationGracePeriod=10s,TCPSynSent=20s,TCPEstablished=1h,TCPFinsSeen=Auto,TCPResetSeen=40s,UDPTimeout=60s,"
        "GenericTimeout=10m,ICMPTimeout=5s",
        kNotYet),
    row("bpfHostConntrackBypass", Form::kBool, "false", kNotYet),
    row("bpfForceTrackPacketsFromIfaces", Form::kTexts, "docker+", kNotYet),
    map_size("bpfMapSizeConntrack", "512000"),
    row("bpfMapSizePerCpuConntrack", Form::kInteger, "0", kNotYet),
    never_none(word<model::BpfMapScaling>("bpfMapSizeConntrackScaling", "DoubleIfFull", kNotYet)),
    map_size("bpfMapSizeConntrackCleanupQueue", "100000"),
    map_size("bpfMapSizeNATFrontend", "65536"),
    map_size("bpfMapSizeNATBackend", "262144"),
    map_size("bpfMapSizeNATAffinity", "65536"),
    map_size("bpfMapSizeRoute", "262144"),
    map_size("bpfMapSizeIPSets", "1048576"),
    map_size("bpfMapSizeIfState", "1000"),
    row("bpfKubeProxyMinSyncPeriod", Form::kSeconds, "1", kNotYet),
    row("bpfKubeProxyHealthzPort", Form::kInteger, "10256", kNotYet),
    row("bpfKubeProxyIptablesCleanupEnabled", Form::kBool, "true", kNotYet),
    row("bpfPSNATPorts", Form::kText, "20000:29999", kNotYet),
    never_none(word<model::BpfRedirectToPeer>("bpfRedirectToPeer", "Enabled", kNotYet)),
    within(row("bpfMaglevMaxServices", Form::kInteger, "100", kNotYet), 1, kMaglevMax),
    within(row("bpfMaglevMaxEndpointsPerService", Form::kInteger, "100", kNotYet), 1, kMaglevMax),
    row("bpfIPFragmentReassemblyEnabled", Form::kBool, "true", kNotYet),
    row("bpfIPFragTimeout", Form::kSeconds, "", kNotYet),
    word<model::BpfOverlayHostSource>("bpfOverlayHostSourceIP", "TunnelAddress", kNotYet),
    row("bpfPolicyDebugEnabled", Form::kBool, "true", kNotYet),
    never_none(word<model::Switch>("bpfProfiling", "Disabled", kNotYet)),
    never_none(word<model::BpfLogLevel>("bpfLogLevel", "Off", kNotYet)),
    row("bpfLogFilters", Form::kTextMap, "", kNotYet),
    row("bpfCTLBLogFilter", Form::kText, "", kNotYet),
    never_none(row("bpfExportBufferSizeMB", Form::kInteger, "1", kNotYet)),
    row("bpfDisableUnprivileged", Form::kBool, "true", kNotYet),
    never_none(word<model::BpfJitHardening>("bpfJITHardening", "Auto", kNotYet)),
    row("cgroupV2Path", Form::kText, "", kNotYet),
};

}  // namespace

std::span<const Setting> bpf() { return kBpfRows; }

}  // namespace margay::config::table
