// IpAddress: an IPv4 or IPv6 address; a plain value of 24 bytes, without zone and without port.
//
// An IPv4-mapped IPv6 address (::ffff:192.0.2.1, RFC 4291 §2.5.5.2) stays what was written: it is IPv6, and differs
// from 192.0.2.1. Who wants the IPv4 address says unmapped().
//
// Order: IPv4 before IPv6, then by number. Default: 0.0.0.0 (an address that may be absent is an optional).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/ip/bits.h"

namespace margay {

enum class IpFamily : std::uint8_t { kV4 = 4, kV6 = 6 };

// "IPv4", "IPv6"
std::string_view to_string(IpFamily family);
// Bits of an address: 32 or 128.
constexpr int address_bits(IpFamily family) { return family == IpFamily::kV4 ? 32 : 128; }

class IpAddress {
 public:
  constexpr IpAddress() = default;
  // In host byte order: v4(0xc0000201) is 192.0.2.1.
  static constexpr IpAddress v4(std::uint32_t value) {
    return IpAddress(IpFamily::kV4, Bits{std::uint64_t{value} << 32, 0});
  }
  static constexpr IpAddress v6(std::uint64_t high, std::uint64_t low) {
    return IpAddress(IpFamily::kV6, Bits{high, low});
  }
  static constexpr IpAddress from_bits(IpFamily family, Bits bits) {
    return IpAddress(family, bits.leading(address_bits(family)));
  }
  // 4 or 16 bytes in network byte order; nullopt for any other number.
  static std::optional<IpAddress> from_bytes(std::span<const std::uint8_t> bytes);
  // Strict: four decimal numbers without leading zeros, or RFC 4291 §2.2 in upper or lower case; nothing around it.
  static Result<IpAddress> parse(std::string_view text);

  [[nodiscard]] constexpr IpFamily family() const { return family_; }
  [[nodiscard]] constexpr bool is_v4() const { return family_ == IpFamily::kV4; }
  [[nodiscard]] constexpr bool is_v6() const { return family_ == IpFamily::kV6; }
  [[nodiscard]] constexpr const Bits& bits() const { return bits_; }
  // The number of an IPv4 address, host byte order; only when is_v4().
  [[nodiscard]] std::uint32_t v4_value() const;
  // Network byte order; the first 4 or all 16 bytes count (see size_bytes()).
  [[nodiscard]] std::array<std::uint8_t, 16> bytes() const;
  [[nodiscard]] constexpr std::size_t size_bytes() const { return is_v4() ? 4 : 16; }

  [[nodiscard]] constexpr bool is_unspecified() const { return bits_ == Bits{}; }
  [[nodiscard]] bool is_loopback() const;    // 127.0.0.0/8, ::1
  [[nodiscard]] bool is_link_local() const;  // 169.254.0.0/16, fe80::/10
  [[nodiscard]] bool is_multicast() const;   // 224.0.0.0/4, ff00::/8
  [[nodiscard]] constexpr bool is_v4_mapped() const { return is_v6() && bits_.high == 0 && bits_.low >> 32 == 0xffff; }
  // The IPv4 address inside an IPv4-mapped one; otherwise the address itself.
  [[nodiscard]] constexpr IpAddress unmapped() const {
    return is_v4_mapped() ? v4(static_cast<std::uint32_t>(bits_.low)) : *this;
  }

  // The address `count` further; nullopt past the last of the family.
  [[nodiscard]] std::optional<IpAddress> plus(std::uint64_t count) const;
  // How far this is above `base`; nullopt when below, of the other family, or 2^64 and more away.
  [[nodiscard]] std::optional<std::uint64_t> offset_from(const IpAddress& base) const;

  // RFC 5952; IPv4-mapped addresses end in dotted decimal (§5).
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
  template <class H>
  friend H AbslHashValue(H state, const IpAddress& address) {
    return H::combine(std::move(state), address.family_, address.bits_.high, address.bits_.low);
  }

 private:
  constexpr IpAddress(IpFamily family, Bits bits) : family_(family), bits_(bits) {}

  IpFamily family_ = IpFamily::kV4;
  Bits bits_;
};

}  // namespace margay

template <>
struct std::hash<margay::IpAddress> {
  std::size_t operator()(const margay::IpAddress& address) const noexcept {
    return address.bits().hash(static_cast<std::uint64_t>(address.family()));
  }
};
