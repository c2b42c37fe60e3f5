// Mac: an Ethernet address (EUI-48).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/core/result.h"

namespace margay {

class Mac {
 public:
  // 00:00:00:00:00:00
  constexpr Mac() = default;
  constexpr explicit Mac(const std::array<std::uint8_t, 6>& bytes) : bytes_(bytes) {}
  // Six pairs of hexadecimal digits, all separated by ':' or all by '-'.
  static Result<Mac> parse(std::string_view text);

  [[nodiscard]] constexpr const std::array<std::uint8_t, 6>& bytes() const { return bytes_; }
  [[nodiscard]] constexpr bool is_zero() const { return *this == Mac(); }
  [[nodiscard]] constexpr bool is_multicast() const { return (bytes_[0] & 1) != 0; }
  [[nodiscard]] constexpr bool is_locally_administered() const { return (bytes_[0] & 2) != 0; }
  [[nodiscard]] constexpr std::uint64_t value() const {
    std::uint64_t out = 0;
    for (const std::uint8_t byte : bytes_) out = out << 8 | byte;
    return out;
  }
  // "ee:ee:ee:ee:ee:ee"
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const Mac&, const Mac&) = default;
  template <class H>
  friend H AbslHashValue(H state, const Mac& mac) {
    return H::combine(std::move(state), mac.value());
  }

 private:
  std::array<std::uint8_t, 6> bytes_{};
};

}  // namespace margay

template <>
struct std::hash<margay::Mac> {
  std::size_t operator()(const margay::Mac& mac) const noexcept { return std::hash<std::uint64_t>()(mac.value()); }
};
