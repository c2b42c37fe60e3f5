// BlockOrder: every block of a pool once, in an order that the host's name fixes: a host that tries again tries the
// same blocks, and two hosts begin at different ones. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ip/prefix.h"

namespace margay::ipam {

class BlockOrder {
 public:
  // `block_length` is at least the pool's. Of pools with more blocks than that the first 2^50 are used.
  BlockOrder(const IpPrefix& pool, int block_length, std::string_view host);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // `index` below size().
  [[nodiscard]] IpPrefix at(std::uint64_t index) const;

 private:
  IpPrefix pool_;
  int block_length_;
  std::uint64_t size_;  // a power of two
  std::uint64_t start_;
  std::uint64_t step_;  // odd, so that it meets every block
};

}  // namespace margay::ipam
