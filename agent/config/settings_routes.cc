// NAT and routes.
#include "agent/config/row.h"
#include "agent/config/settings_table.h"
#include "datastore/model/felix_routes.h"

namespace margay::config::table {
namespace {

constexpr std::int64_t kPriorityMax = 2'147'483'646;
constexpr std::string_view kTables = "WireGuard, the only user of other routing tables";
constexpr std::string_view kMigration = "live migration of virtual machines";

constexpr Setting kRoutesRows[] = {
    row("natOutgoingAddress", Form::kText, "", kActs),
    row("natPortRange", Form::kText, "", kActs),
    word<model::NatOutgoingExclusions>("natOutgoingExclusions", "IPPoolsOnly", kActs),
    row("iptablesNATOutgoingInterfaceFilter", Form::kText, "", kActs),
    // Calico's default is 3 (RTPROT_BOOT), which says nothing of who made a route: ours are told by 80.
    within(row("deviceRouteProtocol", Form::kInteger, "80", kActs), 0, 255),
    row("deviceRouteSourceAddress", Form::kText, "", kActs),
    row("deviceRouteSourceAddressIPv6", Form::kText, "", kActs),
    row("removeExternalRoutes", Form::kBool, "true", kActs),
    row("routeRefreshInterval", Form::kSeconds, "90", kActs),
    noted("address managers other than Calico's", word<model::RouteSource>("routeSource", "CalicoIPAM", kNotYet)),
    row("routeSyncDisabled", Form::kBool, "false", kActs),
    noted(kTables, row("routeTableRanges", Form::kTableRanges, "1-250", kNotYet)),
    noted(kTables, row("routeTableRange", Form::kTableRange, "", kNotYet)),
    within(row("ipv4NormalRoutePriority", Form::kInteger, "1024", kActs), 1, kPriorityMax),
    within(row("ipv6NormalRoutePriority", Form::kInteger, "1024", kActs), 1, kPriorityMax),
    noted(kMigration, within(row("ipv4ElevatedRoutePriority", Form::kInteger, "512", kNotYet), 1, kPriorityMax)),
    noted(kMigration, within(row("ipv6ElevatedRoutePriority", Form::kInteger, "512", kNotYet), 1, kPriorityMax)),
    noted(kMigration, row("liveMigrationRouteConvergenceTime", Form::kSeconds, "30", kNotYet)),
    word<model::ProgramClusterRoutes>("programClusterRoutes", "EnabledIPIPOnly", kActs),
    word<model::LocalSubnetReachability>("localSubnetL2Reachability", "Disabled", kNotYet),
    row("localSubnetL2ReachabilityRefreshInterval", Form::kSeconds, "120", kNotYet),
};

}  // namespace

std::span<const Setting> routes() { return kRoutesRows; }

}  // namespace margay::config::table
