// How the programs of iptables are called. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/core/time.h"
#include "dataplane/exec/runner.h"
#include "dataplane/iptables/backend.h"
#include "dataplane/iptables/rule.h"

namespace margay::iptables {

// "ip6tables-legacy"
std::string program_of(IpFamily family, Backend backend);

// What is in one table.
exec::Command save_command(const TableId& table, Backend backend);
// What is in all tables that were used; uses none for the first time.
exec::Command save_all_command(IpFamily family, Backend backend);
// `input` must live until it was run. `lock_wait`: how long for the lock all users of the legacy back end share.
exec::Command restore_command(IpFamily family, Backend backend, std::string_view input, Duration lock_wait);

// The command's words; kUnavailable: it may work another time.
Error error_of(const exec::Command& command, const exec::Finished& finished);
// Another user of iptables held the lock all the time.
bool is_locked_out(const exec::Finished& finished);

}  // namespace margay::iptables
