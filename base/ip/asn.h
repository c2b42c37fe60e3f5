// Asn: a BGP autonomous system number of four octets (RFC 6793). RouterId: a BGP identifier or cluster ID (RFC 6286,
// RFC 4456), written like an IPv4 address but no address.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/core/result.h"

namespace margay {

class Asn {
 public:
  constexpr Asn() = default;
  constexpr explicit Asn(std::uint32_t value) : value_(value) {}
  // RFC 5396: asplain ("65546"), asdot and asdot+ ("1.10", "0.65526").
  static Result<Asn> parse(std::string_view text);

  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }
  // False when it needs AS_TRANS towards a speaker of two-octet numbers.
  [[nodiscard]] constexpr bool fits_two_octets() const { return value_ <= 0xffff; }
  // RFC 6996.
  [[nodiscard]] constexpr bool is_private() const {
    return (value_ >= 64512 && value_ <= 65534) || (value_ >= 4200000000U && value_ <= 4294967294U);
  }
  // asplain, which is what objects and outputs carry.
  [[nodiscard]] std::string to_string() const;
  // asdot: "64512", "1.10".
  [[nodiscard]] std::string to_asdot() const;

  friend constexpr auto operator<=>(const Asn&, const Asn&) = default;
  template <class H>
  friend H AbslHashValue(H state, const Asn& asn) {
    return H::combine(std::move(state), asn.value_);
  }

 private:
  std::uint32_t value_ = 0;
};

class RouterId {
 public:
  constexpr RouterId() = default;
  constexpr explicit RouterId(std::uint32_t value) : value_(value) {}
  // Dotted quad; 0.0.0.0 is refused (RFC 6286 §2.1).
  static Result<RouterId> parse(std::string_view text);

  // Host byte order.
  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const RouterId&, const RouterId&) = default;
  template <class H>
  friend H AbslHashValue(H state, const RouterId& id) {
    return H::combine(std::move(state), id.value_);
  }

 private:
  std::uint32_t value_ = 0;
};

}  // namespace margay

template <>
struct std::hash<margay::Asn> {
  std::size_t operator()(const margay::Asn& asn) const noexcept { return std::hash<std::uint32_t>()(asn.value()); }
};
template <>
struct std::hash<margay::RouterId> {
  std::size_t operator()(const margay::RouterId& id) const noexcept { return std::hash<std::uint32_t>()(id.value()); }
};
