// IpSetDriver: the one owner of the kernel's sets (ipset) whose names begin with one of our prefixes.
//
//   replace, update, remove ─▶ desired ─┐
//                                       ├─ difference ─▶ create, add, swap, delete, destroy
//   resync (dump) ────────▶ actual ─────┘
//
// Rules of iptables refer to sets: apply_updates() comes before the rules, apply_removals() after them.
//
// Invariants
//   1. Sets with other names are neither changed nor destroyed.
//   2. No set is destroyed before allow_removal(): what an earlier life left stays until what is wanted is known. A set
//      that a rule still refers to stays; it is tried again later.
//   3. Members that are missing come before members that are too many go, so no packet falls between. Where writing the
//      whole set anew is cheaper, or the set is too small or differs in more than members, a temporary one is filled
//      and swapped in, which is one step for packets.
//   4. The kernel swaps only sets of one type and family. One of another type under a wanted name must be destroyed
//      first; while rules refer to it that is a failure that says so, tried again.
//   5. What is there as it should be costs no write.
// Names of temporary sets: prefix, '~', number. Source: ipset(8), linux/netfilter/ipset/ip_set.h.
// Thread: the dataplane's. Time is passed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "dataplane/driver/driver.h"
#include "dataplane/ipset/ip_set.h"
#include "dataplane/ipset/ip_set_message.h"
#include "dataplane/ipset/member_delta.h"
#include "dataplane/netlink/netlink.h"

namespace margay::ipset {

struct IpSetDriverConfig {
  // Our mark: a set whose name begins with one of these is ours. Each shorter than 20 bytes, none empty.
  std::vector<std::string> prefixes{"margay4", "margay6"};
  // Members a new set has room for; one that wants more is made larger.
  std::uint32_t member_max = 1048576;
};

class IpSetDriver final : public dataplane::Driver {
 public:
  // `kernel`: of NETLINK_NETFILTER.
  IpSetDriver(netlink::Netlink& kernel, IpSetDriverConfig config);

  // --- desired; names begin with one of the prefixes, members are of the set's family ---
  // hash:ip and hash:ip,port hold hosts only. Members may be in any order and more than once.
  void replace(const std::string& name, const SetSpec& spec, const std::vector<Member>& members);
  // Of a set that replace() made. What is added twice or removed without having been there changes nothing.
  void update(const std::string& name, const std::vector<Member>& added, const std::vector<Member>& removed);
  // If it is there.
  void remove(const std::string& name);
  void allow_removal() { may_remove_ = true; }
  // Of sets that are made from now on.
  void set_member_max(std::uint32_t most) { config_.member_max = most; }

  // --- both may be called at any time; without anything to do they cost nothing ---
  // Sets and members that are missing or too many within wanted sets.
  dataplane::ApplyReport apply_updates(TimePoint now);
  // Sets that are not wanted.
  dataplane::ApplyReport apply_removals(TimePoint now);
  // Both: for who has no rules between.
  dataplane::ApplyReport apply(TimePoint now) override;
  void queue_resync() override { needs_resync_ = true; }

  // --- looking ---
  [[nodiscard]] std::size_t desired_count() const;
  [[nodiscard]] std::size_t actual_count() const;  // of ours, temporary ones included
  // Why a set, or some of its members, could not be brought to what is wanted; of the last apply.
  [[nodiscard]] const std::map<std::string, Error>& failures() const { return failures_; }
  struct SetState {
    bool is_desired = false;
    bool is_actual = false;
    SetSpec spec;  // desired, or else as it is
    std::size_t members_desired = 0;
    std::size_t members_missing = 0;
    std::size_t members_extra = 0;
  };
  [[nodiscard]] std::map<std::string, SetState> states() const;
  // As the kernel takes them (0.0.0.0/0 in two halves), in order; empty if the set is not wanted.
  [[nodiscard]] std::vector<Member> desired_members(const std::string& name) const;

 private:
  class Round;  // ip_set_round.h: one pass over what is due
  // What the kernel has under a name.
  struct Actual {
    SetHeader header;
    bool is_read = false;  // its members are known
  };
  struct Set {
    bool is_desired = false;
    SetSpec spec{};  // if desired
    MemberDelta members;
    std::optional<Actual> actual;
  };
  using Sets = std::map<std::string, Set>;

  [[nodiscard]] std::string_view prefix_of(std::string_view name) const;  // empty: not ours
  Status resync();
  Status read_unread();
  Status read_members(const std::string& name, Set& set);
  [[nodiscard]] static bool is_due(const Set& set);
  void note(const std::string& name);  // after any change: puts it where it belongs, or drops it
  void update_once(dataplane::ApplyReport& report);
  void destroy(const std::vector<std::string>& names, dataplane::ApplyReport& report);
  void fail(dataplane::ApplyReport& report, const std::string& name, Error error);

  netlink::Netlink& kernel_;
  IpSetDriverConfig config_;
  IpSetMessages messages_;
  Sets sets_;                     // wanted, there, or both
  std::set<std::string> due_;     // wanted and not as they should be
  std::set<std::string> doomed_;  // there and not wanted
  std::set<std::string> made_;    // of those, temporary ones of this life: they may go at any time
  std::map<std::string, Error> failures_;
  std::uint32_t temporary_count_ = 0;
  bool needs_resync_ = true;
  bool may_remove_ = false;
  dataplane::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
  dataplane::Backoff removal_backoff_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
};

}  // namespace margay::ipset
