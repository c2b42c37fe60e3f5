#include "dataplane/iptables/commands.h"

#include <algorithm>

#include "base/core/text.h"
#include "dataplane/iptables/transaction.h"

namespace margay::iptables {
namespace {

// Besides waiting for the lock; a table of 100,000 rules takes some seconds.
constexpr Duration kWorkMax = std::chrono::seconds(60);

}  // namespace

std::string_view to_string(Backend backend) { return backend == Backend::kNft ? "nft" : "legacy"; }

std::string program_of(IpFamily family, Backend backend) {
  return concat(family == IpFamily::kV4 ? "iptables-" : "ip6tables-", to_string(backend));
}

exec::Command save_command(const TableId& table, Backend backend) {
  return {.program = program_of(table.family, backend) + "-save",
          .arguments = {"-t", std::string(to_string(table.table))},
          .time_limit = kWorkMax};
}

exec::Command save_all_command(IpFamily family, Backend backend) {
  return {.program = program_of(family, backend) + "-save", .time_limit = kWorkMax};
}

exec::Command restore_command(IpFamily family, Backend backend, std::string_view input, Duration lock_wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::max(lock_wait, Duration(1)));
  return {.program = program_of(family, backend) + "-restore",
          .arguments = {"--noflush", "--wait", concat(seconds.count())},
          .input = input,
          .time_limit = lock_wait + kWorkMax};
}

Error error_of(const exec::Command& command, const exec::Finished& finished) {
  const std::string end =
      finished.signal != 0 ? concat("ended by signal ", finished.signal) : concat("status ", finished.status);
  return Error{ErrorCode::kUnavailable, concat(exec::to_string(command), ": ", end, ": ", summary_of(finished.errors))};
}

bool is_locked_out(const exec::Finished& finished) { return finished.errors.find("xtables lock") != std::string::npos; }

}  // namespace margay::iptables
