// HookSet: our rules in the kernel's chains of one table, among those of others.
//
//   insert mode Insert:  [first] others… [last]        Append:  others… [first] [last]
//
// Each chain of the kernel is right or it is not: then ours are deleted by what they say (never by number: somebody may
// have put a rule before them since) and put in anew, in the same transaction. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "dataplane/driver/driver.h"
#include "dataplane/iptables/rule.h"
#include "dataplane/iptables/saved_table.h"
#include "dataplane/iptables/table_driver.h"
#include "dataplane/iptables/transaction.h"

namespace margay::iptables {

struct DueHook {
  std::string kernel_chain;
  HookRules before;
  HookRules after;
  std::vector<HookRule> first;
  std::vector<HookRule> last;
};

class HookSet {
 public:
  explicit HookSet(InsertMode mode) : mode_(mode) {}

  void set(const std::string& kernel_chain, const Hook& hook);
  void set_insert_mode(InsertMode mode) { mode_ = mode; }
  // What our rules in the kernel's chain jump to.
  [[nodiscard]] std::vector<std::string> targets(const std::string& kernel_chain) const;
  [[nodiscard]] bool refers_to(const std::string& chain) const;

  // As it is until release(), or until it is set anew.
  void refuse(const std::string& kernel_chain, const std::string& why) { refused_.try_emplace(kernel_chain, why); }
  void release() { refused_.clear(); }
  [[nodiscard]] bool has_refused() const { return !refused_.empty(); }

  // How many are no longer right that were believed to be.
  std::size_t note_saved(SavedTable& saved);
  void note_written(const DueHook& due) { actual_[due.kernel_chain] = due.after; }

  // `may_remove`: also where none is wanted.
  [[nodiscard]] std::vector<DueHook> due(bool may_remove) const;
  void write(const DueHook& due, Transaction& out) const;

  void report(dataplane::ApplyReport& report) const;

 private:
  struct Wanted {
    std::vector<HookRule> first;
    std::vector<HookRule> last;
  };
  [[nodiscard]] HookRules arrange(const Wanted& wanted, const HookRules& actual) const;

  InsertMode mode_;
  std::map<std::string, Wanted> wanted_;
  std::map<std::string, HookRules, std::less<>> actual_;
  std::map<std::string, std::string> flawed_;   // until it is set anew
  std::map<std::string, std::string> refused_;  // until release()
  bool is_known_ = false;
};

}  // namespace margay::iptables
