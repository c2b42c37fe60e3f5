// RouteDriver: the one owner of all routes of ours in the kernel (those with our protocol number in our tables).
//
//   set_route(source, key, route) ─▶ the best source of a key wins ─▶ desired ─┐
//                                                                               ├─ difference ─▶ batches to the kernel
//   resync (dump) and note_event() ──────────────────────────────▶ actual ──────┘
//
// Invariants
//   1. Routes of other protocols are neither replaced nor removed: a new key is made with NLM_F_EXCL, and one that is
//      taken by somebody else is a failure that says so, tried again.
//   2. Nothing is removed before allow_removal(): what an earlier life left stays until its desired state is known.
//   3. A route that is found but was never made by this driver is left alone for `grace` (a CNI plugin may have made it
//      before we heard of its pod), then removed.
//      One by an interface of set_own_interfaces() is ours whoever made it, but for the kernel itself: it is changed to
//      what is wanted, or removed after the grace.
//   4. Adding comes before removing; a change is one replacing request, so no packet falls between.
//   5. What is sent at once goes in the order that is cheapest for the kernel (send_order.h), the same on every run.
// Thread: the dataplane's. Time is passed in.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/core/time.h"
#include "base/delta/delta_tracker.h"
#include "dataplane/driver/driver.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/route/route.h"
#include "dataplane/route/route_pool.h"

namespace margay::route {

// Who wants a route. Of several that want one key, the lowest wins.
enum class Source : std::uint8_t {
  kLocalWorkload,
  kVxlan,
  kIpip,
  kBgp,
  kNoEncapsulation,
  kStatic,
  kBlackhole,
};

struct RouteDriverConfig {
  std::uint8_t protocol = 80;  // RTA_PROTOCOL: our mark
  std::set<RouteTableId> tables{kMainTable};
  Duration grace{};
  bool ipv6 = true;  // false: the kernel has none, it is not even asked
};

class RouteDriver final : public dataplane::Driver {
 public:
  RouteDriver(netlink::Netlink& kernel, RouteDriverConfig config);

  // One more table; after this as if it had been one of the configuration's. Read with the next apply().
  void add_table(RouteTableId table);
  // Our mark from now on. Routes with an earlier one of this life are ours still, and get the new one.
  void set_protocol(std::uint8_t protocol);
  // Interfaces that carry nothing but what is wanted of us (see 3). What is there already is found by the next reading.
  void set_own_interfaces(std::set<IfIndex> interfaces);
  // Nothing is read or written; what is wanted is remembered.
  void set_paused(bool is_paused);
  [[nodiscard]] bool is_paused() const { return is_paused_; }
  // The table must be one of these.
  void set_route(Source source, const RouteKey& key, Route route);
  void remove_route(Source source, const RouteKey& key);
  void allow_removal() { may_remove_ = true; }
  // Before that: those that `which` says yes to may go already (what another source than the one still waited for
  // left).
  void allow_removal_of(std::function<bool(const RouteKey&, const Route&)> which) {
    may_remove_some_ = std::move(which);
  }

  // A message of the groups RTNLGRP_IPV4_ROUTE and RTNLGRP_IPV6_ROUTE. True if it is about a route with our protocol
  // number, in whatever table.
  bool note_event(const netlink::MessageView& message, TimePoint now);

  void queue_resync() override { needs_resync_ = true; }
  // The link is down, gone or has lost its addresses: the kernel has removed routes by it, those of IPv4 without a word
  // (linux: fib_disable_ip). True if ours may be among them: the next apply() will read.
  bool note_link_lost(IfIndex interface);

  // What queue_resync() leaves to the next apply(), at once: for who must know what an earlier life left
  // (actual_count()).
  Status resync(TimePoint now);
  dataplane::ApplyReport apply(TimePoint now) override;

  // --- looking ---
  [[nodiscard]] const Route* desired(const RouteKey& key) const;
  [[nodiscard]] const Route* actual(const RouteKey& key) const;
  [[nodiscard]] std::size_t desired_count() const { return routes_.desired_count(); }
  [[nodiscard]] std::size_t actual_count() const { return routes_.actual_count(); }
  // Keys that the kernel refused, with its words.
  [[nodiscard]] const std::map<RouteKey, Error>& failures() const { return failures_; }

 private:
  struct Owned {
    RoutePool::Ref route;
    Source source = Source::kStatic;
    std::uint8_t mark = 0;  // its protocol, if another than ours
    friend bool operator==(const Owned& a, const Owned& b) { return a.route == b.route && a.mark == b.mark; }
  };
  // Of the tracker's; as long as it does not change.
  struct Due {
    const RouteKey* key;
    const Owned* route;
    bool is_new;
  };

  [[nodiscard]] bool is_ours(const KernelRoute& route) const;
  void remember_found(const RouteKey& key, TimePoint now);
  [[nodiscard]] Owned found(KernelRoute route);
  [[nodiscard]] Status resync_family(IpFamily family, std::map<RouteKey, Owned>& found);
  [[nodiscard]] bool leads_to_itself(const RouteKey& key) const;
  bool replace_in_two(const RouteKey& key);
  void send_updates(dataplane::ApplyReport& report);
  void send_removes(dataplane::ApplyReport& report, TimePoint now);
  // In that order, in pieces; true in the places of `due` for what was done. on_failure(key, failure) -> whether it is
  // done all the same.
  template <class Add, class OnFailure>
  std::vector<bool> send(const std::vector<Due>& due, const std::vector<std::uint32_t>& order,
                         dataplane::ApplyReport& report, Add&& add, OnFailure&& on_failure);
  [[nodiscard]] bool may_remove(const RouteKey& key, const Route& route) const;
  [[nodiscard]] bool is_removable(const RouteKey& key, const Route& route, TimePoint now) const;
  void plan_next(dataplane::ApplyReport& report, TimePoint now);
  static void add_failure(dataplane::ApplyReport& report, std::string object, const Error& error);
  void fail(dataplane::ApplyReport& report, const RouteKey& key, Error error);

  netlink::Netlink& kernel_;
  RouteDriverConfig config_;
  std::set<std::uint8_t> earlier_protocols_;
  std::set<IfIndex> own_interfaces_;
  bool is_paused_ = false;
  RoutePool pool_;  // before what refers to it
  DeltaTracker<RouteKey, Owned> routes_;
  // Wanted by a source that another one beats.
  std::map<RouteKey, std::map<Source, RoutePool::Ref>> shadowed_;
  // Found, not made in this life: when.
  std::map<RouteKey, TimePoint> found_at_;
  std::map<RouteKey, Error> failures_;
  bool needs_resync_ = true;
  bool may_remove_ = false;
  std::function<bool(const RouteKey&, const Route&)> may_remove_some_;
  dataplane::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
};

}  // namespace margay::route
