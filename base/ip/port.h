// Port: a TCP, UDP or SCTP port. PortRange: first to last, both included, written "80" or "8000:8100" as Calico does.
// Whether 0 is allowed is for whoever uses it to say.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/core/result.h"
#include "base/ip/ids.h"

namespace margay {

using Port = Id<struct PortTag, std::uint16_t>;

class PortRange {
 public:
  constexpr explicit PortRange(Port only) : first_(only), last_(only) {}
  static constexpr PortRange all() { return PortRange(Port(0), Port(0xffff)); }
  // The error says so when `last` lies before `first`.
  static Result<PortRange> between(Port first, Port last);
  static Result<PortRange> parse(std::string_view text);

  [[nodiscard]] constexpr Port first() const { return first_; }
  [[nodiscard]] constexpr Port last() const { return last_; }
  [[nodiscard]] constexpr bool contains(Port port) const { return first_ <= port && port <= last_; }
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const PortRange&, const PortRange&) = default;
  template <class H>
  friend H AbslHashValue(H state, const PortRange& range) {
    return H::combine(std::move(state), range.first_, range.last_);
  }

 private:
  constexpr PortRange(Port first, Port last) : first_(first), last_(last) {}

  Port first_;
  Port last_;  // never before first_
};

}  // namespace margay

template <>
struct std::hash<margay::PortRange> {
  std::size_t operator()(const margay::PortRange& range) const noexcept {
    return std::hash<std::uint32_t>()(std::uint32_t{range.first().value()} << 16 | range.last().value());
  }
};
