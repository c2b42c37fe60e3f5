// Decoding: bytes and what the session agreed on in, messages out. Pure; never reads past the bytes, never throws.
//
// An UPDATE is decoded into one the caller keeps, so that a busy session allocates nothing. What RFC 7606 lets live
// (attribute discard, treat-as-withdraw) is applied here and told in Update::faults; only what must reset the session
// is an error, and it is the NOTIFICATION to send.
#pragma once

#include <optional>
#include <variant>

#include "base/bytes/reader.h"
#include "base/core/result.h"
#include "bgp/wire/message.h"

namespace margay::bgp {

struct DecodeError {
  Notification notification;
  std::string what;  // for people: "UPDATE: attribute 14: next hop of 5 bytes"
  friend bool operator==(const DecodeError&, const DecodeError&) = default;
};

// What was negotiated, as far as it changes the meaning of bytes, and whom they come from.
struct DecodeContext {
  bool four_octet_as = true;
  bool extended_message = false;
  PerFamily<bool> families{true, false};  // those of the session; others are ignored (RFC 4760 §7)
  PerFamily<bool> add_path;               // received NLRI carry identifiers
  PerFamily<bool> extended_next_hop;      // RFC 8950
  bool is_internal = false;               // iBGP
  Asn peer_asn;                           // as configured or learnt; checked as first of the path on eBGP
  bool enforce_first_as = true;           // RFC 4271 §6.3; off towards route servers
  bool allow_as_set = false;              // RFC 9774: off
};

struct Header {
  MessageType type = MessageType::kKeepalive;
  std::size_t size = 0;  // of the whole message
};

// The header at the front of `bytes`: nullopt until all 19 bytes are there. Wrong marker, length or type: an error with
// the subcode and data of RFC 4271 §6.1. `open_seen`: before that no message may be longer than 4096.
Result<std::optional<Header>, DecodeError> decode_header(bytes::View bytes, const DecodeContext& context);

// Each takes one whole message, header included, of that type.
Result<Open, DecodeError> decode_open(bytes::View message);
Result<Notification, DecodeError> decode_notification(bytes::View message);
Result<std::variant<RouteRefresh, Ignored>, DecodeError> decode_route_refresh(bytes::View message);
// Into `update`, which is cleared first; after an error its content means nothing.
Result<std::monostate, DecodeError> decode_update(bytes::View message, const DecodeContext& context, Update& update);

}  // namespace margay::bgp
