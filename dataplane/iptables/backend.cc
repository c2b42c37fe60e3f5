#include "dataplane/iptables/backend.h"

#include <array>
#include <optional>
#include <utility>

#include "base/core/text.h"
#include "dataplane/iptables/commands.h"
#include "dataplane/iptables/saved_table.h"
#include "dataplane/iptables/scratch.h"
#include "dataplane/iptables/table_driver.h"

namespace margay::iptables {
namespace {

constexpr std::array kTables = {Table::kRaw, Table::kMangle, Table::kNat, Table::kFilter};

// Chains the kubelet makes to tell others which back end its host uses (Kubernetes 1.24 and later; the other one since
// 1.17).
constexpr std::array<std::string_view, 2> kKubeletChains = {":KUBE-IPTABLES-HINT ", ":KUBE-KUBELET-CANARY "};

// What was found of one back end.
struct Found {
  std::optional<Error> failure;  // it does not work
  std::size_t others = 0;        // rules
  std::size_t ours = 0;
  bool has_kubelet = false;
  std::set<TableId> tables;  // with chains of ours

  [[nodiscard]] bool is_empty() const { return others == 0 && ours == 0 && !has_kubelet; }
};

void count(std::string_view saved, IpFamily family, Found& found) {
  std::optional<TableId> table;
  for (const std::string_view line : split(saved, '\n')) {
    if (line.starts_with('*')) {
      table.reset();
      for (const Table one : kTables) {
        if (line.substr(1) == to_string(one)) table = TableId{family, one};
      }
    } else if (line.starts_with(':')) {
      if (line.substr(1).starts_with(kChainPrefix) && table) found.tables.insert(*table);
      for (const std::string_view chain : kKubeletChains) found.has_kubelet |= line.starts_with(chain);
    } else if (line.starts_with("-A ")) {
      const bool is_ours = line.substr(3).starts_with(kChainPrefix) || find_mark(line);
      ++(is_ours ? found.ours : found.others);
    }
  }
}

// It can be read; can it be written?
void try_to_write(exec::Runner& runner, Backend backend, Found& found) {
  const Status tried = try_in_scratch(
      runner, IpFamily::kV4, backend,
      {{Table::kFilter,
        {":margay-try - -", "-A margay-try -m comment --comment \"margay:try\" -j DROP", "-A FORWARD -j margay-try"}}});
  if (!tried.ok() && tried.error().code != ErrorCode::kPermissionDenied) found.failure = tried.error();
}

// Both families, but IPv6 may be missing on the machine.
Found look(exec::Runner& runner, Backend backend) {
  Found found;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    const exec::Command command = save_all_command(family, backend);
    const auto finished = runner.run(command);
    if (finished.ok() && finished->is_success()) {
      count(finished->output, family, found);
    } else if (family == IpFamily::kV4) {
      found.failure = finished.ok() ? error_of(command, *finished) : finished.error();
      return found;
    }
  }
  try_to_write(runner, backend, found);
  return found;
}

std::string name_of(Backend backend) { return concat("iptables-", to_string(backend)); }

BackendChoice choose_between(const Found& nft, const Found& legacy) {
  const auto by = [](bool is_nft, std::string_view why) {
    const Backend backend = is_nft ? Backend::kNft : Backend::kLegacy;
    return BackendChoice{backend, concat(name_of(backend), " ", why), {}};
  };
  if (nft.has_kubelet != legacy.has_kubelet) return by(nft.has_kubelet, "is what the kubelet uses");
  if (nft.others != legacy.others) {
    const bool is_nft = nft.others > legacy.others;
    const auto& [more, less] = is_nft ? std::pair(nft.others, legacy.others) : std::pair(legacy.others, nft.others);
    return by(is_nft, concat("has ", more, " rules of others, the other one ", less));
  }
  if ((nft.ours == 0) != (legacy.ours == 0)) return by(nft.ours > 0, "has our rules from an earlier life");
  return by(true, "is what new systems use");
}

}  // namespace

Result<BackendChoice> choose_backend(exec::Runner& runner, BackendMode mode) {
  const Found legacy = look(runner, Backend::kLegacy);
  // Reading what nft has takes longer on a busy node than the rest of a start, and where legacy has nothing that could
  // outweigh it, it is chosen whatever that is.
  const bool is_legacy_heard = mode == BackendMode::kAuto && !legacy.failure && !legacy.is_empty();
  const bool matters = mode == BackendMode::kLegacy || is_legacy_heard;
  Found nft;
  if (matters) {
    nft = look(runner, Backend::kNft);
  } else {
    try_to_write(runner, Backend::kNft, nft);
  }
  BackendChoice choice;
  if (mode != BackendMode::kAuto) {
    const bool is_nft = mode == BackendMode::kNft;
    choice.backend = is_nft ? Backend::kNft : Backend::kLegacy;
    choice.why = concat(name_of(choice.backend), " is what was asked for");
    const auto& failure = is_nft ? nft.failure : legacy.failure;
    if (failure) return Error{ErrorCode::kUnsupported, concat(choice.why, ", but: ", failure->message)};
  } else if (nft.failure && legacy.failure) {
    return Error{ErrorCode::kUnsupported,
                 concat("no iptables that works: ", nft.failure->message, "; ", legacy.failure->message)};
  } else if (nft.failure || legacy.failure) {
    choice.backend = nft.failure ? Backend::kLegacy : Backend::kNft;
    choice.why =
        concat(name_of(choice.backend), " is the only one that works: ", (nft.failure ? nft : legacy).failure->message);
  } else {
    choice = choose_between(nft, legacy);
  }
  choice.leftovers = choice.backend == Backend::kNft ? legacy.tables : nft.tables;
  return choice;
}

Status remove_leftovers(exec::Runner& runner, Backend backend, const std::set<TableId>& tables) {
  for (const TableId& table : tables) {
    TableDriver driver(runner, table, {.backend = backend});
    driver.allow_removal();
    const dataplane::ApplyReport report = driver.apply(TimePoint{});
    if (!report.failures.empty()) {
      return report.failures.front().error.within(
          concat("removing our rules from ", name_of(backend), ", ", report.failures.front().object));
    }
  }
  return ok_status();
}

}  // namespace margay::iptables
