// IpPrefix: an address range written address/length, always canonical: the bits after the length are zero, so that
// equal ranges are equal values. 24 bytes.
//
// InterfaceAddress: an address together with the length of its link's prefix, as `ip address` shows it; not canonical.
//
// Order: IPv4 before IPv6, then by first address, then the shorter length (the larger range) first.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/core/check.h"
#include "base/core/result.h"
#include "base/ip/address.h"

namespace margay {

class IpPrefix {
 public:
  // 0.0.0.0/0
  constexpr IpPrefix() = default;
  // The error says so when `length` is out of range or `address` has bits set after it.
  static Result<IpPrefix> exact(const IpAddress& address, int length);
  // Bits after the length are dropped. A length out of range is our own mistake.
  static constexpr IpPrefix containing(const IpAddress& address, int length) {
    MARGAY_CHECK(length >= 0 && length <= address_bits(address.family()));
    return IpPrefix(address.family(), address.bits().leading(length), length);
  }
  // The range of one address: /32 or /128.
  static constexpr IpPrefix host(const IpAddress& address) {
    return IpPrefix(address.family(), address.bits(), address_bits(address.family()));
  }

  // "10.0.0.0/8"; bits set after the length are an error that shows the right form.
  static Result<IpPrefix> parse(std::string_view text);
  // "10.0.0.7/8" is read as 10.0.0.0/8.
  static Result<IpPrefix> parse_containing(std::string_view text);
  // As parse(), and an address alone means that address only.
  static Result<IpPrefix> parse_cidr_or_address(std::string_view text);

  [[nodiscard]] constexpr IpFamily family() const { return family_; }
  [[nodiscard]] constexpr bool is_v4() const { return family_ == IpFamily::kV4; }
  [[nodiscard]] constexpr bool is_v6() const { return family_ == IpFamily::kV6; }
  [[nodiscard]] constexpr int length() const { return length_; }
  [[nodiscard]] constexpr const Bits& bits() const { return bits_; }
  [[nodiscard]] constexpr bool is_host() const { return length_ == address_bits(family_); }
  [[nodiscard]] constexpr IpAddress first() const { return IpAddress::from_bits(family_, bits_); }
  [[nodiscard]] constexpr IpAddress last() const { return IpAddress::from_bits(family_, bits_.filled_after(length_)); }

  [[nodiscard]] constexpr bool contains(const IpAddress& address) const {
    return family_ == address.family() && bits_.common(address.bits()) >= length_;
  }
  // True for equal prefixes as well.
  [[nodiscard]] constexpr bool contains(const IpPrefix& other) const {
    return family_ == other.family_ && length_ <= other.length_ && bits_.common(other.bits_) >= length_;
  }
  [[nodiscard]] constexpr bool overlaps(const IpPrefix& other) const {
    return contains(other) || other.contains(*this);
  }
  // The longest prefix that contains both; they must be of one family.
  [[nodiscard]] IpPrefix common(const IpPrefix& other) const;

  [[nodiscard]] std::string to_string() const;

  friend constexpr bool operator==(const IpPrefix&, const IpPrefix&) = default;
  friend constexpr std::strong_ordering operator<=>(const IpPrefix& a, const IpPrefix& b) {
    if (const auto order = a.family_ <=> b.family_; order != 0) return order;
    if (const auto order = a.bits_ <=> b.bits_; order != 0) return order;
    return a.length_ <=> b.length_;
  }
  template <class H>
  friend H AbslHashValue(H state, const IpPrefix& prefix) {
    return H::combine(std::move(state), prefix.family_, prefix.length_, prefix.bits_.high, prefix.bits_.low);
  }

 private:
  constexpr IpPrefix(IpFamily family, Bits bits, int length)
      : family_(family), length_(static_cast<std::uint8_t>(length)), bits_(bits) {}

  IpFamily family_ = IpFamily::kV4;
  std::uint8_t length_ = 0;
  Bits bits_;
};

struct InterfaceAddress {
  IpAddress address;
  int length = 0;

  // "10.0.0.7/24"; an address alone gets the length of a host.
  static Result<InterfaceAddress> parse(std::string_view text);
  [[nodiscard]] IpPrefix prefix() const { return IpPrefix::containing(address, length); }
  [[nodiscard]] std::string to_string() const;
  friend constexpr auto operator<=>(const InterfaceAddress&, const InterfaceAddress&) = default;
};

}  // namespace margay

template <>
struct std::hash<margay::IpPrefix> {
  std::size_t operator()(const margay::IpPrefix& prefix) const noexcept {
    return prefix.bits().hash(static_cast<std::uint64_t>(prefix.family()) << 8 |
                              static_cast<std::uint64_t>(prefix.length()));
  }
};
