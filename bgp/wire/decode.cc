#include "bgp/wire/decode.h"

#include <algorithm>

#include "base/core/text.h"
#include "bgp/wire/big_endian.h"
#include "bgp/wire/capability_codec.h"

namespace margay::bgp {
namespace {

using wire::load16;
using wire::load32;

constexpr std::size_t kMarkerSize = 16;
constexpr std::size_t kLengthAt = 16;
constexpr std::size_t kTypeAt = 18;
constexpr std::size_t kRouteRefreshSize = kHeaderSize + 4;
constexpr std::size_t kOpenSizeMin = 29;
constexpr std::uint8_t kVersion = 4;

enum HeaderSubcode : std::uint8_t { kNotSynchronized = 1, kBadLength = 2, kBadType = 3 };
enum OpenSubcode : std::uint8_t {
  kUnspecific = 0,
  kUnsupportedVersion = 1,
  kBadPeerAs = 2,
  kBadIdentifier = 3,
  kUnsupportedParameter = 4,
  kUnacceptableHoldTime = 6,
};

DecodeError header_error(HeaderSubcode subcode, bytes::View data, std::string what) {
  return {{1, subcode, std::string(bytes::text_of(data))}, std::move(what)};
}

DecodeError length_error(bytes::View message) {
  const bytes::View field = message.subspan(kLengthAt, 2);
  return header_error(kBadLength, field,
                      concat("header: length ", load16(field.data()), " of type ", message[kTypeAt]));
}

DecodeError open_error(OpenSubcode subcode, std::string_view what, std::string data = {}) {
  return {{2, subcode, std::move(data)}, concat("OPEN: ", what)};
}

struct SizeRange {
  std::size_t min = 0, max = 0;
};

// RFC 4271 §6.1; RFC 8654 §4: OPEN and KEEPALIVE stay small.
SizeRange size_range(std::uint8_t type, bool extended) {
  const std::size_t max = extended ? kExtendedMessageSizeMax : kMessageSizeMax;
  switch (type) {
    case 1: return SizeRange{kOpenSizeMin, kMessageSizeMax};
    case 2: return SizeRange{kHeaderSize + 4, max};
    case 3: return SizeRange{kHeaderSize + 2, max};
    case 4: return SizeRange{kHeaderSize, kHeaderSize};
    case 5: return SizeRange{kRouteRefreshSize, max};
    default: return SizeRange{kHeaderSize, max};
  }
}

bool is_marker(bytes::View bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0xff; });
}

// Optional parameters, in the form of RFC 4271 or that of RFC 9072 (one- or two-octet lengths).
std::optional<DecodeError> decode_parameters(bytes::View parameters, std::size_t length_size, Capabilities& out) {
  while (!parameters.empty()) {
    const std::size_t head = 1 + length_size;
    if (parameters.size() < head) return open_error(kUnspecific, "optional parameter cut short");
    const std::size_t size = length_size == 1 ? parameters[1] : load16(parameters.data() + 1);
    if (parameters.size() - head < size) return open_error(kUnspecific, "optional parameter runs past the end");
    if (parameters[0] != 2) return open_error(kUnsupportedParameter, concat("optional parameter ", parameters[0]));
    if (const auto fault = wire::decode_capabilities(parameters.subspan(head, size), out)) {
      return open_error(kUnspecific, *fault);
    }
    parameters = parameters.subspan(head + size);
  }
  return std::nullopt;
}

std::optional<DecodeError> decode_optional(bytes::View message, Capabilities& out) {
  const std::size_t size = message[kOpenSizeMin - 1];
  bytes::View parameters = message.subspan(kOpenSizeMin);
  // RFC 9072 §2: the length before type 255 is not looked at, unless it is 0.
  if (size != 0 && !parameters.empty() && parameters[0] == 255) {
    if (parameters.size() < 3) return open_error(kUnspecific, "extended optional parameters cut short");
    const std::size_t extended_size = load16(parameters.data() + 1);
    if (parameters.size() - 3 != extended_size) return open_error(kUnspecific, "length of optional parameters");
    return decode_parameters(parameters.subspan(3), 2, out);
  }
  if (parameters.size() != size) return open_error(kUnspecific, "length of optional parameters");
  return decode_parameters(parameters, 1, out);
}

