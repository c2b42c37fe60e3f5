#include "bgp/fsm/retention.h"

#include <algorithm>

#include "bgp/fsm/notification_codes.h"

namespace margay::bgp::fsm {
namespace {

bool is_hard_reset(const Notification& notification) {
  return notification.code == error_code::kCease && notification.subcode == cease_subcode::kHardReset;
}

// RFC 8538 §4: the subcodes of Cease after which the peer's routes are of no use.
bool is_final(const Notification& notification) {
  if (notification.code != error_code::kCease) return false;
  return notification.subcode == cease_subcode::kMaximumPrefixes ||
         notification.subcode == cease_subcode::kAdministrativeShutdown ||
         notification.subcode == cease_subcode::kPeerDeconfigured;
}

bool has_n_bit(const Negotiated& session) { return session.graceful_restart && session.graceful_restart->notification; }

// RFC 4724 §3: the capability without families only promises End-of-RIB. RFC 9494 §4.2: long-lived families count too.
bool names_families(const Negotiated& session) {
  return !session.graceful_restart->forwarding.empty() ||
         std::any_of(kFamilies.begin(), kFamilies.end(),
                     [&](Family family) { return session.long_lived[family].has_value(); });
}

}  // namespace

bool keeps_routes(const Negotiated& session, const DownReason& reason) {
  if (!session.graceful_restart || !names_families(session)) return false;
  switch (reason.kind) {
    case DownReason::Kind::kConnectionClosed:
    case DownReason::Kind::kConnectFailed: return true;
    case DownReason::Kind::kNotificationSent:
    case DownReason::Kind::kNotificationReceived:
    case DownReason::Kind::kHoldTimeExpired:
    case DownReason::Kind::kSendHoldTimeExpired:
    case DownReason::Kind::kAdministrative:
      return has_n_bit(session) && (!reason.notification || !is_hard_reset(*reason.notification));
  }
  return false;
}

Notification hard_reset(const Notification& inner) {
  if (is_hard_reset(inner)) return inner;
  Notification outer{error_code::kCease, cease_subcode::kHardReset, {}};
  outer.data.push_back(static_cast<char>(inner.code));
  outer.data.push_back(static_cast<char>(inner.subcode));
  outer.data += inner.data;
  return outer;
}

Notification as_sent(const Negotiated& session, const Notification& notification) {
  if (has_n_bit(session)) return is_final(notification) ? hard_reset(notification) : notification;
  if (!is_hard_reset(notification) || notification.data.size() < 2) return notification;
  return {static_cast<std::uint8_t>(notification.data[0]), static_cast<std::uint8_t>(notification.data[1]),
          notification.data.substr(2)};
}

}  // namespace margay::bgp::fsm
