// RulesetEvents: which of our tables somebody else has changed, from what the kernel tells of nf_tables. Pure.
//
//   NEWRULE, DELRULE, NEWCHAIN, … of one transaction, then NEWGEN with its number ─▶ note() ─▶ tables to be read again
//
// Only what may concern us counts: chains of ours, and the kernel's chains that our rules stand in. What others do in
// their own chains (kube-proxy: all the time) is theirs. Our own transactions are known by their numbers: whoever wrote
// tells by note_own() if the numbers before and after show that nobody else did meanwhile; if not, ours are news too,
// and a table is read once more than needed.
// Source: linux/netfilter/nf_tables.h. The legacy back end tells nobody anything: there time alone finds changes.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <utility>

#include "dataplane/iptables/rule.h"
#include "dataplane/netlink/netlink.h"

namespace margay::iptables {

class RulesetEvents {
 public:
  // A message of the group NFNLGRP_NFTABLES. Not empty at the end of a transaction that was not ours.
  std::set<TableId> note(const netlink::MessageView& message);
  // The last `count` transactions until this generation were ours.
  void note_own(std::uint32_t generation, std::uint64_t count);
  // Messages were lost: all tables there are.
  std::set<TableId> note_lost();

 private:
  [[nodiscard]] bool is_own(std::uint32_t generation);

  std::set<TableId> touched_;                                // by the transaction that is being told of
  std::deque<std::pair<std::uint32_t, std::uint32_t>> own_;  // first and last, in order
};

// The number of the last transaction. `kernel`: of NETLINK_NETFILTER.
Result<std::uint32_t> ruleset_generation(netlink::Netlink& kernel);

}  // namespace margay::iptables
