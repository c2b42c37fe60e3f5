#include "cni/ipam/reserved.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::ipam {

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > kCountMax - std::min(b, kCountMax) ? kCountMax : a + b;
}

std::uint64_t size_of(const IpPrefix& prefix) {
  const int bits = address_bits(prefix.family()) - prefix.length();
  return bits >= 63 ? kCountMax : std::uint64_t{1} << bits;
}

AddressSet::AddressSet(const std::vector<IpPrefix>& prefixes) {
  for (const IpPrefix& prefix : without_contained(prefixes)) {
    const bool is_adjacent = !ranges_.empty() && ranges_.back().last.family() == prefix.family() &&
                             ranges_.back().last.plus(1) == prefix.first();
    if (is_adjacent) {
      ranges_.back().last = prefix.last();
    } else {
      ranges_.push_back({prefix.first(), prefix.last()});
    }
  }
}

const AddressSet::Range* AddressSet::range_before(const IpAddress& address) const {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                      [](const IpAddress& a, const Range& range) { return a < range.first; });
  return after == ranges_.begin() ? nullptr : &*std::prev(after);
}

bool AddressSet::contains(const IpAddress& address) const {
  const Range* range = range_before(address);
  return range != nullptr && range->first.family() == address.family() && address <= range->last;
}

bool AddressSet::contains(const IpPrefix& prefix) const {
  const Range* range = range_before(prefix.first());
  return range != nullptr && range->first.family() == prefix.family() && prefix.last() <= range->last;
}

std::uint64_t AddressSet::count_within(const IpPrefix& prefix) const {
  std::uint64_t count = 0;
  for (const Range& range : ranges_) {
    if (range.first.family() != prefix.family()) continue;
    const IpAddress first = std::max(range.first, prefix.first()), last = std::min(range.last, prefix.last());
    if (last < first) continue;
    const auto distance = last.offset_from(first);
    count = saturating_add(count, distance ? saturating_add(*distance, 1) : kCountMax);
  }
  return count;
}

std::vector<IpPrefix> without_contained(std::vector<IpPrefix> prefixes) {
  // A range stands before those inside it.
  std::sort(prefixes.begin(), prefixes.end());
  std::vector<IpPrefix> out;
  for (const IpPrefix& prefix : prefixes) {
    if (out.empty() || !out.back().contains(prefix)) out.push_back(prefix);
  }
  return out;
}

std::vector<IpPrefix> parse_reserved(const std::vector<std::string>& texts) {
  std::vector<IpPrefix> out;
  for (const std::string& text : texts) {
    const auto prefix = IpPrefix::parse_cidr_or_address(trim(text));
    if (prefix.ok()) out.push_back(prefix.value());
  }
  return out;
}

}  // namespace margay::ipam
