#include "bgp/rib/prefix_table.h"

#include <algorithm>

namespace margay::bgp::rib {
namespace {

std::uint64_t key4(const IpPrefix& prefix) {
  return prefix.bits().high >> 24 | static_cast<std::uint64_t>(prefix.length());
}

}  // namespace

PrefixId PrefixTable::find(const IpPrefix& prefix) const {
  if (family_ == Family::kIpv4Unicast) {
    const std::uint64_t key = key4(prefix);
    return index_.find(hash4(key), [&](PrefixId id) { return keys4_[id] == key; });
  }
  const Bits& bits = prefix.bits();
  return index_.find(hash6(bits, prefix.length()),
                     [&](PrefixId id) { return keys6_[id].bits == bits && keys6_[id].length == prefix.length(); });
}

void PrefixTable::prefetch(const IpPrefix& prefix) const {
  index_.prefetch(family_ == Family::kIpv4Unicast ? hash4(key4(prefix)) : hash6(prefix.bits(), prefix.length()));
}

PrefixId PrefixTable::find_or_add(const IpPrefix& prefix) {
  const PrefixId found = find(prefix);
  if (found != kNoId) return found;
  const PrefixId id = ids_.allocate();
  entries_.reach(id);
  entries_[id] = PrefixEntry{};
  entries_[id].is_used = true;
  set_key(id, prefix);
  index_.insert(id, hash_of(id), [this](const auto& put) {
    for (PrefixId one = 0; one < limit(); ++one) {
      if (entries_[one].is_used) put(one, hash_of(one));
    }
  });
  return id;
}

void PrefixTable::set_key(PrefixId id, const IpPrefix& prefix) {
  if (family_ == Family::kIpv4Unicast) {
    keys4_.reach(id);
    keys4_[id] = key4(prefix);
  } else {
    keys6_.reach(id);
    keys6_[id] = {prefix.bits(), static_cast<std::uint8_t>(prefix.length())};
  }
}

std::uint32_t PrefixTable::hash_of(PrefixId id) const {
  return family_ == Family::kIpv4Unicast ? hash4(keys4_[id]) : hash6(keys6_[id].bits, keys6_[id].length);
}

IpPrefix PrefixTable::prefix(PrefixId id) const {
  if (family_ == Family::kIpv4Unicast) {
    return IpPrefix::containing(IpAddress::v4(static_cast<std::uint32_t>(keys4_[id] >> 8)), length(id));
  }
  return IpPrefix::containing(IpAddress::from_bits(IpFamily::kV6, keys6_[id].bits), length(id));
}

int PrefixTable::length(PrefixId id) const {
  return family_ == Family::kIpv4Unicast ? static_cast<int>(keys4_[id] & 0xff) : keys6_[id].length;
}

void PrefixTable::collect(PrefixId id) {
  PrefixEntry& entry = entries_[id];
  if (entry.first_path != kNoId || entry.best_route != kNoId || entry.holders != 0 || entry.is_dirty) return;
  index_.erase(id, [this](PrefixId one) { return hash_of(one); });
  entry.is_used = false;
  if (!ids_.release(id)) return;
  entries_.clear();
  keys4_.clear();
  keys6_.clear();
}

std::vector<PrefixId> PrefixTable::sorted() const {
  std::vector<PrefixId> ids;
  ids.reserve(size());
  for (PrefixId id = 0; id < limit(); ++id) {
    if (entries_[id].is_used) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end(), [this](PrefixId a, PrefixId b) {
    if (family_ == Family::kIpv4Unicast) return keys4_[a] < keys4_[b];
    const Key6 &x = keys6_[a], &y = keys6_[b];
    return x.bits != y.bits ? x.bits < y.bits : x.length < y.length;
  });
  return ids;
}

std::size_t PrefixTable::memory_bytes() const {
  return entries_.memory_bytes() + keys4_.memory_bytes() + keys6_.memory_bytes() + ids_.memory_bytes() +
         index_.memory_bytes();
}

}  // namespace margay::bgp::rib
