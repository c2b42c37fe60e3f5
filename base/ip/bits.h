// Bits: the 128 bits behind an address, left-aligned, so that bit 0 is the first bit of IPv4 and IPv6 alike (an IPv4
// address fills bits 0-31, the rest is zero). For base/ip's own use; others use IpAddress and IpPrefix.
#pragma once

#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace margay {

struct Bits {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend constexpr auto operator<=>(const Bits&, const Bits&) = default;

  [[nodiscard]] constexpr bool at(int index) const {
    return index < 64 ? ((high >> (63 - index)) & 1) != 0 : ((low >> (127 - index)) & 1) != 0;
  }
  // The first `count` bits, 0-128, followed by zeros.
  [[nodiscard]] constexpr Bits leading(int count) const { return {high & mask(count), low & mask(count - 64)}; }
  // The first `count` bits, followed by ones.
  [[nodiscard]] constexpr Bits filled_after(int count) const { return {high | ~mask(count), low | ~mask(count - 64)}; }
  // How many leading bits are equal, 0-128.
  [[nodiscard]] constexpr int common(const Bits& other) const {
    const int equal = std::countl_zero(high ^ other.high);
    return equal < 64 ? equal : 64 + std::countl_zero(low ^ other.low);
  }
  [[nodiscard]] constexpr std::size_t hash(std::uint64_t salt) const {
    return static_cast<std::size_t>(mixed(mixed(high ^ salt) ^ low));
  }

 private:
  static constexpr std::uint64_t mask(int count) {
    if (count <= 0) return 0;
    return count >= 64 ? ~std::uint64_t{0} : ~(~std::uint64_t{0} >> count);
  }
  // The finalizer of SplitMix64 (public domain, Vigna 2015).
  static constexpr std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
};

}  // namespace margay
