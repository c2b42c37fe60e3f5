// ChainSet: our chains of one table: which are wanted, which are there, and what stands in for those that cannot be
// had.
//
//   wanted, and the kernel takes it          its rules
//   wanted, but refused (refuse())           the deny rule; if it was kept: what it has now
//   not wanted, but a rule refers to it      the deny rule
//   neither                                  it goes
//
// Pure; DeltaTracker knows the difference.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/core/error.h"
#include "base/delta/delta_tracker.h"
#include "dataplane/driver/driver.h"
#include "dataplane/iptables/rule.h"
#include "dataplane/iptables/saved_table.h"

namespace margay::iptables {

struct ChainContent {
  std::vector<Mark> marks;
  std::shared_ptr<const Chain> chain;  // null: it was read back
  friend bool operator==(const ChainContent& a, const ChainContent& b) { return a.marks == b.marks; }
};

// A chain that differs from what it should be; as long as the ChainSet does not change.
struct DueChain {
  const std::string* name;
  const ChainContent* wanted;
  const ChainContent* actual;  // null: it is not there
};

// What a chain has that must deny. In nat nothing can be denied, and nothing is enforced: there it is empty.
std::vector<Rule> deny_rules(Table table);

class ChainSet {
 public:
  explicit ChainSet(Table table) : table_(table) {}

  // --- wanted ---
  void set(std::shared_ptr<const Chain> chain);
  void remove(const std::string& name);
  // Rules that do not stand in a chain of ours refer to it, or no longer do.
  void add_reference(const std::string& name, int change);

  // --- what the kernel does not take ---
  // `keeps`: it stays as it is, if it is there with nothing but rules of ours, rather than deny: for chains that all
  // packets of the host pass. A stand-in that is refused in its turn is left alone.
  enum class OnRefusal { kDeny, kKeep };
  void refuse(const std::string& name, const std::string& why, OnRefusal on_refusal);
  void refuse_removal(const std::string& name, const std::string& why) { unremovable_[name] = why; }
  // That is tried again: all removals, some chains, the next time the next ones.
  void release();

  // --- there ---
  // How many differ from what was believed.
  std::size_t note_saved(SavedTable& saved);
  void note_written(const std::string& name);
  void note_removed(const std::string& name) { chains_.actual_lost(name); }

  // --- the difference ---
  std::vector<DueChain> due();
  // The names of those, each after the ones its rules refer to.
  std::vector<std::string> due_in_order();
  std::vector<std::string> due_removals();

  // --- looking ---
  void report(dataplane::ApplyReport& report) const;
  [[nodiscard]] bool has_refused() const;
  [[nodiscard]] std::size_t wanted_count() const { return wanted_.size(); }
  [[nodiscard]] std::size_t rule_count() const { return rules_; }
  [[nodiscard]] std::size_t actual_count() const { return chains_.actual_count(); }

 private:
  struct Refusal {
    std::string why;
    bool is_final = false;  // until it is set anew; else until release()
    bool is_kept = false;
  };
  void count(const Chain& chain, int change);
  void settle(const std::string& name);
  void visit(const std::string& name, std::set<std::string>& open, std::vector<std::string>& order) const;

  Table table_;
  std::map<std::string, std::shared_ptr<const Chain>> wanted_;
  std::map<std::string, std::size_t> references_;  // by chain: rules that refer to it
  std::map<std::string, Refusal> refused_;
  std::string released_last_;
  std::map<std::string, std::string> unremovable_;
  std::set<std::string, std::less<>> referred_by_others_;
  std::set<std::string> missing_;  // referred to, but not wanted
  DeltaTracker<std::string, ChainContent> chains_;
  std::size_t rules_ = 0;
  bool is_known_ = false;  // what is there
};

}  // namespace margay::iptables
