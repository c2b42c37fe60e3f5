// ClusterHalf: what is the same for every node: each policy's rules with IP sets for its selectors, and the members of
// each set that somebody demanded, over all endpoints and network sets of the cluster.
//
// Pure: no I/O, no clock, one thread. The same objects in any order, with any repetition, give the same end state.
// A policy that cannot be used as it is (a selector that does not parse, ports without a protocol that has them) fails
// closed (closed_policy.h), a profile counts as absent, which denies; problems() names object and field until it is put
// right. It also names objects that act, though not as written: a policy with a rule that asks for HTTP
// (rule_compiler.h), one whose tier does not exist.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/core/field_error.h"
#include "policy/calc/exchange.h"
#include "policy/calc/input.h"

namespace margay::policy {

using SubscriberId = Id<struct SubscriberIdTag, std::uint32_t>;

class ClusterHalf {
 public:
  struct Options {
    bool suppress_nested = true;  // index/set_index.h
  };

  explicit ClusterHalf(Options options);
  ~ClusterHalf();
  ClusterHalf(const ClusterHalf&) = delete;
  ClusterHalf& operator=(const ClusterHalf&) = delete;

  void apply(const Input& input);
  // The first whole list of every kind has been applied.
  void mark_in_sync();

  SubscriberId subscribe();
  void unsubscribe(SubscriberId id);
  // One at a time: a subscriber demands again only once it has taken the answer to its last demand, and its node half
  // has it; else an answer under way could name sets that are already given back (DECISIONS.md, D-028).
  void demand(SubscriberId id, const NodeDemand& demand);
  // What changed for this one since the last call.
  ClusterUpdate take(SubscriberId id);

  [[nodiscard]] const std::map<ObjectKey, FieldErrors>& problems() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::policy
