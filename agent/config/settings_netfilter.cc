// Iptables, nftables and IP sets.
#include "agent/config/row.h"
#include "agent/config/settings_table.h"
#include "datastore/model/felix_netfilter.h"

namespace margay::config::table {
namespace {

constexpr Setting kNetfilterRows[] = {
    word<model::IptablesBackend>("iptablesBackend", "Auto", kActs),
    word<model::NftablesMode>("nftablesMode", "Auto", kNotYet),
    never_none(word<model::ChainInsertMode>("chainInsertMode", "Insert", kActs)),
    never_none(row("iptablesMarkMask", Form::kMark, "0xffff0000", kActs)),
    never_none(row("nftablesMarkMask", Form::kMark, "0xffff0000", kNotYet)),
    never_none(word<model::AllowAction>("iptablesFilterAllowAction", "Accept", kActs)),
    never_none(word<model::AllowAction>("iptablesMangleAllowAction", "Accept", kActs)),
    never_none(word<model::DenyAction>("iptablesFilterDenyAction", "Drop", kActs)),
    never_none(word<model::AllowAction>("nftablesFilterAllowAction", "Accept", kNotYet)),
    never_none(word<model::AllowAction>("nftablesMangleAllowAction", "Accept", kNotYet)),
    never_none(word<model::DenyAction>("nftablesFilterDenyAction", "Drop", kNotYet)),
    row("iptablesRefreshInterval", Form::kSeconds, "180", kActs),
    row("nftablesRefreshInterval", Form::kSeconds, "180", kNotYet),
    row("ipsetsRefreshInterval", Form::kSeconds, "90", kActs),
    noted("with the legacy back end; the nft one is told what others write",
          known_as("IptablesPostWriteCheckIntervalSecs",
                   row("iptablesPostWriteCheckInterval", Form::kSeconds, "5", kActs))),
    // Since iptables 1.8.8 who waits for the lock is woken when it is free; the programs ignore an interval.
    known_as("IptablesLockProbeIntervalMillis", row("iptablesLockProbeInterval", Form::kMilliseconds, "50", kNone)),
    never_none(within(row("maxIpsetSize", Form::kInteger, "1048576", kActs), 1, 0x7fffffff)),
    noted("with kube-proxy in IPVS mode", row("kubeNodePortRanges", Form::kTexts, "30000:32767", kActs)),
    word<model::ServiceLoopPrevention>("serviceLoopPrevention", "Drop", kActs),
    row("disableConntrackInvalidCheck", Form::kBool, "false", kActs),
    row("logPrefix", Form::kText, "calico-packet", kActs),
    row("logActionRateLimit", Form::kText, "", kActs),
    within(row("logActionRateLimitBurst", Form::kInteger, "5", kActs), 0, 9999),
    word<model::FlowTableOffload>("nftablesFlowTableOffload", "Disabled", kNotYet),
    row("nftablesFlowTableDataIfacePattern", Form::kPattern, "", kNotYet),
    row("xdpEnabled", Form::kBool, "true", kNotYet),
    row("genericXDPEnabled", Form::kBool, "false", kNotYet),
    row("xdpRefreshInterval", Form::kSeconds, "90", kNotYet),
};

}  // namespace

std::span<const Setting> netfilter() { return kNetfilterRows; }

}  // namespace margay::config::table
