// The codes of NOTIFICATION that the state machines send and tell apart, and the subcodes of an OPEN Message Error.
// RFC 4271 §4.5 and §6.2, RFC 5492 §5 (unsupported capability), RFC 7313 §5 (ROUTE-REFRESH), RFC 9687 §4 (Send Hold
// Timer). Those of a Cease stand in bgp/wire/message.h, all texts in bgp/wire/notification_text.cc.
#pragma once

#include <cstdint>

namespace margay::bgp::fsm {

namespace error_code {
inline constexpr std::uint8_t kOpen = 2, kUpdate = 3, kHoldTimerExpired = 4, kStateMachine = 5, kCease = 6,
                              kRouteRefresh = 7, kSendHoldTimerExpired = 8;
}  // namespace error_code

namespace open_subcode {
inline constexpr std::uint8_t kUnsupportedVersion = 1, kBadPeerAs = 2, kBadBgpIdentifier = 3, kUnsupportedParameter = 4,
                              kUnacceptableHoldTime = 6, kUnsupportedCapability = 7;
}  // namespace open_subcode

}  // namespace margay::bgp::fsm
