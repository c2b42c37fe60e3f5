// Where in a configuration file a rule of the speaker was broken: validate() speaks of SpeakerConfig, users wrote
// objects. Pure.
#pragma once

#include <string>
#include <string_view>

#include "bgp/main/config_file.h"

namespace margay::bgpd {

struct Place {
  const Origin* origin = nullptr;
  std::string path;
};

// `field` as in config.h ("hold_time") of the peer made from this BGPPeer: there, in Speaker's peers or peerDefaults.
Place place_of_peer_field(const Documents& documents, const Placed<model::BgpPeer>& peer, std::string_view field);
Place place_of_range_field(const Documents& documents, const RangeDocument& range, std::string_view field);
// Of the speaker itself; `asn_from` is the object its number came from.
Place place_of_speaker_field(const Documents& documents, const Origin& asn_from, std::string_view field);

}  // namespace margay::bgpd
