#include "bgp/wire/encode.h"

#include <algorithm>

#include "bgp/wire/big_endian.h"
#include "bgp/wire/capability_codec.h"
#include "bgp/wire/message_frame.h"

namespace margay::bgp {
namespace {

using wire::append_message;
using wire::store16;
using wire::store32;
using wire::store8;

constexpr std::size_t kOpenFixedSize = 10;  // version, AS, hold time, identifier, length of parameters
constexpr std::size_t kShortParameterMax = 255 - 2;
constexpr std::size_t kExtendedHeads = 3 + 3;  // of RFC 9072: 255 and length; type and length of the one parameter

// One parameter of type 2 with all capabilities; nothing without capabilities.
std::size_t parameters_size(std::size_t capabilities_size) {
  if (capabilities_size == 0) return 0;
  return capabilities_size + (capabilities_size > kShortParameterMax ? kExtendedHeads : 2);
}

// From the one-octet length on.
void store_parameters(char* at, const std::string& capabilities) {
  const std::size_t size = capabilities.size();
  if (size > kShortParameterMax) {
    at = store8(store8(at, 255), 255);
    at = store16(at, static_cast<std::uint16_t>(size + 3));
    at = store16(store8(at, 2), static_cast<std::uint16_t>(size));
  } else {
    at = store8(at, static_cast<std::uint8_t>(parameters_size(size)));
    if (size == 0) return;
    at = store8(store8(at, 2), static_cast<std::uint8_t>(size));
  }
  std::memcpy(at, capabilities.data(), size);
}

// The bytes of the first capabilities that fit an OPEN, whole ones.
std::size_t fitting_size(const std::string& capabilities) {
  constexpr std::size_t kRoom = kMessageSizeMax - kHeaderSize - kOpenFixedSize - kExtendedHeads;
  std::size_t end = 0;
  while (end < capabilities.size()) {
    const std::size_t next = end + 2 + static_cast<std::uint8_t>(capabilities[end + 1]);
    if (next > kRoom) break;
    end = next;
  }
  return end;
}

}  // namespace

void encode_open(const Open& open, std::string& out) {
  std::string capabilities;
  wire::encode_capabilities(open.capabilities, capabilities);
  capabilities.resize(fitting_size(capabilities));
  char* at = append_message(MessageType::kOpen, kOpenFixedSize + parameters_size(capabilities.size()), out);
  at = store8(at, 4);
  at = store16(at, static_cast<std::uint16_t>(open.asn.fits_two_octets() ? open.asn.value() : kAsTrans.value()));
  at = store16(at, open.hold_time_s);
  at = store32(at, open.router_id.value());
  store_parameters(at, capabilities);
}

void encode_keepalive(std::string& out) { append_message(MessageType::kKeepalive, 0, out); }

void encode_notification(const Notification& notification, std::string& out) {
  const std::size_t size = std::min(notification.data.size(), kMessageSizeMax - kHeaderSize - 2);
  char* at = append_message(MessageType::kNotification, 2 + size, out);
  at = store8(store8(at, notification.code), notification.subcode);
  std::memcpy(at, notification.data.data(), size);
}

void encode_route_refresh(const RouteRefresh& refresh, std::string& out) {
  const AfiSafi numbers = afi_safi(refresh.family);
  char* at = append_message(MessageType::kRouteRefresh, 4, out);
  store8(store8(store16(at, numbers.afi), static_cast<std::uint8_t>(refresh.kind)), numbers.safi);
}

}  // namespace margay::bgp
