#include "bgp/speaker/machine_config.h"

namespace margay::bgp {
namespace {

std::uint32_t whole_seconds(Duration duration) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

GracefulRestart graceful_restart(const PeerSettings& settings, bool restarting, bool keeps_forwarding) {
  GracefulRestart offer;
  offer.restarting = restarting;
  offer.notification = true;
  offer.restart_time_s = static_cast<std::uint16_t>(whole_seconds(*settings.restart_time));
  for (const Family family : kFamilies) {
    if (settings.families[family]) offer.forwarding[afi_safi(family)] = keeps_forwarding;
  }
  return offer;
}

Capabilities capabilities(const PeerSettings& settings, const SpeakerFacts& facts, bool keeps_forwarding) {
  Capabilities offer;
  offer.route_refresh = true;
  offer.enhanced_route_refresh = true;
  offer.extended_message = settings.extended_message;
  offer.four_octet_asn = settings.local_asn.value_or(facts.asn);
  if (settings.restart_time) offer.graceful_restart = graceful_restart(settings, facts.restarting, keeps_forwarding);
  for (const Family family : kFamilies) {
    if (!settings.families[family]) continue;
    const AfiSafi numbers = afi_safi(family);
    offer.multiprotocol.insert(numbers);
    const AddPath add_path{.receive = settings.add_path_receive[family], .send = settings.add_path_send[family]};
    if (add_path.receive || add_path.send) offer.add_path[numbers] = add_path;
    if (settings.long_lived_stale_time) {
      offer.long_lived[numbers] = {.forwarding = keeps_forwarding,
                                   .stale_time_s = whole_seconds(*settings.long_lived_stale_time)};
    }
  }
  if (settings.extended_next_hop && settings.families[Family::kIpv4Unicast]) {
    offer.extended_next_hop.insert(afi_safi(Family::kIpv4Unicast));
  }
  return offer;
}

}  // namespace

session::PeerSocketOptions socket_options(const PeerSettings& settings) {
  return {.ttl_security = settings.ttl_security, .ttl = settings.multihop_ttl, .password = settings.password};
}

session::DriverSettings driver_settings(const PeerKey& key, const PeerSettings& settings, const SpeakerFacts& facts,
                                        bool keeps_forwarding) {
  session::DriverSettings result;
  fsm::PeerConfig& machine = result.machine;
  machine.local_asn = settings.local_asn.value_or(facts.asn);
  machine.router_id = facts.router_id;
  machine.remote_asn = settings.remote_asn;
  machine.passive = settings.passive;
  machine.timers.connect_retry = settings.connect_retry;
  machine.timers.refused_retry = std::chrono::milliseconds(200);
  machine.timers.connect_delay = settings.connect_delay;
  machine.timers.delay_open = settings.delay_open;
  machine.timers.hold = settings.hold_time;
  machine.timers.keepalive = settings.keepalive_time;
  machine.capabilities = capabilities(settings, facts, keeps_forwarding);
  machine.families = settings.families;
  result.remote = {key.address, key.port};
  result.source = settings.source_address;
  result.socket = socket_options(settings);
  result.enforce_first_as = settings.enforce_first_as;
  result.allow_as_set = settings.allow_as_set;
  return result;
}

rib::PeerSession peer_session(const fsm::Negotiated& negotiated, const session::SocketAddress& local,
                              const session::SocketAddress& remote, const session::Transport::LinkFacts& facts) {
  rib::PeerSession session{negotiated, remote.address, local.address, {}, facts.is_directly_connected};
  // RFC 2545 §3: the link-local address beside the global one only where both share a link.
  const auto link_local = facts.is_directly_connected ? facts.ipv6_link_local : std::nullopt;
  const auto ipv6 = local.address.is_v6() ? std::optional(local.address) : facts.ipv6;
  auto& self = session.self;
  if (ipv6) {
    self[Family::kIpv6Unicast] = NextHop{*ipv6, *ipv6 == link_local ? std::nullopt : link_local};
  } else if (link_local) {
    self[Family::kIpv6Unicast] = NextHop{*link_local, std::nullopt};
  }
  const auto ipv4 = local.address.is_v4() ? std::optional(local.address) : facts.ipv4;
  const bool is_extended = negotiated.extended_next_hop[Family::kIpv4Unicast];  // RFC 8950
  if (is_extended && (local.address.is_v6() || !ipv4)) {
    self[Family::kIpv4Unicast] = self[Family::kIpv6Unicast];
  } else if (ipv4) {
    self[Family::kIpv4Unicast] = NextHop{*ipv4, std::nullopt};
  }
  return session;
}

}  // namespace margay::bgp
