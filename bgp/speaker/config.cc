#include "bgp/speaker/config.h"

#include <set>

#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::bgp {
namespace {

using std::chrono::seconds;
using Kind = FieldError::Kind;

constexpr std::size_t kPasswordMax = 80;       // TCP_MD5SIG_MAXKEYLEN of linux/tcp.h
constexpr std::size_t kShutdownTextMax = 255;  // RFC 9003 §2
constexpr Duration kHoldTimeMax = seconds(65535);
constexpr Duration kRestartTimeMax = seconds(4095);          // 12 bits, RFC 4724 §3
constexpr Duration kLongLivedMax = seconds((1 << 24) - 1);   // 24 bits, RFC 9494 §3.1
constexpr Duration kDelayOpenMax = std::chrono::minutes(4);  // how long others wait for an OPEN (RFC 4271 §8.2.2)
constexpr Duration kTimeMax = std::chrono::hours(24);
constexpr Duration kBfdMin = std::chrono::microseconds(1);  // RFC 5880 §4.1: microseconds, 32 bits
constexpr Duration kBfdMax = std::chrono::microseconds(4294967295);

// RFC 7607, RFC 7300, RFC 6793 §9.
bool is_usable(Asn asn) { return asn != Asn(0) && asn != kAsTrans && asn != Asn(65535) && asn != Asn(4294967295U); }

constexpr std::string_view kAsnRule = "cannot be used: 1 to 4294967294 can, but for 23456 and 65535";

std::string text(Duration duration) { return format_duration(duration); }

// Collects what is wrong below one place.
class Check {
 public:
  Check(std::vector<FieldError>& errors, std::string place) : errors_(errors), place_(std::move(place)) {}

  // `message`: what was found and what is allowed.
  void that(bool holds, std::string_view field, std::string message, Kind kind = Kind::kInvalid) {
    if (holds) return;
    errors_.push_back({kind, place_.empty() ? std::string(field) : concat(place_, ".", field), std::move(message)});
  }
  void asn(const std::optional<Asn>& asn, std::string_view field) {
    if (asn) that(is_usable(*asn), field, concat(asn->to_string(), " ", kAsnRule));
  }
  void number(std::int64_t found, std::int64_t min, std::int64_t max, std::string_view field) {
    that(found >= min && found <= max, field, concat(found, " is not from ", min, " to ", max));
  }
  void time(const std::optional<Duration>& found, Duration min, Duration max, std::string_view field) {
    if (found)
      that(*found >= min && *found <= max, field, concat(text(*found), " is not from ", text(min), " to ", text(max)));
  }

