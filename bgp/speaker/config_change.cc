#include "bgp/speaker/config_change.h"

#include <tuple>

namespace margay::bgp {
namespace {

bool equal_chains(const FilterChain& a, const FilterChain& b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr && *a == *b;
}

// The fields of config.h that say [session].
auto session_fields(const PeerSettings& peer) {
  return std::tie(peer.remote_asn, peer.local_asn, peer.source_address, peer.ttl_security, peer.multihop_ttl,
                  peer.password, peer.hold_time, peer.restart_time, peer.long_lived_stale_time, peer.families,
                  peer.add_path_receive, peer.add_path_send, peer.extended_next_hop, peer.extended_message,
                  peer.is_shut_down);
}

auto live_fields(const PeerSettings& peer) {
  return std::tie(peer.name, peer.passive, peer.keepalive_time, peer.connect_retry, peer.connect_delay, peer.delay_open,
                  peer.enforce_first_as, peer.allow_as_set, peer.shutdown_text, peer.bfd);
}

auto plain_fields(const rib::PeerPolicy& policy) {
  return std::tie(policy.requires_policy, policy.is_client, policy.cluster_id, policy.next_hop_mode,
                  policy.own_asn_allowed, policy.prefix_limit, policy.calico_local_pref, policy.send_paths_max,
                  policy.graceful_shutdown, policy.accepts_graceful_shutdown);
}

}  // namespace

PeerChange compare(const PeerSettings& before, const PeerSettings& after) {
  PeerChange change;
  change.session = session_fields(before) != session_fields(after);
  change.live = live_fields(before) != live_fields(after);
  change.routes = !equal(before.policy, after.policy);
  return change;
}

bool equal(const rib::PeerPolicy& a, const rib::PeerPolicy& b) {
  if (plain_fields(a) != plain_fields(b)) return false;
  for (const Family family : kFamilies) {
    if (!equal_chains(a.import_chain[family], b.import_chain[family])) return false;
    if (!equal_chains(a.export_chain[family], b.export_chain[family])) return false;
  }
  return true;
}

rib::RibConfig rib_config_of(const SpeakerConfig& config) {
  return {.local_asn = config.asn,
          .router_id = config.router_id,
          .always_compare_med = config.always_compare_med,
          .multipath = config.multipath,
          .multipath_relax = config.multipath_relax,
          .multipath_max = config.multipath_max};
}

bool equal(const rib::RibConfig& a, const rib::RibConfig& b) {
  const auto fields = [](const rib::RibConfig& config) {
    return std::tie(config.local_asn, config.router_id, config.always_compare_med, config.multipath,
                    config.multipath_relax, config.multipath_max);
  };
  return fields(a) == fields(b);
}

}  // namespace margay::bgp
