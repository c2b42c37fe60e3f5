#include "base/ip/address.h"

#include "base/core/text.h"
#include "base/ip/address_text.h"

namespace margay {

std::string_view to_string(IpFamily family) { return family == IpFamily::kV4 ? "IPv4" : "IPv6"; }

std::optional<IpAddress> IpAddress::from_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  Bits bits;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::uint64_t& half = i < 8 ? bits.high : bits.low;
    half |= std::uint64_t{bytes[i]} << (56 - 8 * (i % 8));
  }
  return IpAddress(bytes.size() == 4 ? IpFamily::kV4 : IpFamily::kV6, bits);
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const bool is_v6_text = text.find(':') != std::string_view::npos;
  const Result<Bits, std::string> bits = is_v6_text ? parse_v6_text(text) : parse_v4_text(text);
  if (!bits.ok()) return invalid(concat(quoted(text), " is not an IP address: ", bits.error()));
  return IpAddress(is_v6_text ? IpFamily::kV6 : IpFamily::kV4, bits.value());
}

std::uint32_t IpAddress::v4_value() const {
  MARGAY_CHECK(is_v4());
  return static_cast<std::uint32_t>(bits_.high >> 32);
}

std::array<std::uint8_t, 16> IpAddress::bytes() const {
  std::array<std::uint8_t, 16> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t half = i < 8 ? bits_.high : bits_.low;
    out[i] = static_cast<std::uint8_t>(half >> (56 - 8 * (i % 8)));
  }
  return out;
}

bool IpAddress::is_loopback() const { return is_v4() ? bits_.high >> 56 == 127 : bits_ == Bits{.high = 0, .low = 1}; }

bool IpAddress::is_link_local() const { return is_v4() ? bits_.high >> 48 == 0xa9fe : bits_.high >> 54 == 0xfe80 >> 6; }

bool IpAddress::is_multicast() const { return is_v4() ? bits_.high >> 60 == 0xe : bits_.high >> 56 == 0xff; }

std::optional<IpAddress> IpAddress::plus(std::uint64_t count) const {
  if (is_v4()) {
    const std::uint64_t sum = v4_value() + (count > UINT32_MAX ? std::uint64_t{UINT32_MAX} + 1 : count);
    if (sum > UINT32_MAX) return std::nullopt;
    return v4(static_cast<std::uint32_t>(sum));
  }
  const std::uint64_t low = bits_.low + count;
  const std::uint64_t high = bits_.high + (low < count ? 1 : 0);
  if (high < bits_.high) return std::nullopt;
  return v6(high, low);
}

std::optional<std::uint64_t> IpAddress::offset_from(const IpAddress& base) const {
  if (family_ != base.family_ || *this < base) return std::nullopt;
  if (is_v4()) return v4_value() - base.v4_value();
  const std::uint64_t borrow = bits_.low < base.bits_.low ? 1 : 0;
  if (bits_.high - base.bits_.high != borrow) return std::nullopt;
  return bits_.low - base.bits_.low;
}

std::string IpAddress::to_string() const { return is_v4() ? print_v4_text(v4_value()) : print_v6_text(bits_); }

}  // namespace margay
