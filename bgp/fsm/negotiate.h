// negotiate(): what two OPENs make of a session, or why there can be none. Pure.
#pragma once

#include "base/core/result.h"
#include "bgp/fsm/config.h"
#include "bgp/fsm/negotiated.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/message.h"

namespace margay::bgp::fsm {

// The OPEN we send (RFC 4271 §4.2).
Open make_open(const PeerConfig& config);

// `config` is the one the sent OPEN was made from. The error is the NOTIFICATION to answer with: Bad Peer AS (also for
// AS 0, RFC 7607, and AS_TRANS, RFC 6793), Bad BGP Identifier (0, or ours on iBGP: RFC 6286), Unacceptable Hold Time
// (1 and 2), Unsupported Capability with those we miss (no common family: RFC 5492 §3).
Result<Negotiated, DecodeError> negotiate(const PeerConfig& config, const Open& received);

// Between KEEPALIVEs with a hold time agreed on, not 0.
Duration keepalive_interval(const Timers& timers, Duration hold);

}  // namespace margay::bgp::fsm
