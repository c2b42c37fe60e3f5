#include "bgp/speaker/config.h"

#include <set>

#include "base/core/text.h"

namespace margay::bgp {
namespace {

using std::chrono::seconds;
using Kind = FieldError::Kind;

constexpr std::size_t kPasswordMax = 80;       // TCP_MD5SIG_MAXKEYLEN of linux/tcp.h
constexpr std::size_t kShutdownTextMax = 255;  // RFC 9003 §2
constexpr Duration kHoldTimeMax = seconds(65535);
constexpr Duration kRestartTimeMax = seconds(4095);         // 12 bits, RFC 4724 §3
constexpr Duration kLongLivedMax = seconds((1 << 24) - 1);  // 24 bits, RFC 9494 §3.1

// RFC 7607, RFC 7300, RFC 6793 §9.
bool is_usable(Asn asn) { return asn != Asn(0) && asn != kAsTrans && asn != Asn(65535) && asn != Asn(4294967295U); }

// Collects what is wrong below one place.
class Check {
 public:
  Check(std::vector<FieldError>& errors, std::string place) : errors_(errors), place_(std::move(place)) {}

  void that(bool holds, std::string_view field, std::string message, Kind kind = Kind::kInvalid) {
    if (holds) return;
    errors_.push_back({kind, place_.empty() ? std::string(field) : concat(place_, ".", field), std::move(message)});
  }

