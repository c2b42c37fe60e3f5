// FakeSets: the kernel's sets in memory, behind the Netlink seam. It can refuse single members, fail its n-th call with
// half of it done, hold sets by references, and be changed behind the driver's back. For tests; one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dataplane/ipset/ip_set_message.h"
#include "dataplane/netlink/netlink.h"

namespace margay::ipset {

class FakeSets final : public netlink::Netlink {
 public:
  struct Held {
    SetSpec spec{};
    std::uint32_t member_max = 1048576;
    std::set<Member> members{};
    std::uint32_t references = 0;  // of the name, as rules have them
    bool has_timeouts = false;
    friend bool operator==(const Held&, const Held&) = default;
  };

  // --- what it is asked for ---
  Status dump(const netlink::Batch& request, const std::function<void()>& begin, const netlink::Visit& visit) override;
  Status ask(const netlink::Batch& request, const netlink::Visit& visit) override;
  netlink::BatchReport apply(const netlink::Batch& batch) override;
  [[nodiscard]] std::uint32_t port() const override { return 1; }

  // --- what tests do to it ---
  std::map<std::string, Held>& sets() { return sets_; }
  void refuse(const Member& member) { refused_.insert(member); }
  void refuse_nothing() { refused_.clear(); }
  // The n-th call from now (1: the next) fails; the first half of what it asked for has been done.
  void fail_call(int n) { fails_in_ = n; }
  // Before each call.
  std::function<void()> on_call;

  // --- what has become of it ---
  [[nodiscard]] std::size_t writes() const { return writes_; }  // requests, refused ones included
  [[nodiscard]] std::size_t members_sent() const { return members_sent_; }
  [[nodiscard]] std::size_t swaps() const { return swaps_; }
  [[nodiscard]] std::size_t calls() const { return calls_; }

 private:
  [[nodiscard]] bool fails_now();
  int change(const netlink::MessageView& message);
  int create(const netlink::MessageView& message, const std::string& name);
  int destroy(const std::string& name);
  int swap(const std::string& a, const std::string& b);
  int change_members(const netlink::MessageView& message, const std::string& name, MemberChange change);
  void tell_headers(const netlink::Visit& visit) const;
  void tell_members(const std::string& name, const netlink::Visit& visit) const;

  std::map<std::string, Held> sets_;
  std::set<Member> refused_;
  int fails_in_ = 0;
  std::size_t calls_ = 0;
  std::size_t writes_ = 0;
  std::size_t members_sent_ = 0;
  std::size_t swaps_ = 0;
};

}  // namespace margay::ipset
