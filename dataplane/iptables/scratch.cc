#include "dataplane/iptables/scratch.h"

#include "dataplane/iptables/commands.h"
#include "dataplane/iptables/transaction.h"
#include "dataplane/netlink/scratch_namespace.h"

namespace margay::iptables {
namespace {

// Long enough for another program's transaction on the lock that all namespaces share.
constexpr Duration kLockWait = std::chrono::seconds(10);

}  // namespace

Status try_in_scratch(exec::Runner& runner, IpFamily family, Backend backend, const ScratchLines& lines) {
  auto space = netlink::ScratchNamespace::enter();
  if (!space.ok()) return Error{ErrorCode::kPermissionDenied, space.error().message};
  std::string input;
  for (const auto& [table, of_table] : lines) {
    Transaction transaction(table);
    for (const std::string& line : of_table) transaction.line(line);
    input += transaction.input();
  }
  const exec::Command command = restore_command(family, backend, input, kLockWait);
  MARGAY_ASSIGN_OR_RETURN(const exec::Finished finished, runner.run(command));
  if (finished.is_success()) return ok_status();
  Error error = error_of(command, finished);
  if (!is_locked_out(finished)) error.code = ErrorCode::kUnsupported;
  return error;
}

}  // namespace margay::iptables
