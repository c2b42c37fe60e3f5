// Interfaces and the host.
#include "agent/config/row.h"
#include "agent/config/settings_table.h"
#include "datastore/model/felix_host.h"

namespace margay::config::table {
namespace {

constexpr Setting kHostRows[] = {
    never_none(row("interfacePrefix", Form::kText, "cali", kActs)),
    row("interfaceExclude", Form::kText, "kube-ipvs0", kActs),
    row("interfaceRefreshInterval", Form::kSeconds, "90", kActs),
    row("mtuIfacePattern", Form::kPattern, "^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)", kActs),
    row("requireMTUFile", Form::kBool, "false", kNotYet),
    row("endpointStatusPathPrefix", Form::kText, "/var/run/calico", kActs),
    row("ipv6Support", Form::kBool, "true", kActs),
    word<model::Switch>("ipForwarding", "Enabled", kActs),
    never_none(word<model::EndpointToHostAction>("defaultEndpointToHostAction", "Drop", kActs)),
    row("failsafeInboundHostPorts", Form::kPorts,
        "tcp:22,udp:68,tcp:179,tcp:2379,tcp:2380,tcp:5473,tcp:6443,tcp:6666,tcp:6667", kActs),
    row("failsafeOutboundHostPorts", Form::kPorts,
        "udp:53,udp:67,tcp:179,tcp:2379,tcp:2380,tcp:5473,tcp:6443,tcp:6666,tcp:6667", kActs),
    word<model::SourceSpoofing>("workloadSourceSpoofing", "Disabled", kActs),
    row("allowVXLANPacketsFromWorkloads", Form::kBool, "false", kActs),
    row("allowIPIPPacketsFromWorkloads", Form::kBool, "false", kActs),
    known_as("ExternalNodesCIDRList", row("externalNodesList", Form::kTexts, "", kActs)),
    word<model::Switch>("floatingIPs", "Disabled", kNotYet),
    never_none(word<model::AwsSrcDstCheck>("awsSrcDstCheck", "DoNothing", kNotYet)),
    // The kernel answers while it is asked.
    known_as("NetlinkTimeoutSecs", row("netlinkTimeout", Form::kSeconds, "10", kNone)),
    row("sidecarAccelerationEnabled", Form::kBool, "false", kNone),
    word<model::Switch>("windowsManageFirewallRules", "Disabled", kNone),
};

}  // namespace

std::span<const Setting> host() { return kHostRows; }

}  // namespace margay::config::table
