// What iptables-save says of one table, as far as it concerns us. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "dataplane/iptables/rule.h"
#include "dataplane/iptables/rule_text.h"

namespace margay::iptables {

// A rule of ours in a chain of the kernel.
struct HookRule {
  Mark mark;
  std::string spec;  // behind "-A CHAIN ", as it was written or read back
  friend bool operator==(const HookRule& a, const HookRule& b) { return a.mark == b.mark; }
};
// The rules of a chain of the kernel, in order; nullopt: rules of others, one or many.
using HookRules = std::vector<std::optional<HookRule>>;

struct SavedTable {
  // Ours, by name: the marks of their rules in order, one that is all zero for a rule that is not ours.
  std::map<std::string, std::vector<Mark>, std::less<>> chains;
  std::map<std::string, HookRules, std::less<>> hooks;  // of every chain of the kernel
  std::set<std::string, std::less<>> referred;          // chains of ours that rules of others jump to
};

// The output of "iptables-save -t TABLE"; tables that were never used may be missing in it. kInvalid: it is not that
// (cut off, something else).
Result<SavedTable> parse_saved(std::string_view text, Table table);

}  // namespace margay::iptables
