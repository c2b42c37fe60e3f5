#include "base/ip/asn.h"

#include <optional>

#include "base/core/text.h"
#include "base/ip/address_text.h"

namespace margay {

Result<Asn> Asn::parse(std::string_view text) {
  const auto halves = split_once(text, '.');
  if (!halves) {
    if (const auto value = parse_number<std::uint32_t>(text)) return Asn(*value);
  } else {
    const auto high = parse_number<std::uint16_t>(halves->first);
    const auto low = parse_number<std::uint16_t>(halves->second);
    if (high && low) return Asn(std::uint32_t{*high} << 16 | *low);
  }
  return invalid(
      concat(quoted(text), " is not an AS number: expected 0 to 4294967295, or two numbers up to 65535 as in 1.10"));
}

std::string Asn::to_string() const { return concat(value_); }

std::string Asn::to_asdot() const {
  return fits_two_octets() ? to_string() : concat(value_ >> 16, '.', value_ & 0xffff);
}

Result<RouterId> RouterId::parse(std::string_view text) {
  const Result<Bits, std::string> bits = parse_v4_text(text);
  if (!bits.ok()) return invalid(concat(quoted(text), " is not a router ID such as 192.0.2.1"));
  const auto value = static_cast<std::uint32_t>(bits->high >> 32);
  if (value == 0) return invalid("a router ID must not be 0.0.0.0");
  return RouterId(value);
}

std::string RouterId::to_string() const { return print_v4_text(value_); }

}  // namespace margay
