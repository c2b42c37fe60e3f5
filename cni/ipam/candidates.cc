#include "cni/ipam/candidates.h"

#include <algorithm>

#include "base/core/check.h"
#include "base/core/random.h"

namespace margay::ipam {
namespace {

constexpr int kBitsMax = 50;

// FNV-1a, 64 bits: the same on every machine and in every version.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

}  // namespace

BlockOrder::BlockOrder(const IpPrefix& pool, int block_length, std::string_view host)
    : pool_(pool), block_length_(block_length) {
  MARGAY_CHECK(block_length >= pool.length() && block_length <= address_bits(pool.family()));
  size_ = std::uint64_t{1} << std::min(block_length - pool.length(), kBitsMax);
  SeededRandom random(hash_of(host));
  start_ = host.empty() ? 0 : random.next() % size_;
  step_ = host.empty() ? 1 : random.next() | 1;
}

IpPrefix BlockOrder::at(std::uint64_t index) const {
  const std::uint64_t number = (start_ + index * step_) % size_;
  const int shift = address_bits(pool_.family()) - block_length_;
  return IpPrefix::containing(*pool_.first().plus(number << shift), block_length_);
}

}  // namespace margay::ipam
