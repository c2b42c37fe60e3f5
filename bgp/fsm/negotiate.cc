#include "bgp/fsm/negotiate.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/bytes/writer.h"
#include "base/core/text.h"
#include "bgp/fsm/notification_codes.h"

namespace margay::bgp::fsm {
namespace {

constexpr std::uint16_t kHoldTimeMin_s = 3;  // RFC 4271 §4.2, but for 0

DecodeError refusal(std::uint8_t subcode, const std::string& what, std::string data = {}) {
  return {{error_code::kOpen, subcode, std::move(data)}, concat("OPEN: ", what)};
}

// RFC 6793 §4.1: a speaker of four-octet numbers gives its own in the capability; the field of the OPEN must say the
// same, or AS_TRANS. nullopt: they contradict each other.
std::optional<Asn> asn_of(const Open& open) {
  const std::optional<Asn>& four_octet = open.capabilities.four_octet_asn;
  if (!four_octet || *four_octet == open.asn || open.asn == kAsTrans) return four_octet.value_or(open.asn);
  return std::nullopt;
}

Result<Asn, DecodeError> check_asn(const PeerConfig& config, const Open& open) {
  const std::optional<Asn> asn = asn_of(open);
  if (!asn) return refusal(open_subcode::kBadPeerAs, "two different AS numbers");
  if (asn->value() == 0) return refusal(open_subcode::kBadPeerAs, "AS number 0");  // RFC 7607 §2
  if (*asn == kAsTrans) return refusal(open_subcode::kBadPeerAs, "AS_TRANS as AS number");
  if (config.remote_asn && *asn != *config.remote_asn) {
    return refusal(open_subcode::kBadPeerAs,
                   concat("AS number ", asn->to_string(), " where ", config.remote_asn->to_string(), " is configured"));
  }
  if (!config.remote_asn && !config.allows_internal && *asn == config.local_asn) {
    return refusal(open_subcode::kBadPeerAs, concat("AS number ", asn->to_string(), " is our own"));
  }
  return *asn;
}

// Whether `offered` covers the family. Without any multiprotocol capability it is a speaker of plain RFC 4271.
bool offers(const Capabilities& offered, Family family) {
  if (offered.multiprotocol.empty()) return family == Family::kIpv4Unicast;
  return offered.multiprotocol.contains(afi_safi(family));
}

// The capabilities whose lack at the peer ends the conversation, as RFC 5492 §3 wants them in the NOTIFICATION.
std::string missing_families(const PeerConfig& config) {
  bytes::Writer writer;
  for (const Family family : kFamilies) {
    if (!config.families[family]) continue;
    const auto [afi, safi] = afi_safi(family);
    writer.u8(1);  // multiprotocol
    writer.u8(4);
    writer.u16(afi);
    writer.u8(0);
    writer.u8(safi);
  }
  return std::move(writer).finish().value_or({});
}

void agree_on_families(const PeerConfig& config, const Capabilities& received, Negotiated& session) {
  const Capabilities& sent = config.capabilities;
  const auto direction_of = [](const Capabilities& offered, Family family) {
    const auto found = offered.add_path.find(afi_safi(family));
    return found == offered.add_path.end() ? AddPath{} : found->second;
  };
  for (const Family family : kFamilies) {
    session.families[family] = config.families[family] && offers(sent, family) && offers(received, family);
    if (!session.families[family]) continue;
    const AddPath ours = direction_of(sent, family);
    const AddPath theirs = direction_of(received, family);
    session.add_path_receive[family] = ours.receive && theirs.send;  // RFC 7911 §4
    session.add_path_send[family] = ours.send && theirs.receive;
    session.extended_next_hop[family] = sent.extended_next_hop.contains(afi_safi(family)) &&  // RFC 8950 §4
                                        received.extended_next_hop.contains(afi_safi(family));
  }
}

// RFC 4724 §3, RFC 9494 §4.2: counts when both offered it, for families of the session.
void agree_on_restart(const Capabilities& sent, const Capabilities& received, Negotiated& session) {
  if (!sent.graceful_restart || !received.graceful_restart) return;
  GracefulRestart promised = *received.graceful_restart;
  promised.notification = promised.notification && sent.graceful_restart->notification;  // RFC 8538 §2
  std::erase_if(promised.forwarding, [&](const auto& entry) {
    const std::optional<Family> family = family_of(entry.first);
    return !family || !session.families[*family];
  });
  session.graceful_restart = std::move(promised);
  for (const Family family : kFamilies) {
    const auto theirs = received.long_lived.find(afi_safi(family));
    if (!session.families[family] || !sent.long_lived.contains(afi_safi(family))) continue;
    if (theirs != received.long_lived.end()) session.long_lived[family] = theirs->second;
  }
}

// RFC 4271 §4.2: the smaller hold time; 0 on either side is none at all.
void agree_on_times(const Timers& timers, std::uint16_t ours_s, std::uint16_t theirs_s, Negotiated& session) {
  const Duration hold = std::chrono::seconds(std::min(ours_s, theirs_s));
  if (hold == Duration{}) return;
  session.hold = hold;
  session.keepalive = keepalive_interval(timers, hold);
}

std::uint16_t offered_hold_s(const Timers& timers) {
  const auto hold = std::chrono::duration_cast<std::chrono::seconds>(timers.hold).count();
  return static_cast<std::uint16_t>(std::clamp<std::int64_t>(hold, 0, 0xffff));
}

}  // namespace

Open make_open(const PeerConfig& config) {
  return {config.local_asn, offered_hold_s(config.timers), config.router_id, config.capabilities};
}

Result<Negotiated, DecodeError> negotiate(const PeerConfig& config, const Open& received) {
  const Result<Asn, DecodeError> asn = check_asn(config, received);
  if (!asn.ok()) return asn.error();
  if (received.hold_time_s != 0 && received.hold_time_s < kHoldTimeMin_s) {
    return refusal(open_subcode::kUnacceptableHoldTime, concat("hold time of ", received.hold_time_s, " s"));
  }
  Negotiated session;
  session.local_asn = config.local_asn;
  session.remote_asn = *asn;
  session.local_id = config.router_id;
  session.remote_id = received.router_id;
  session.is_internal = *asn == config.local_asn;
  if (received.router_id.value() == 0 || (session.is_internal && received.router_id == config.router_id)) {
    return refusal(open_subcode::kBadBgpIdentifier, concat("BGP identifier ", received.router_id.to_string()));
  }
  const Capabilities& sent = config.capabilities;
  const Capabilities& theirs = received.capabilities;
  agree_on_families(config, theirs, session);
  if (session.families == PerFamily<bool>{}) {
    return refusal(open_subcode::kUnsupportedCapability, "no common address family", missing_families(config));
  }
  agree_on_times(config.timers, offered_hold_s(config.timers), received.hold_time_s, session);
  agree_on_restart(sent, theirs, session);
  session.four_octet_as = sent.four_octet_asn && theirs.four_octet_asn;
  session.extended_message = sent.extended_message && theirs.extended_message;
  session.route_refresh = sent.route_refresh && theirs.route_refresh;
  session.enhanced_route_refresh = sent.enhanced_route_refresh && theirs.enhanced_route_refresh;
  session.sent = sent;
  session.received = theirs;
  return session;
}

DecodeContext Negotiated::decode_context() const {
  DecodeContext context;
  context.four_octet_as = four_octet_as;
  context.extended_message = extended_message;
  context.families = families;
  context.add_path = add_path_receive;
  context.extended_next_hop = extended_next_hop;
  context.is_internal = is_internal;
  context.peer_asn = remote_asn;
  return context;
}

EncodeContext Negotiated::encode_context() const {
  return {four_octet_as, extended_message, add_path_send, extended_next_hop};
}

Duration keepalive_interval(const Timers& timers, Duration hold) {
  return std::min(timers.keepalive.value_or(hold / 3), hold / 3);
}

}  // namespace margay::bgp::fsm
