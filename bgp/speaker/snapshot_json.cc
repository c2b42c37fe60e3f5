#include "bgp/speaker/snapshot_json.h"

#include <utility>

#include "base/core/text.h"

namespace margay::bgp {
namespace {

json::Value seconds_of(const std::optional<Duration>& duration) {
  if (!duration) return nullptr;
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(*duration).count()) / 1000;
}

json::Value number(std::uint64_t value) { return static_cast<std::int64_t>(value); }
template <class T>
json::Value number(const std::optional<T>& value) {
  return value ? number(std::uint64_t{*value}) : json::Value(nullptr);
}

json::Value strings(const std::vector<std::string>& values) {
  json::Array array;
  for (const std::string& value : values) array.emplace_back(value);
  return array;
}

std::uint64_t sum(const PerFamily<std::uint64_t>& counts) {
  return counts[Family::kIpv4Unicast] + counts[Family::kIpv6Unicast];
}

std::string_view origin_text(Origin origin) {
  switch (origin) {
    case Origin::kIgp: return "IGP";
    case Origin::kEgp: return "EGP";
    case Origin::kIncomplete: return "incomplete";
  }
  return "";
}

std::string last_error_text(const fsm::DownReason& reason) {
  // "received …" says it all; our own reason has a text of its own.
  if (!reason.notification || reason.kind == fsm::DownReason::Kind::kNotificationReceived) return reason.text;
  return concat(reason.text, ": ", reason.notification->to_string());
}

json::Value to_json(const MessageCounts& counts) {
  json::Object out;
  out["opens"] = number(counts.opens);
  out["updates"] = number(counts.updates);
  out["notifications"] = number(counts.notifications);
  out["keepalives"] = number(counts.keepalives);
  out["routeRefreshes"] = number(counts.refreshes);
  out["total"] = number(counts.total);
  out["bytes"] = number(counts.bytes);
  return out;
}

json::Value families_json(const rib::PeerCounts& counts) {
  json::Object out;
  for (const Family family : kFamilies) {
    json::Object one;
    one["received"] = number(counts.received[family]);
    one["accepted"] = number(counts.accepted[family]);
    one["sent"] = number(counts.sent[family]);
    one["paths"] = number(counts.paths[family]);
    one["pathsIgnored"] = number(counts.ignored[family]);
    one["stale"] = number(counts.stale[family]);
    out[to_string(family)] = std::move(one);
  }
  return out;
}

json::Value session_json(const fsm::Negotiated& session) {
  json::Object out;
  out["remoteRouterID"] = session.remote_id.to_string();
  out["holdTimeSeconds"] = seconds_of(session.hold);
  out["keepaliveSeconds"] = seconds_of(session.keepalive);
  json::Array families;
  for (const Family family : kFamilies) {
    if (session.families[family]) families.emplace_back(to_string(family));
  }
  out["families"] = std::move(families);
  out["capabilitiesSent"] = strings(session.sent.to_strings());
  out["capabilitiesReceived"] = strings(session.received.to_strings());
  return out;
}

}  // namespace

std::string problem_of(const PeerSnapshot& peer) {
  if (peer.state == fsm::State::kEstablished) return {};
  if (!peer.socket_error.empty()) return peer.socket_error;
  if (peer.last_attempt_error) return last_error_text(*peer.last_attempt_error);
  return peer.last_error ? last_error_text(*peer.last_error) : std::string();
}

json::Value to_json(const PeerSnapshot& peer) {
  json::Object out;
  out["address"] = peer.address.to_string();
  out["port"] = static_cast<std::int64_t>(peer.port);
  out["name"] = peer.name;
  out["asNumber"] = peer.remote_asn ? number(std::uint64_t{peer.remote_asn->value()}) : json::Value(nullptr);
  out["localASNumber"] = number(std::uint64_t{peer.local_asn.value()});
  out["type"] = peer.is_internal ? "internal" : "external";
  out["state"] = fsm::to_string(peer.state);
  const bool is_up = peer.state == fsm::State::kEstablished;
  out["uptimeSeconds"] = is_up ? seconds_of(peer.since) : json::Value(0.0);
  out["sinceSeconds"] = seconds_of(peer.since);
  out["dynamic"] = peer.is_dynamic;
  out["passive"] = peer.is_passive;
  out["localAddress"] = peer.local_address;
  out["prefixesReceived"] = number(sum(peer.routes.received));
  out["prefixesAccepted"] = number(sum(peer.routes.accepted));
  out["prefixesSent"] = number(sum(peer.routes.sent));
  out["prefixesStale"] = number(sum(peer.routes.stale));
  out["prefixes"] = families_json(peer.routes);
  out["lastError"] = peer.last_error ? last_error_text(*peer.last_error) : std::string();
  out["lastErrorAgeSeconds"] = seconds_of(peer.last_error_age);
  out["lastAttemptError"] = peer.last_attempt_error ? last_error_text(*peer.last_attempt_error) : std::string();
  out["lastAttemptErrorAgeSeconds"] = seconds_of(peer.last_attempt_error_age);
  out["problem"] = problem_of(peer);
  out["lastErrorBytes"] = peer.last_error_bytes;
  out["socketError"] = peer.socket_error;
  out["lastAttemptErrorBytes"] = peer.last_attempt_error_bytes;
  out["timesEstablished"] = number(peer.times_established);
  out["timesDropped"] = number(peer.times_dropped);
  out["holdTimeLeftSeconds"] = seconds_of(peer.hold_time_left);
  out["queuedBytes"] = number(std::uint64_t{peer.queued_bytes});
  out["bfdState"] = peer.bfd_state;
  out["bfdDowns"] = number(peer.bfd_downs);
  out["messagesReceived"] = to_json(peer.received);
  out["messagesSent"] = to_json(peer.sent);
  json::Object faults;
  for (const auto& [what, count] : peer.faults) faults[what] = number(count);
  out["updateFaults"] = std::move(faults);
  out["session"] = peer.session ? session_json(*peer.session) : json::Value(nullptr);
  return out;
}

json::Value to_json(const RouteSnapshot& route) {
  json::Object out;
  out["prefix"] = route.prefix.to_string();
  // Our own routes have none until they are sent.
  out["nextHop"] = route.next_hop.address.is_unspecified() ? "" : route.next_hop.address.to_string();
  if (route.next_hop.link_local) out["nextHopLinkLocal"] = route.next_hop.link_local->to_string();
  out["peer"] = route.peer ? route.peer->to_string() : "";
  out["best"] = route.best;
  out["multipath"] = route.multipath;
  out["stale"] = route.stale;
  out["filtered"] = route.filtered;
  out["pathID"] = number(std::uint64_t{route.path_id});
  out["asPath"] = route.as_path;
  out["origin"] = origin_text(route.origin);
  out["localPref"] = number(route.local_pref);
  out["med"] = number(route.med);
  out["communities"] = strings(route.communities);
  if (route.originator_id) out["originatorID"] = route.originator_id->to_string();
  out["reason"] = route.reason;
  return out;
}

json::Value speaker_json(const SpeakerSnapshot& snapshot) {
  json::Object out;
  out["asNumber"] = number(std::uint64_t{snapshot.asn.value()});
  out["routerID"] = snapshot.router_id.to_string();
  out["restarting"] = snapshot.restarting;
  out["uptimeSeconds"] = seconds_of(snapshot.uptime);
  out["problems"] = strings(snapshot.problems);
  return out;
}

}  // namespace margay::bgp
