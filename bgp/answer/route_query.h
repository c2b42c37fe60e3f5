// GET /routes[?peer=IP][&in|out][&prefix=P[&match=exact|inside|holding]]: what is asked for.
//
// in and out are Adj-RIB-In and Adj-RIB-Out and need a peer; without them the Loc-RIB with all its paths. `prefix` may
// be an address. match: this prefix alone (as without it), it and those inside of it, it and those it is inside of.
// Errors: kInvalid, for people.
#pragma once

#include "base/core/result.h"
#include "base/http/message.h"
#include "bgp/speaker/snapshot.h"

namespace margay::bgp {

Result<SnapshotQuery> route_query(const http::Target& target);

}  // namespace margay::bgp
