// IP-in-IP, VXLAN and WireGuard.
#include "agent/config/row.h"
#include "agent/config/settings_table.h"
#include "datastore/model/felix_tunnels.h"

namespace margay::config::table {
namespace {

constexpr Setting kTunnelsRows[] = {
    // Not given: on where an IPPool asks for it.
    known_as("IpInIpEnabled", row("ipipEnabled", Form::kBool, "", kActs)),
    known_as("IpInIpMtu", row("ipipMTU", Form::kInteger, "0", kActs)),
    row("vxlanEnabled", Form::kBool, "", kActs),
    row("vxlanMTU", Form::kInteger, "0", kActs),
    row("vxlanMTUV6", Form::kInteger, "0", kActs),
    row("vxlanPort", Form::kInteger, "4789", kActs),
    row("vxlanVNI", Form::kInteger, "4096", kActs),
    row("wireguardEnabled", Form::kBool, "false", kNotYet),
    row("wireguardEnabledV6", Form::kBool, "false", kNotYet),
    row("wireguardHostEncryptionEnabled", Form::kBool, "false", kNotYet),
    row("wireguardListeningPort", Form::kInteger, "51820", kNotYet),
    row("wireguardListeningPortV6", Form::kInteger, "51821", kNotYet),
    never_none(row("wireguardInterfaceName", Form::kText, "wireguard.cali", kNotYet)),
    never_none(row("wireguardInterfaceNameV6", Form::kText, "wg-v6.cali", kNotYet)),
    row("wireguardMTU", Form::kInteger, "0", kNotYet),
    row("wireguardMTUV6", Form::kInteger, "0", kNotYet),
    row("wireguardRoutingRulePriority", Form::kInteger, "99", kNotYet),
    known_as("WireguardPersistentKeepAlive", row("wireguardKeepAlive", Form::kSeconds, "0", kNotYet)),
    row("wireguardThreadingEnabled", Form::kBool, "false", kNotYet),
};

}  // namespace

std::span<const Setting> tunnels() { return kTunnelsRows; }

}  // namespace margay::config::table