 private:
  std::vector<FieldError>& errors_;
  std::string place_;
};

void check_numbers(Check& check, const PeerSettings& peer) {
  check.asn(peer.remote_asn, "remote_asn");
  check.asn(peer.local_asn, "local_asn");
  if (peer.ttl_security) check.number(*peer.ttl_security, 1, 254, "ttl_security");
  if (peer.multihop_ttl) check.number(*peer.multihop_ttl, 1, 255, "multihop_ttl");
  check.that(!(peer.ttl_security && peer.multihop_ttl), "multihop_ttl",
             concat(int{peer.multihop_ttl.value_or(0)}, " cannot be given together with TTL security, which sends 255"),
             Kind::kForbidden);
  check.that(peer.password.size() <= kPasswordMax, "password",
             concat("has ", peer.password.size(), " bytes, at most ", kPasswordMax, " are allowed"), Kind::kTooLong);
  check.that(peer.shutdown_text.size() <= kShutdownTextMax, "shutdown_text",
             concat("has ", peer.shutdown_text.size(), " bytes, at most ", kShutdownTextMax, " are allowed"),
             Kind::kTooLong);
  check.that(peer.families[Family::kIpv4Unicast] || peer.families[Family::kIpv6Unicast], "families",
             "is empty, at least one of ipv4 and ipv6 is needed", Kind::kRequired);
}

void check_times(Check& check, const PeerSettings& peer) {
  const Duration hold = peer.hold_time;
  check.that(hold == Duration{} || (hold >= seconds(3) && hold <= kHoldTimeMax), "hold_time",
             concat(text(hold), " is neither 0s nor from 3s to ", text(kHoldTimeMax), " (RFC 4271 §4.2)"));
  if (const auto& keepalive = peer.keepalive_time) {
    check.that(*keepalive >= seconds(1), "keepalive_time", concat(text(*keepalive), " is less than 1s"));
    check.that(hold == Duration{} || *keepalive < hold, "keepalive_time",
               concat(text(*keepalive), " is not shorter than the hold time of ", text(hold)));
  }
  check.time(peer.connect_retry, seconds(1), kTimeMax, "connect_retry");
  check.time(peer.connect_delay, {}, kTimeMax, "connect_delay");
  check.time(peer.delay_open, {}, kDelayOpenMax, "delay_open");
  check.time(peer.restart_time, {}, kRestartTimeMax, "restart_time");
  const auto& stale = peer.long_lived_stale_time;
  check.time(stale, {}, kLongLivedMax, "long_lived_stale_time");
  check.that(!stale || peer.restart_time, "long_lived_stale_time",
             concat(text(stale.value_or(Duration{})), " needs Graceful Restart, which is off (RFC 9494 §4.1)"),
             Kind::kForbidden);
  if (!peer.bfd) return;
  check.time(peer.bfd->transmit_min, kBfdMin, kBfdMax, "bfd.transmit_min");
  check.time(peer.bfd->receive_min, kBfdMin, kBfdMax, "bfd.receive_min");
  check.number(peer.bfd->multiplier, 1, 255, "bfd.multiplier");
}

void check_policy(Check& check, const PeerSettings& peer, Asn own) {
  const rib::PeerPolicy& policy = peer.policy;
  const Asn local = peer.local_asn.value_or(own);
  check.that(!policy.is_client || !peer.remote_asn || *peer.remote_asn == local, "policy.is_client",
             concat("true is only for iBGP peers: AS ", peer.remote_asn.value_or(Asn(0)).to_string(), " is not ours, ",
                    local.to_string()),
             Kind::kForbidden);
  check.that(!policy.is_client || policy.cluster_id, "policy.cluster_id", "is needed for a client", Kind::kRequired);
  check.number(policy.own_asn_allowed, 0, 255, "policy.own_asn_allowed");
  check.number(policy.send_paths_max, 1, 4096, "policy.send_paths_max");
  for (const Family family : kFamilies) {
    check.number(policy.prefix_limit[family].warn_percent, 0, 100, "policy.prefix_limit.warn_percent");
    if (policy.prefix_limit[family].warn_percent < 0 || policy.prefix_limit[family].warn_percent > 100) break;
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
    Check check(errors, concat("peers[", to_string(key), "]"));
    check.that(is_peer_address(key.address), "address",
               concat(key.address.to_string(), " cannot be a peer: it is no unicast address"));
    check.that(!(key.address.is_v6() && key.address.is_link_local()), "address",
               concat(key.address.to_string(), " is link-local, and peers on an interface are not supported; a global ",
                      "address is needed"),
               Kind::kNotSupported);
    check.number(key.port, 1, 65535, "port");
    check.that(!settings.source_address || settings.source_address->family() == key.address.family(), "source_address",
               concat(settings.source_address.value_or(IpAddress()).to_string(), " is of another family than ",
                      key.address.to_string()));
    check_settings(check, settings, config.asn);
  }
}

void check_ranges(const SpeakerConfig& config, std::vector<FieldError>& errors) {
  std::set<IpPrefix> seen;
  for (const ListenRange& range : config.listen_ranges) {
    Check check(errors, concat("listen_ranges[", range.range.to_string(), "]"));
    check.that(seen.insert(range.range).second, "range", concat(range.range.to_string(), " is listed twice"),
               Kind::kDuplicate);
    check.number(range.peers_max, 1, 65535, "peers_max");
    check_settings(check, range.settings, config.asn);
  }
}

}  // namespace

std::string to_string(const PeerKey& key) {
  return key.port == kBgpPort ? key.address.to_string() : concat(key.address.to_string(), "#", key.port);
}

std::vector<FieldError> validate(const SpeakerConfig& config) {
  std::vector<FieldError> errors;
  Check check(errors, "");
  check.asn(config.asn, "asn");
  check.that(config.router_id != RouterId(), "router_id", "0.0.0.0 cannot be used (RFC 6286 §2.1)", Kind::kRequired);
  check.number(static_cast<std::int64_t>(config.multipath_max), 1, 4096, "multipath_max");
  check.time(config.selection_deferral, {}, kTimeMax, "selection_deferral");
  std::set<IpAddress> addresses;
  for (const IpAddress& address : config.listen_addresses) {
    check.that(addresses.insert(address).second, "listen_addresses", concat(address.to_string(), " is listed twice"),
               Kind::kDuplicate);
    check.that(!address.is_multicast(), "listen_addresses", concat(address.to_string(), " is no unicast address"));
  }
  std::set<IpPrefix> prefixes;
  for (const rib::LocalRoute& route : config.local_routes) {
    check.that(prefixes.insert(route.prefix).second, concat("local_routes[", route.prefix.to_string(), "]"),
               concat(route.prefix.to_string(), " is listed twice"), Kind::kDuplicate);
  }
  check_peers(config, errors);
  check_ranges(config, errors);
  return errors;
}

}  // namespace margay::bgp
