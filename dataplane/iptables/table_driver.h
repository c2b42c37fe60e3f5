// TableDriver: makes our chains and hooks in one table of one family as they should be. One for each TableId.
//
//   apply_change(), set_… ─▶ desired ─┐
//                                     ├─ difference, line by line ─▶ one iptables-restore --noflush
//   iptables-save, read back ─▶ actual┘
//
// Invariants
//   1. Ours are the chains whose name begins with "margay-", and the rules in the kernel's chains with a comment
//      "margay:<hash>". Nothing else is changed, whatever its place.
//   2. A transaction is atomic, and holds what changed and nothing else: an unchanged kernel is not written to.
//   3. A chain is there before a rule refers to it, and goes after the last one. One that is referred to but not wanted
//      denies, and so does one that the kernel refuses (see deny_rule()); both are reported in each ApplyReport.
//   4. Nothing is removed before allow_removal(): what an earlier life left stays until its desired state is known.
//   5. What one chain's rules suffer does not hold up the others.
// Thread: the dataplane's. Time is passed in. apply() runs programs and blocks for as long as they take.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/time.h"
#include "dataplane/driver/driver.h"
#include "dataplane/exec/runner.h"
#include "dataplane/iptables/backend.h"
#include "dataplane/iptables/rule.h"

namespace margay::iptables {

// Where Hook::first stands among the rules of others in a chain of the kernel.
enum class InsertMode : std::uint8_t { kInsert, kAppend };

struct TableDriverConfig {
  Backend backend = Backend::kNft;
  InsertMode insert_mode = InsertMode::kInsert;
  Duration refresh_interval = std::chrono::seconds(180);         // reads the table again; zero: never
  Duration post_write_check_interval = std::chrono::seconds(5);  // reads it once, that long after a write or its
                                                                 // first reading; zero: not
  Duration lock_wait = std::chrono::seconds(10);                 // how long to wait for the lock of iptables
};

// What became of the calls so far, for metrics.
struct TableStatistics {
  std::uint64_t saves = 0;
  std::uint64_t save_errors = 0;
  std::uint64_t restores = 0;
  std::uint64_t restore_errors = 0;
  std::uint64_t lines = 0;   // sent to iptables-restore, without table, COMMIT
  std::uint64_t drifts = 0;  // chains and hooks that somebody else had changed, found by reading back
};

class TableDriver final : public dataplane::Driver {
 public:
  TableDriver(exec::Runner& runner, const TableId& table, const TableDriverConfig& config);
  ~TableDriver() override;
  TableDriver(const TableDriver&) = delete;
  TableDriver& operator=(const TableDriver&) = delete;

  // --- what is wanted; takes effect with the next apply() ---
  // Names of chains begin with kChainPrefix and are at most kChainNameMax bytes long.
  void apply_change(const TableChange& change);
  void set_chain(std::shared_ptr<const Chain> chain);
  void remove_chain(std::string_view name);
  // By the name of the kernel's chain ("FORWARD"). An empty hook: none of ours there.
  void set_hook(const std::string& kernel_chain, Hook hook);
  void allow_removal();

  // --- settings, changed without a restart ---
  void set_insert_mode(InsertMode mode);
  void set_intervals(Duration refresh, Duration post_write_check);
  void set_lock_wait(Duration wait);
  // From now on through those programs; what ours the other ones have left is remove_leftovers()'s.
  void set_backend(Backend backend);

  // What the kernel refused is tried again with the next apply(), before its time: a set it needs may have come.
  void retry_refused();
  void queue_resync() override;
  // Reads the table first if that is due (asked for, an interval over, a failure before). A report that is in sync has
  // nothing to do with next_check(): call apply() at that time too.
  dataplane::ApplyReport apply(TimePoint now) override;
  // When the table will be read again, without any reason but time.
  [[nodiscard]] std::optional<TimePoint> next_check() const;

  // --- looking ---
  // Whether the last apply() left the kernel with what was wanted. A chain that was refused and denies in its place
  // counts; a hook that was refused does not.
  [[nodiscard]] bool is_applied() const;
  [[nodiscard]] const TableStatistics& statistics() const;
  [[nodiscard]] std::size_t desired_chain_count() const;
  [[nodiscard]] std::size_t desired_rule_count() const;
  // What there is of ours in the kernel, as far as is known.
  [[nodiscard]] std::size_t actual_chain_count() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::iptables
