// Family: an address family a session carries routes of (AFI and SAFI, RFC 4760). Only the two unicast families exist
// here; what else a peer offers is kept as numbers in its capabilities and ignored.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip/address.h"

namespace margay::bgp {

enum class Family : std::uint8_t { kIpv4Unicast, kIpv6Unicast };
inline constexpr std::array<Family, 2> kFamilies = {Family::kIpv4Unicast, Family::kIpv6Unicast};

// As IANA numbers them; also used for families we do not speak.
struct AfiSafi {
  std::uint16_t afi = 0;
  std::uint8_t safi = 0;
  friend constexpr auto operator<=>(const AfiSafi&, const AfiSafi&) = default;
};

constexpr AfiSafi afi_safi(Family family) { return family == Family::kIpv4Unicast ? AfiSafi{1, 1} : AfiSafi{2, 1}; }
constexpr std::optional<Family> family_of(AfiSafi numbers) {
  for (const Family family : kFamilies) {
    if (afi_safi(family) == numbers) return family;
  }
  return std::nullopt;
}
constexpr Family family_of(IpFamily family) {
  return family == IpFamily::kV4 ? Family::kIpv4Unicast : Family::kIpv6Unicast;
}
// "ipv4-unicast", "ipv6-unicast"
constexpr std::string_view to_string(Family family) {
  return family == Family::kIpv4Unicast ? "ipv4-unicast" : "ipv6-unicast";
}

// One T for each family.
template <class T>
class PerFamily {
 public:
  constexpr PerFamily() = default;
  constexpr PerFamily(T ipv4, T ipv6) : values_{std::move(ipv4), std::move(ipv6)} {}
  constexpr T& operator[](Family family) { return values_[static_cast<std::size_t>(family)]; }
  constexpr const T& operator[](Family family) const { return values_[static_cast<std::size_t>(family)]; }
  friend constexpr auto operator<=>(const PerFamily&, const PerFamily&) = default;

 private:
  std::array<T, 2> values_{};
};

}  // namespace margay::bgp
