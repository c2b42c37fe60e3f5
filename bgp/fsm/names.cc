#include <string_view>

#include "bgp/fsm/config.h"
#include "bgp/fsm/events.h"

namespace margay::bgp::fsm {

std::string_view to_string(State state) {
  switch (state) {
    case State::kIdle: return "Idle";
    case State::kConnect: return "Connect";
    case State::kActive: return "Active";
    case State::kOpenSent: return "OpenSent";
    case State::kOpenConfirm: return "OpenConfirm";
    case State::kEstablished: return "Established";
  }
  return "";
}

std::string_view to_string(TimerKind kind) {
  switch (kind) {
    case TimerKind::kIdleHold: return "IdleHold";
    case TimerKind::kConnectRetry: return "ConnectRetry";
    case TimerKind::kOutgoingHold: return "OutgoingHold";
    case TimerKind::kIncomingHold: return "IncomingHold";
    case TimerKind::kKeepalive: return "Keepalive";
    case TimerKind::kSendHold: return "SendHold";
  }
  return "";
}

std::string_view to_string(DownReason::Kind kind) {
  switch (kind) {
    case DownReason::Kind::kNotificationSent: return "notification-sent";
    case DownReason::Kind::kNotificationReceived: return "notification-received";
    case DownReason::Kind::kHoldTimeExpired: return "hold-time-expired";
    case DownReason::Kind::kSendHoldTimeExpired: return "send-hold-time-expired";
    case DownReason::Kind::kConnectionClosed: return "connection-closed";
    case DownReason::Kind::kConnectFailed: return "connect-failed";
    case DownReason::Kind::kAdministrative: return "administrative";
  }
  return "";
}

}  // namespace margay::bgp::fsm
