#include "base/ip/prefix.h"

#include <algorithm>
#include <optional>

#include "base/core/text.h"

namespace margay {
namespace {

bool length_fits(IpFamily family, int length) { return length >= 0 && length <= address_bits(family); }

std::optional<int> read_length(std::string_view text) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0') || text[0] == '-') return std::nullopt;
  return parse_number<int>(text);
}

enum class Form { kCidr, kCidrOrAddress };

// Address and length as they stand; an address alone only with kCidrOrAddress.
Result<InterfaceAddress> read(std::string_view text, Form form) {
  const auto parts = split_once(text, '/');
  if (!parts && form == Form::kCidr) {
    return invalid(concat(quoted(text), " is not a prefix: expected ADDRESS/LENGTH, such as 10.0.0.0/8 or fd00::/8"));
  }
  MARGAY_ASSIGN_OR_RETURN(const IpAddress address, IpAddress::parse(parts ? parts->first : text));
  if (!parts) return InterfaceAddress{address, address_bits(address.family())};
  const std::optional<int> length = read_length(parts->second);
  if (!length || !length_fits(address.family(), *length)) {
    return invalid(concat(quoted(text), " is not a prefix: the length of an ", to_string(address.family()),
                          " prefix is a number from 0 to ", address_bits(address.family())));
  }
  return InterfaceAddress{address, *length};
}

}  // namespace

Result<IpPrefix> IpPrefix::exact(const IpAddress& address, int length) {
  if (!length_fits(address.family(), length)) {
    return invalid(concat(length, " is no length of an ", margay::to_string(address.family()), " prefix"));
  }
  const IpPrefix prefix = containing(address, length);
  if (prefix.bits_ != address.bits()) {
    return invalid(concat(quoted(concat(address.to_string(), '/', length)),
                          " has bits set after its length: it lies in ", prefix.to_string()));
  }
  return prefix;
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  MARGAY_ASSIGN_OR_RETURN(const InterfaceAddress found, read(text, Form::kCidr));
  return exact(found.address, found.length);
}

Result<IpPrefix> IpPrefix::parse_containing(std::string_view text) {
  MARGAY_ASSIGN_OR_RETURN(const InterfaceAddress found, read(text, Form::kCidr));
  return containing(found.address, found.length);
}

Result<IpPrefix> IpPrefix::parse_cidr_or_address(std::string_view text) {
  MARGAY_ASSIGN_OR_RETURN(const InterfaceAddress found, read(text, Form::kCidrOrAddress));
  return exact(found.address, found.length);
}

IpPrefix IpPrefix::common(const IpPrefix& other) const {
  MARGAY_CHECK(family_ == other.family_);
  const int shared = std::min({length(), other.length(), bits_.common(other.bits_)});
  return IpPrefix(family_, bits_.leading(shared), shared);
}

std::string IpPrefix::to_string() const { return concat(first().to_string(), '/', length()); }

Result<InterfaceAddress> InterfaceAddress::parse(std::string_view text) { return read(text, Form::kCidrOrAddress); }

std::string InterfaceAddress::to_string() const { return concat(address.to_string(), '/', length); }

}  // namespace margay
