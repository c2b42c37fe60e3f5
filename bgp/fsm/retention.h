// What keeps the routes of a peer whose session went down (RFC 4724 §4.2, RFC 8538 §4).
//
//   connection lost without a word                    kept, if both sides have Graceful Restart
//   NOTIFICATION sent or received, hold time expired  kept, if both sides have the N bit
//   Hard Reset (Cease 9), administratively stopped    dropped
#pragma once

#include "bgp/fsm/events.h"
#include "bgp/fsm/negotiated.h"
#include "bgp/wire/message.h"

namespace margay::bgp::fsm {

bool keeps_routes(const Negotiated& session, const DownReason& reason);

// `inner` inside of a Cease with the subcode Hard Reset (RFC 8538 §3.1); one already is its own.
Notification hard_reset(const Notification& inner);

// The form in which a NOTIFICATION of the owner's leaves in this session: what ends a peering for good (maximum
// prefixes, shutdown, deconfigured) as Hard Reset where the N bit is agreed on, and never as one where it is not.
Notification as_sent(const Negotiated& session, const Notification& notification);

}  // namespace margay::bgp::fsm
