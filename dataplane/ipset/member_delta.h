// MemberDelta: the members a set should have, those it has, and the difference; DeltaTracker for keys without values,
// made for sets of a million members.
//
//   desired ⊇ missing      extra ∩ desired = ∅      actual = desired − missing + extra
//
// What is common to both is stored once. The kernel has no network of length 0: it becomes its two halves here, which
// may also be wanted for themselves. A pure value.
#pragma once

#include <cstddef>
#include <set>
#include <vector>

#include "absl/container/btree_set.h"
#include "dataplane/ipset/ip_set.h"

namespace margay::ipset {

using Members = absl::btree_set<Member>;

class MemberDelta {
 public:
  // --- desired ---
  void add(const Member& member);
  void remove(const Member& member);
  // Exactly these, in any order, also more than once.
  void replace(const std::vector<Member>& members);
  void clear_desired() { replace({}); }

  // --- actual ---
  // Nothing is there: all that is desired is missing.
  void clear_actual();
  // Exactly these are there, in any order.
  void replace_actual(std::vector<Member> members);
  // Of all that was missing, only these still are.
  void added_all_but(const std::vector<Member>& refused);
  // Of all that was too many, only these are still there.
  void deleted_all_but(const std::vector<Member>& refused);

  // --- looking ---
  [[nodiscard]] const Members& desired() const { return desired_; }
  [[nodiscard]] const Members& missing() const { return is_empty_ ? desired_ : missing_; }
  [[nodiscard]] const Members& extra() const { return extra_; }
  [[nodiscard]] std::size_t actual_count() const { return desired_.size() - missing().size() + extra_.size(); }
  [[nodiscard]] bool is_in_sync() const { return missing().empty() && extra_.empty(); }

 private:
  void put(const Member& member);
  void take(const Member& member);

  Members desired_;
  Members missing_;  // not kept while is_empty_
  Members extra_;
  bool is_empty_ = true;     // nothing is there
  std::set<Member> wholes_;  // of length 0, as wanted
  std::set<Member> halves_;  // of length 1, as wanted
};

}  // namespace margay::ipset
