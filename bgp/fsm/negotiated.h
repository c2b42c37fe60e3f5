// Negotiated: what both OPENs together mean for the session. Made by negotiate(), read by everybody.
#pragma once

#include <optional>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/ip/asn.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"
#include "bgp/wire/message.h"

namespace margay::bgp::fsm {

struct Negotiated {
  Asn local_asn;
  Asn remote_asn;
  RouterId local_id;
  RouterId remote_id;
  bool is_internal = false;      // iBGP
  std::optional<Duration> hold;  // nullopt: no hold timer, no keepalives (RFC 4271 §4.2)
  std::optional<Duration> keepalive;
  PerFamily<bool> families;  // both sides offered
  PerFamily<bool> add_path_receive;
  PerFamily<bool> add_path_send;
  PerFamily<bool> extended_next_hop;
  bool four_octet_as = false;
  bool extended_message = false;
  bool route_refresh = false;
  bool enhanced_route_refresh = false;
  // What the peer promised (RFC 4724, 8538, 9494); nullopt: it does not keep our routes, we do not keep its.
  std::optional<GracefulRestart> graceful_restart;
  PerFamily<std::optional<LongLivedFamily>> long_lived;
  Capabilities sent;
  Capabilities received;

  [[nodiscard]] DecodeContext decode_context() const;
  [[nodiscard]] EncodeContext encode_context() const;
};

}  // namespace margay::bgp::fsm