std::optional<DecodeError> check_open(const Open& open) {
  if (open.asn.value() == 0) return open_error(kBadPeerAs, "AS 0");  // RFC 7607 §2
  if (open.hold_time_s == 1 || open.hold_time_s == 2) {
    return open_error(kUnacceptableHoldTime, concat("hold time ", open.hold_time_s));
  }
  if (open.router_id.value() == 0) return open_error(kBadIdentifier, "identifier 0.0.0.0");  // RFC 6286 §2.2
  return std::nullopt;
}

}  // namespace

Result<std::optional<Header>, DecodeError> decode_header(bytes::View bytes, const DecodeContext& context) {
  if (!is_marker(bytes.first(std::min(bytes.size(), kMarkerSize)))) {
    return header_error(kNotSynchronized, {}, "header: marker is not all ones");
  }
  if (bytes.size() < kHeaderSize) return std::optional<Header>{};
  const std::uint8_t type = bytes[kTypeAt];
  const SizeRange range = size_range(type, context.extended_message);
  const std::size_t size = load16(bytes.data() + kLengthAt);
  if (size < range.min || size > range.max) return length_error(bytes);
  if (type == 0 || type > 5) {
    return header_error(kBadType, bytes.subspan(kTypeAt, 1), concat("header: unknown type ", type));
  }
  return std::optional(Header{static_cast<MessageType>(type), size});
}

Result<Open, DecodeError> decode_open(bytes::View message) {
  if (message.size() < kOpenSizeMin) return open_error(kUnspecific, "shorter than 29 bytes");
  const std::uint8_t* const body = message.data() + kHeaderSize;
  if (body[0] != kVersion) {
    return open_error(kUnsupportedVersion, concat("version ", body[0]), std::string("\0\4", 2));
  }
  Open open{Asn(load16(body + 1)), load16(body + 3), RouterId(load32(body + 5)), {}};
  if (auto error = decode_optional(message, open.capabilities)) return *std::move(error);
  if (open.capabilities.four_octet_asn) open.asn = *open.capabilities.four_octet_asn;
  if (auto error = check_open(open)) return *std::move(error);
  return open;
}

Result<Notification, DecodeError> decode_notification(bytes::View message) {
  if (message.size() < kHeaderSize + 2) return header_error(kBadLength, {}, "NOTIFICATION: shorter than 21 bytes");
  return Notification{message[kHeaderSize], message[kHeaderSize + 1],
                      std::string(bytes::text_of(message.subspan(kHeaderSize + 2)))};
}

Result<std::variant<RouteRefresh, Ignored>, DecodeError> decode_route_refresh(bytes::View message) {
  using Decoded = std::variant<RouteRefresh, Ignored>;
  if (message.size() < kRouteRefreshSize) return header_error(kBadLength, {}, "ROUTE-REFRESH: shorter than 23 bytes");
  const std::uint8_t* const body = message.data() + kHeaderSize;
  const std::uint8_t subtype = body[2];
  // RFC 7313 §5. A request may carry filters (RFC 5291); we never offered to obey them.
  if ((subtype == 1 || subtype == 2) && message.size() != kRouteRefreshSize) {
    return DecodeError{{7, 1, std::string(bytes::text_of(message))}, "ROUTE-REFRESH: length is not 23"};
  }
  if (subtype > 2) return Decoded(Ignored{"ROUTE-REFRESH of an unknown kind"});
  const std::optional<Family> family = family_of(AfiSafi{load16(body), body[3]});
  if (!family) return Decoded(Ignored{"ROUTE-REFRESH of a family we do not speak"});
  return Decoded(RouteRefresh{*family, static_cast<RefreshKind>(subtype)});
}

}  // namespace margay::bgp
