// RouteBatch: what a routing protocol wants of the kernel's routes, on its way from the protocol's loop to that of the
// dataplane (loop::Channel merges what has not been taken yet).
//
// Few sets of next hops lead to many destinations, so each set is in a batch once. A batch that nobody takes does not
// grow with the number of changes: what was overtaken is dropped now and then. A value; moved, not copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "base/ip/address.h"
#include "base/ip/ids.h"
#include "base/ip/prefix.h"

namespace margay::route {

// A next hop as the protocol says it: an address that may be several links away.
struct LearnedHop {
  IpAddress address;
  std::optional<IpAddress> link_local{};  // RFC 2545 §3: the gateway on the link that the address is on
  friend constexpr auto operator<=>(const LearnedHop&, const LearnedHop&) = default;
};
using HopSet = std::vector<LearnedHop>;  // in order, each once

class RouteBatch {
 public:
  struct Change {
    IpPrefix prefix;
    const HopSet* hops = nullptr;  // nullptr: no route any more; of the batch
    std::uint32_t metric = 0;
  };

  RouteBatch() = default;
  RouteBatch(RouteBatch&&) noexcept = default;
  RouteBatch& operator=(RouteBatch&&) noexcept = default;
  RouteBatch(const RouteBatch&) = delete;
  RouteBatch& operator=(const RouteBatch&) = delete;
  ~RouteBatch() = default;

  void set(const IpPrefix& prefix, const HopSet& hops, std::uint32_t metric);
  void remove(const IpPrefix& prefix);
  // Nothing that was said before this batch counts any more.
  void begin_anew() { starts_anew_ = true; }
  // From now on all routes are in this table (nullopt: none are in the kernel).
  void move_to(std::optional<RouteTableId> table) { table_ = table; }
  // All that is wanted has been said once: what an earlier life left and nobody named may go.
  void converge() { is_converged_ = true; }

  void merge(RouteBatch&& later);

  [[nodiscard]] const std::vector<Change>& changes() const {
    return changes_;
  }  // in order; the last of a prefix counts
  [[nodiscard]] bool starts_anew() const { return starts_anew_; }
  [[nodiscard]] const std::optional<std::optional<RouteTableId>>& table() const { return table_; }
  [[nodiscard]] bool is_converged() const { return is_converged_; }
  [[nodiscard]] bool empty() const { return changes_.empty() && !starts_anew_ && !table_ && !is_converged_; }

 private:
  const HopSet* keep(const HopSet& hops);
  void add(const Change& change);
  void drop_overtaken();

  std::vector<Change> changes_;
  std::set<HopSet> sets_;
  const HopSet* recent_ = nullptr;
  std::size_t kept_ = 0;  // changes that overtook none of each other, when last looked at
  bool starts_anew_ = false;
  bool is_converged_ = false;
  std::optional<std::optional<RouteTableId>> table_;
};

}  // namespace margay::route