 private:
  std::vector<FieldError>& errors_;
  std::string place_;
};

void check_numbers(Check& check, const PeerSettings& peer) {
  check.that(!peer.remote_asn || is_usable(*peer.remote_asn), "remote_asn", "an AS number that nobody may use");
  check.that(!peer.local_asn || is_usable(*peer.local_asn), "local_asn", "an AS number that nobody may use");
  check.that(!peer.ttl_security || (*peer.ttl_security >= 1 && *peer.ttl_security <= 254), "ttl_security",
             "hops must be 1 to 254");
  check.that(!peer.multihop_ttl || *peer.multihop_ttl >= 1, "multihop_ttl", "must be at least 1");
  check.that(!(peer.ttl_security && peer.multihop_ttl), "multihop_ttl", "cannot be given together with ttl_security",
             Kind::kForbidden);
  check.that(peer.password.size() <= kPasswordMax, "password", concat("longer than ", kPasswordMax, " bytes"),
             Kind::kTooLong);
  check.that(peer.shutdown_text.size() <= kShutdownTextMax, "shutdown_text",
             concat("longer than ", kShutdownTextMax, " bytes"), Kind::kTooLong);
  check.that(peer.families[Family::kIpv4Unicast] || peer.families[Family::kIpv6Unicast], "families",
             "at least one family is needed", Kind::kRequired);
}

void check_times(Check& check, const PeerSettings& peer) {
  const Duration hold = peer.hold_time;
  check.that(hold == Duration{} || (hold >= seconds(3) && hold <= kHoldTimeMax), "hold_time",
             "must be 0, or 3 s to 65535 s (RFC 4271 §4.2)");
  check.that(!peer.keepalive_time || *peer.keepalive_time >= seconds(1), "keepalive_time", "must be at least 1 s");
  check.that(!peer.keepalive_time || hold == Duration{} || *peer.keepalive_time < hold, "keepalive_time",
             "must be shorter than the hold time");
  check.that(peer.connect_retry >= seconds(1), "connect_retry", "must be at least 1 s");
  check.that(peer.connect_delay >= Duration{}, "connect_delay", "must not be negative");
  check.that(!peer.restart_time || (*peer.restart_time >= Duration{} && *peer.restart_time <= kRestartTimeMax),
             "restart_time", "must be at most 4095 s");
  const auto& stale = peer.long_lived_stale_time;
  check.that(!stale || (*stale >= Duration{} && *stale <= kLongLivedMax), "long_lived_stale_time",
             "must be at most 16777215 s");
  check.that(!stale || peer.restart_time, "long_lived_stale_time", "needs restart_time (RFC 9494 §4.1)",
             Kind::kForbidden);
  if (!peer.bfd) return;
  check.that(peer.bfd->transmit_min > Duration{}, "bfd.transmit_min", "must be above 0");
  check.that(peer.bfd->receive_min > Duration{}, "bfd.receive_min", "must be above 0");
  check.that(peer.bfd->multiplier >= 1 && peer.bfd->multiplier <= 255, "bfd.multiplier", "must be 1 to 255");
}

void check_policy(Check& check, const PeerSettings& peer, Asn own) {
  const rib::PeerPolicy& policy = peer.policy;
  const Asn local = peer.local_asn.value_or(own);
  check.that(!policy.is_client || !peer.remote_asn || *peer.remote_asn == local, "policy.is_client",
             "only an iBGP peer can be a client", Kind::kForbidden);
  check.that(!policy.is_client || policy.cluster_id, "policy.cluster_id", "needed for a client", Kind::kRequired);
  check.that(policy.own_asn_allowed >= 0, "policy.own_asn_allowed", "must not be negative");
  check.that(policy.send_paths_max >= 1, "policy.send_paths_max", "must be at least 1");
  for (const Family family : kFamilies) {
    const rib::PrefixLimit& limit = policy.prefix_limit[family];
    check.that(limit.warn_percent >= 0 && limit.warn_percent <= 100, "policy.prefix_limit.warn_percent",
               "must be 0 to 100");
  }
}

void check_settings(Check& check, const PeerSettings& peer, Asn own) {
  check_numbers(check, peer);
  check_times(check, peer);
  check_policy(check, peer, own);
}

bool is_peer_address(const IpAddress& address) { return !address.is_unspecified() && !address.is_multicast(); }

void check_peers(const SpeakerConfig& config, std::vector<FieldError>& errors) {
  for (const auto& [key, settings] : config.peers) {
    const bool is_plain = key.port == kBgpPort;
    Check check(errors, is_plain ? concat("peers[", key.address.to_string(), "]")
                                 : concat("peers[", key.address.to_string(), "#", key.port, "]"));
    check.that(is_peer_address(key.address), "address", concat(key.address.to_string(), " cannot be a peer"));
    check.that(key.port != 0, "port", "must not be 0");
    check.that(!settings.source_address || settings.source_address->family() == key.address.family(), "source_address",
               "is of the other family than the peer's address");
    check_settings(check, settings, config.asn);
  }
}

void check_ranges(const SpeakerConfig& config, std::vector<FieldError>& errors) {
  std::set<IpPrefix> seen;
  for (const ListenRange& range : config.listen_ranges) {
    Check check(errors, concat("listen_ranges[", range.range.to_string(), "]"));
    check.that(seen.insert(range.range).second, "range", "is listed twice", Kind::kDuplicate);
    check.that(range.peers_max >= 1, "peers_max", "must be at least 1");
    check_settings(check, range.settings, config.asn);
  }
}

}  // namespace

std::vector<FieldError> validate(const SpeakerConfig& config) {
  std::vector<FieldError> errors;
  Check check(errors, "");
  check.that(is_usable(config.asn), "asn", "an AS number that nobody may use");
  check.that(config.router_id != RouterId(), "router_id", "must not be 0.0.0.0 (RFC 6286 §2.1)", Kind::kRequired);
  check.that(config.multipath_max >= 1, "multipath_max", "must be at least 1");
  check.that(config.selection_deferral >= Duration{}, "selection_deferral", "must not be negative");
  const std::set<IpAddress> addresses(config.listen_addresses.begin(), config.listen_addresses.end());
  check.that(addresses.size() == config.listen_addresses.size(), "listen_addresses", "an address is listed twice",
             Kind::kDuplicate);
  std::set<IpPrefix> prefixes;
  for (const rib::LocalRoute& route : config.local_routes) {
    check.that(prefixes.insert(route.prefix).second, concat("local_routes[", route.prefix.to_string(), "]"),
               "is listed twice", Kind::kDuplicate);
  }
  check_peers(config, errors);
  check_ranges(config, errors);
  return errors;
}

}  // namespace margay::bgp
