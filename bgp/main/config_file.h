// The configuration file of margay-bgpd: a stream of YAML documents (BGPConfiguration, BGPPeer, BGPFilter, Secret,
// Speaker), read as a whole. Everything that is wrong is reported at once, each with its place.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/yaml.h"
#include "bgp/main/speaker_document.h"
#include "bgp/speaker/config.h"
#include "datastore/model/bgp_configuration.h"
#include "datastore/model/bgp_filter.h"
#include "datastore/model/bgp_peer.h"

namespace margay::bgpd {

// An object with the places of its fields.
struct Origin {
  std::string file;
  std::string object;  // "BGPPeer/tor-1"
  std::map<std::string, json::Position, std::less<>> positions;

  // "bgp.yaml:12:7: BGPPeer/tor-1: spec.asNumber: …", at the field or the nearest one around it.
  [[nodiscard]] std::string describe(const FieldError& error) const;
};

template <class T>
struct Placed {
  T object;
  Origin origin;
};

struct Documents {
  std::vector<Placed<model::BgpConfiguration>> configurations;
  std::map<std::string, Placed<model::BgpPeer>> peers;
  std::map<std::string, Placed<model::BgpFilter>> filters;
  std::map<std::string, std::map<std::string, std::string>> secrets;  // name, key
  Placed<SpeakerDocument> speaker;
};

struct LoadedConfig {
  bgp::SpeakerConfig speaker;
  bool install_routes = true;
  std::uint32_t route_table = 254;
};

// Either it is all right, or `problems` says all that is not.
struct Loaded {
  LoadedConfig config;
  std::vector<std::string> problems;
};

Documents parse_documents(const std::string& file, std::string_view text, std::vector<std::string>& problems);

using ReadFile = std::function<Result<std::string>(const std::string& path)>;
// `read_file` is for the files of `passwords`.
LoadedConfig translate(const Documents& documents, const ReadFile& read_file, std::vector<std::string>& problems);

Loaded load_config(const std::string& path, const ReadFile& read_file);

}  // namespace margay::bgpd
