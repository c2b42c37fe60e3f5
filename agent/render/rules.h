// Rules: a rule of a policy or profile as rules of iptables.
//
//   Allow: set the accept mark, return     Deny: drop or reject     Pass: set the pass mark, return     Log: LOG
//
// Rules that leave the same mark may stand behind one another without a return in between: it would change nothing but
// the time a packet takes, and each rule costs the kernel time at every change of the table (D-049).
//
// What one rule of iptables cannot ask, blocks of rules find out first and leave in two scratch marks: scratch0 says
// that every block so far was true, scratch1 that the one at work is. Pure.
#pragma once

#include <string>
#include <vector>

#include "agent/render/settings.h"
#include "agent/render/spec.h"
#include "base/ip/address.h"
#include "dataplane/iptables/rule.h"
#include "policy/desired/rule.h"

namespace margay::render {

// Of the object that rules stand in: for comments and for what Log writes.
struct RuleOwner {
  std::string text;       // "NetworkPolicy default/a ingress"
  std::string tier;       // %t
  std::string kind;       // %k
  std::string name;       // %n
  std::string full_name;  // %p: with the namespace
};

struct RuleContext {
  IpFamily family = IpFamily::kV4;
  Table table = Table::kFilter;
  const Settings& settings;
  const RuleOwner& owner;
  bool is_profile = false;  // where Pass leads to the next profile
};

// Nothing for a rule that no packet of the family matches.
std::vector<iptables::Rule> render_rules(const std::vector<policy::Rule>& rules, const RuleContext& context);

// What a line of the log begins with: at most 29 bytes, the kernel's limit, ": " at its end.
std::string log_prefix(const std::string& pattern, const RuleOwner& owner);

}  // namespace margay::render
