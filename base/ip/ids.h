// Id<Tag, Rep>: a number that cannot be taken for another number. Explicit in, value() out, ordered, hashed.
//
//   using IfIndex = Id<struct IfIndexTag, std::uint32_t>;   // the kernel's index of an interface
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/core/result.h"
#include "base/core/text.h"

namespace margay {

template <class Tag, std::unsigned_integral Rep>
class Id {
 public:
  using rep = Rep;

  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}
  // Decimal digits only.
  static Result<Id> parse(std::string_view text) {
    const std::optional<Rep> value = parse_number<Rep>(text);
    if (!value) return invalid(concat(quoted(text), " is not a number from 0 to ", static_cast<Rep>(~Rep{0})));
    return Id(*value);
  }

  [[nodiscard]] constexpr Rep value() const { return value_; }
  [[nodiscard]] std::string to_string() const { return concat(value_); }

  friend constexpr auto operator<=>(const Id&, const Id&) = default;
  template <class H>
  friend H AbslHashValue(H state, const Id& id) {
    return H::combine(std::move(state), id.value_);
  }

 private:
  Rep value_ = 0;
};

// The kernel's index of a network interface; 0 is none.
using IfIndex = Id<struct IfIndexTag, std::uint32_t>;
// A kernel routing table (RTA_TABLE).
using RouteTableId = Id<struct RouteTableIdTag, std::uint32_t>;

}  // namespace margay

template <class Tag, class Rep>
struct std::hash<margay::Id<Tag, Rep>> {
  std::size_t operator()(const margay::Id<Tag, Rep>& id) const noexcept { return std::hash<Rep>()(id.value()); }
};
