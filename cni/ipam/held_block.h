// HeldBlock: a block as one writer holds it: what is stored, what was done to it since, and the one call under way.
// Many wishes leave in one write; none is told done before the write that has it is.
//
//   wishes ─▶ working copy, queue ──write──▶ in flight ──ok──▶ done
//                   ▲                             │ lost race, no answer
//                   └──── done again on ◀──read───┘        what has no room any more bounces
//
// Pure. Wishes keep their order, also across a repeated write: to release and to give again are never swapped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cni/ipam/block.h"
#include "cni/ipam/calls.h"

namespace margay::ipam {

using RequestId = std::uint64_t;

// Of one slot, but for releases: of all slots of the handle, unless one is named.
struct Wish {
  enum class Kind { kAssign, kRelease };
  Kind kind = Kind::kAssign;
  RequestId request = 0;  // 0: nobody waits for it
  std::size_t demand = 0;
  Holder holder{};
  std::optional<Ordinal> ordinal{};
  bool is_fixed = false;  // kAssign: no other ordinal will do
};

struct BlockRules {
  model::BlockOwner owner{};
  bool strict_affinity = false;  // nothing is given from blocks of others
  Duration cooldown{0};
  AddressSet reserved{};
};

// Time, as the machines are told it.
struct Moment {
  TimePoint steady{};
  WallTime wall{};
};

struct Bounced {
  Wish wish;
  Error error;
};
struct Settled {
  std::vector<Wish> done;
  std::vector<Bounced> bounced;  // kLimitExceeded: full; kAlreadyExists: the slot is taken; others as they came
  bool is_gone = false;          // the block does not exist any more
};

class HeldBlock {
 public:
  HeldBlock(const BlockRules& rules, model::IpamBlock stored);
  // Of which nothing is known: it is read first.
  HeldBlock(const BlockRules& rules, const IpPrefix& cidr);

  // False: there is no room (never for a release).
  bool add(Wish wish, Moment now);
  // Wishes of a request that did not leave yet are taken back; what left is released behind it.
  void cancel(RequestId request, Moment now);

  // What to ask now; nullopt: nothing, or a call is under way, or it is to wait until retry_at().
  std::optional<Call> next_call(Moment now);
  Settled on_answer(Answer answer, Moment now);

  // What somebody saw of it: taken over when it is newer and nothing is under way.
  void see(const model::IpamBlock& block);
  void free_cooled(Moment now);

  [[nodiscard]] const IpPrefix& cidr() const { return cidr_; }
  [[nodiscard]] bool is_known() const { return is_known_; }
  [[nodiscard]] bool is_idle() const { return !is_calling_ && queue_.empty() && !is_dirty_; }
  [[nodiscard]] bool is_affine() const { return is_known_ && stored_.spec.affinity == rules_.owner; }
  [[nodiscard]] const model::IpamBlock& stored() const { return stored_; }
  // With what is asked for but not yet stored.
  [[nodiscard]] const model::IpamBlockSpec& working() const { return working_; }
  // Slots that can be given now.
  [[nodiscard]] std::size_t room() const;
  [[nodiscard]] std::int32_t count_of(const std::string& handle) const;
  // It has addresses here, or is about to.
  [[nodiscard]] bool concerns(const std::string& handle) const;
  // nullopt: nothing waits for its time. (A pause whose reason has gone, as a wish that was taken back, ends nothing.)
  [[nodiscard]] std::optional<TimePoint> retry_at() const {
    const bool has_work = !is_calling_ && (!queue_.empty() || !is_known_ || is_dirty_);
    return has_work ? retry_at_ : std::nullopt;
  }

 private:
  std::optional<Error> apply(Wish& wish, Moment now);
  void after_read(Settled& settled, Moment now);
  void bounce_all(Settled& settled, const Error& error);
  void back_off(Moment now);
  [[nodiscard]] ReleaseRules release_rules(Moment now) const { return {rules_.cooldown, now.wall}; }

  const BlockRules& rules_;
  IpPrefix cidr_;
  model::IpamBlock stored_;
  model::IpamBlockSpec working_;
  std::vector<Wish> queue_;      // applied to working_ when is_known_
  std::vector<Wish> in_flight_;  // before those of queue_
  bool is_known_;
  bool must_read_;
  bool is_calling_ = false;
  bool is_dirty_ = false;  // working_ changed without a wish
  int failures_ = 0;
  std::optional<TimePoint> retry_at_;
};

// The n-th pause after failures: 50 ms, doubled each time, at most 5 s.
Duration backoff(int failures);

}  // namespace margay::ipam
