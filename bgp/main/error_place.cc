#include "bgp/main/error_place.h"

#include <iterator>
#include <optional>
#include <utility>

#include "base/core/field_error.h"
#include "base/core/text.h"
#include "bgp/objects/object_values.h"

namespace margay::bgpd {
namespace {

using Name = std::pair<std::string_view, std::string_view>;

std::optional<std::string_view> look_up(const Name* begin, const Name* end, std::string_view field) {
  for (const Name* each = begin; each != end; ++each) {
    if (each->first == field) return each->second;
  }
  return std::nullopt;
}

// What Speaker says of peers and ranges.
constexpr Name kOfExtras[] = {
    {"hold_time", "holdTime"},
    {"connect_retry", "connectRetryTime"},
    {"connect_delay", "connectDelay"},
    {"delay_open", "delayOpen"},
    {"restart_time", "restartTime"},
    {"long_lived_stale_time", "longLivedStaleTime"},
    {"multihop_ttl", "multihopTTL"},
    {"shutdown_text", "shutdownText"},
    {"families", "families"},
    {"bfd.transmit_min", "bfd.transmitInterval"},
    {"bfd.receive_min", "bfd.receiveInterval"},
    {"bfd.multiplier", "bfd.multiplier"},
    {"policy.is_client", "routeReflectorClient"},
    {"policy.send_paths_max", "addPath.maxPaths"},
    {"policy.prefix_limit.warn_percent", "prefixLimit.warnPercent"},
};
constexpr Name kOfRange[] = {
    {"range", "cidr"},        {"peers_max", "maxPeers"},      {"remote_asn", "asNumber"},
    {"password", "password"}, {"local_asn", "localASNumber"},
};
constexpr Name kOfSpeaker[] = {
    {"asn", "spec.asNumber"},
    {"router_id", "spec.routerID"},
    {"selection_deferral", "spec.selectionDeferral"},
    {"listen_addresses", "spec.listenAddress"},
};

// The place of an extra: with the peer or range itself, else with the defaults of all.
std::optional<Place> place_of_extra(const Documents& documents, const std::string& own, std::string_view field) {
  const auto name = look_up(std::begin(kOfExtras), std::end(kOfExtras), field);
  if (!name) return std::nullopt;
  const Origin& origin = documents.speaker.origin;
  for (const std::string& around : {own, std::string("spec.peerDefaults")}) {
    std::string path = concat(around, ".", *name);
    if (origin.positions.contains(path)) return Place{&origin, std::move(path)};
  }
  return std::nullopt;
}

}  // namespace

Place place_of_peer_field(const Documents& documents, const Placed<model::BgpPeer>& peer, std::string_view field) {
  if (field == "policy.cluster_id") return {&documents.speaker.origin, "spec.routeReflectorClusterID"};
  if (field == "restart_time" && peer.origin.positions.contains("spec.maxRestartTime")) {
    return {&peer.origin, "spec.maxRestartTime"};
  }
  if (const std::string_view name = bgp::peer_field_of(field); !name.empty()) return {&peer.origin, std::string(name)};
  std::string own = "spec.peers";
  append_member_path(own, peer.object.metadata.name);
  if (auto place = place_of_extra(documents, own, field)) return *std::move(place);
  return {&peer.origin, concat("spec (", field, ")")};
}

Place place_of_range_field(const Documents& documents, const RangeDocument& range, std::string_view field) {
  const Origin* const origin = &documents.speaker.origin;
  if (field == "policy.cluster_id") return {origin, "spec.routeReflectorClusterID"};
  if (const auto name = look_up(std::begin(kOfRange), std::end(kOfRange), field)) {
    return {origin, concat(range.path, ".", *name)};
  }
  if (auto place = place_of_extra(documents, range.path, field)) return *std::move(place);
  return {origin, concat(range.path, " (", field, ")")};
}

Place place_of_speaker_field(const Documents& documents, const Origin& asn_from, std::string_view field) {
  const Origin* const origin = field == "asn" ? &asn_from : &documents.speaker.origin;
  if (field.starts_with("local_routes")) return {origin, "spec.localPrefixes"};
  const auto name = look_up(std::begin(kOfSpeaker), std::end(kOfSpeaker), field);
  return {origin, name ? std::string(*name) : concat("spec (", field, ")")};
}

}  // namespace margay::bgpd
