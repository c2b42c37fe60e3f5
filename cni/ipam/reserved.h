// AddressSet: a set of addresses given as prefixes, such as all IPReservations together. Made once, asked often. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip/address.h"
#include "base/ip/prefix.h"

namespace margay::ipam {

// Numbers of addresses stop here: IPv6 pools have more than any counter.
inline constexpr std::uint64_t kCountMax = INT64_MAX;
// a + b, at most kCountMax.
std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b);
std::uint64_t size_of(const IpPrefix& prefix);

class AddressSet {
 public:
  AddressSet() = default;
  explicit AddressSet(const std::vector<IpPrefix>& prefixes);

  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] bool contains(const IpAddress& address) const;
  // Every address of the prefix, be it by several members.
  [[nodiscard]] bool contains(const IpPrefix& prefix) const;
  [[nodiscard]] std::uint64_t count_within(const IpPrefix& prefix) const;

  friend bool operator==(const AddressSet&, const AddressSet&) = default;

 private:
  struct Range {
    IpAddress first;
    IpAddress last;
    friend bool operator==(const Range&, const Range&) = default;
  };
  // The range that could hold `address`; nullptr when none begins at or before it.
  [[nodiscard]] const Range* range_before(const IpAddress& address) const;

  std::vector<Range> ranges_;  // in order, apart from each other
};

// In order, without those that lie in another.
std::vector<IpPrefix> without_contained(std::vector<IpPrefix> prefixes);

// What IPReservations hold as text, as Calico reads it: blanks around are dropped, an address alone is itself, what is
// neither is passed over.
std::vector<IpPrefix> parse_reserved(const std::vector<std::string>& texts);

}  // namespace margay::ipam
