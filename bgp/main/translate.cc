// From the objects of a configuration file to the speaker's configuration.
#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "bgp/main/config_file.h"
#include "bgp/main/error_place.h"
#include "bgp/objects/object_values.h"

namespace margay::bgpd {
namespace {

using bgp::Family;
using bgp::kFamilies;
using bgp::PeerSettings;

constexpr std::string_view kDefaultConfiguration = "default";

template <class T>
void give(const std::optional<T>& from, T& to) {
  if (from) to = *from;
}
template <class T>
void give(const std::optional<T>& from, std::optional<T>& to) {
  if (from) to = from;
}

class Translator {
 public:
  Translator(const Documents& documents, const ReadFile& read_file, std::vector<std::string>& problems)
      : documents_(documents), speaker_(documents.speaker.object), read_file_(read_file), problems_(problems) {}

  LoadedConfig run() {
    take_configurations();
    take_speaker();
    for (const auto& [name, peer] : documents_.peers) take_peer(name, peer);
    for (const auto& [name, extras] : speaker_.peers) {
      if (!documents_.peers.contains(name)) {
        problem(documents_.speaker.origin, concat("spec.peers.", name), "there is no BGPPeer of that name");
      }
    }
    for (const RangeDocument& range : speaker_.ranges) take_range(range);
    for (const auto& [name, filter] : documents_.filters) check_filter(filter);
    check();
    return {std::move(config_), speaker_.install_routes, speaker_.route_table};
  }

 private:
  void problem(const Origin& origin, std::string path, std::string message) {
    problems_.push_back(origin.describe({FieldError::Kind::kInvalid, std::move(path), std::move(message)}));
  }

  // "default" for all, "node.NAME" over it.
  void take_configurations() {
    const std::string own = concat("node.", speaker_.node_name);
    for (const std::string& name : {std::string(kDefaultConfiguration), own}) {
      for (const auto& [object, origin] : documents_.configurations) {
        if (object.metadata.name != name) continue;
        take_configuration(object.spec);
        if (object.spec.as_number) asn_from_ = &origin;
      }
    }
  }

  void take_configuration(const model::BgpConfigurationSpec& spec) {
    give(spec.as_number, config_.asn);
    if (spec.listen_port) config_.listen_port = spec.listen_port->value();
    give(spec.ipv4_normal_route_priority, priority_[Family::kIpv4Unicast]);
    give(spec.ipv6_normal_route_priority, priority_[Family::kIpv6Unicast]);
    for (const model::NamedCommunity& named : spec.communities) communities_[named.name] = named.value;
    if (!spec.prefix_advertisements.empty()) advertisements_ = spec.prefix_advertisements;
  }

  void take_speaker() {
    give(speaker_.asn, config_.asn);
    if (speaker_.asn) asn_from_ = &documents_.speaker.origin;
    give(speaker_.listen_port, config_.listen_port);
    give(speaker_.multipath, config_.multipath);
    give(speaker_.multipath_relax, config_.multipath_relax);
    give(speaker_.always_compare_med, config_.always_compare_med);
    give(speaker_.selection_deferral, config_.selection_deferral);
    config_.listen_addresses = speaker_.listen_addresses;
    if (speaker_.router_id) {
      config_.router_id = *speaker_.router_id;
    } else {
      problem(documents_.speaker.origin, "spec.routerID", "is needed, written like an IPv4 address");
      config_.router_id = RouterId(1);  // so that it is not complained of twice
    }
    config_.local_routes = speaker_.local_routes;
    for (bgp::rib::LocalRoute& route : config_.local_routes) complete(route);
  }

  // BGPConfiguration.prefixAdvertisements: the communities of the narrowest range around it.
  void complete(bgp::rib::LocalRoute& route) {
    route.priority = static_cast<std::uint32_t>(priority_[bgp::family_of(route.prefix.family())]);
    const model::PrefixAdvertisement* best = nullptr;
    for (const model::PrefixAdvertisement& entry : advertisements_) {
      if (entry.cidr.contains(route.prefix) && (best == nullptr || entry.cidr.length() > best->cidr.length())) {
        best = &entry;
      }
    }
    if (best == nullptr) return;
    for (const std::string& name : best->communities) {
      const auto named = communities_.find(name);
      const auto value =
          named != communities_.end() ? Result<model::Community>(named->second) : model::Community::parse(name);
      if (!value.ok()) continue;  // the codec's rules have spoken of it
      bgp::add_community(bgp::community_of(*value), route);
    }
  }

  void take_peer(const std::string& name, const Placed<model::BgpPeer>& peer) {
    const model::BgpPeerSpec& spec = peer.object.spec;
    if (!spec.node.empty() && !speaker_.node_name.empty() && spec.node != speaker_.node_name) return;
    if (!spec.peer_ip) {
      return problem(peer.origin, spec.peer_selector.empty() ? "spec" : "spec.peerSelector",
                     "without a cluster only peers with peerIP are possible");
    }
    const bgp::PeerKey key{spec.peer_ip->address,
                           spec.peer_ip->port ? spec.peer_ip->port->value() : std::uint16_t{bgp::kBgpPort}};
    PeerSettings settings = base_settings(name, key.address.is_v4(), spec.as_number.value_or(config_.asn));
    settings.local_asn = spec.local_as_number;
    settings.keepalive_time = spec.keepalive_time;
    give(spec.max_restart_time, settings.restart_time);
    if (spec.ttl_security.value_or(0) > 0) settings.ttl_security = spec.ttl_security;
    settings.policy.own_asn_allowed = spec.num_allowed_local_as_numbers.value_or(0);
    settings.source_address = source_of(key.address, spec.source_address);
    apply_extras(speaker_.defaults, settings);
    const auto extras = speaker_.peers.find(name);
    if (extras != speaker_.peers.end()) apply_extras(extras->second, settings);
    settings.policy.next_hop_mode = bgp::next_hop_mode_of(spec, is_internal(settings));
    if (spec.password && spec.password->secret_key_ref) {
      settings.password = secret(*spec.password->secret_key_ref, peer.origin);
    }
    take_filters(spec.filters, peer.origin, "spec.filters", settings.policy);
    if (!config_.peers.emplace(key, std::move(settings)).second) {
      problem(peer.origin, "spec.peerIP", concat(spec.peer_ip->to_string(), " is the address of another BGPPeer too"));
    }
    peer_objects_[key] = &peer;
  }

  void take_range(const RangeDocument& range) {
    bgp::ListenRange out{range.name, range.range, range.peers_max, {}};
    out.settings = base_settings(range.name, range.range.is_v4(), range.asn);
    out.settings.local_asn = range.local_asn;
    apply_extras(speaker_.defaults, out.settings);
    apply_extras(range.extras, out.settings);
    if (!range.password.empty()) {
      out.settings.password = password_file(range.password, documents_.speaker.origin, range.path + ".password");
    }
    take_filters(range.filters, documents_.speaker.origin, range.path + ".filters", out.settings.policy);
    config_.listen_ranges.push_back(std::move(out));
    ranges_.emplace(range.range, &range);  // of two the first
  }

  [[nodiscard]] bool is_internal(const PeerSettings& settings) const {
    return settings.remote_asn == settings.local_asn.value_or(config_.asn);
  }

  // As Calico has it: the family of the address, reflection to every iBGP peer of a reflector.
  [[nodiscard]] PeerSettings base_settings(std::string name, bool is_v4, std::optional<Asn> asn) const {
    PeerSettings settings;
    settings.name = std::move(name);
    settings.remote_asn = asn;
    settings.families = bgp::PerFamily<bool>(is_v4, !is_v4);
    settings.policy.cluster_id = speaker_.cluster_id;
    settings.policy.is_client = speaker_.cluster_id && is_internal(settings);
    return settings;
  }

  [[nodiscard]] std::optional<IpAddress> source_of(const IpAddress& peer,
                                                   const std::optional<model::BgpSourceAddress>& mode) const {
    if (mode == model::BgpSourceAddress::kNone) return std::nullopt;
    for (const IpAddress& address : config_.listen_addresses) {
      if (address.family() == peer.family() && !address.is_unspecified()) return address;
    }
    return std::nullopt;
  }

  static void apply_extras(const PeerExtras& from, PeerSettings& to) {
    give(from.hold_time, to.hold_time);
    give(from.connect_retry, to.connect_retry);
    give(from.connect_delay, to.connect_delay);
    give(from.delay_open, to.delay_open);
    give(from.restart_time, to.restart_time);
    give(from.long_lived_stale_time, to.long_lived_stale_time);
    if (from.graceful_restart == false) to.restart_time.reset();
    give(from.passive, to.passive);
    give(from.extended_next_hop, to.extended_next_hop);
    give(from.extended_message, to.extended_message);
    give(from.require_policy, to.policy.requires_policy);
    give(from.enforce_first_as, to.enforce_first_as);
    give(from.allow_as_set, to.allow_as_set);
    give(from.is_client, to.policy.is_client);
    give(from.calico_local_pref, to.policy.calico_local_pref);
    give(from.graceful_shutdown, to.policy.graceful_shutdown);
    give(from.shut_down, to.is_shut_down);
    give(from.shutdown_text, to.shutdown_text);
    give(from.multihop_ttl, to.multihop_ttl);
    give(from.families, to.families);
    give(from.bfd, to.bfd);
    give(from.send_paths_max, to.policy.send_paths_max);
    for (const Family family : kFamilies) {
      give(from.add_path_receive, to.add_path_receive[family]);
      give(from.add_path_send, to.add_path_send[family]);
      give(from.prefix_limit, to.policy.prefix_limit[family]);
    }
  }

  void take_filters(const std::vector<std::string>& names, const Origin& origin, const std::string& path,
                    bgp::rib::PeerPolicy& policy) {
    bgp::FilterLists lists;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto found = documents_.filters.find(names[i]);
      if (found == documents_.filters.end()) {
        problem(origin, concat(path, "[", i, "]"), concat("there is no BGPFilter ", quoted(names[i])));
        continue;
      }
      bgp::add_filter(names[i], found->second.object.spec, lists);
    }
    for (const Family family : kFamilies) {
      policy.import_chain[family] = bgp::chain_of(std::move(lists.imports[family]));
      policy.export_chain[family] = bgp::chain_of(std::move(lists.exports[family]));
    }
  }

  void check_filter(const Placed<model::BgpFilter>& filter) {
    for (const FieldError& error : bgp::check_filter(filter.object.spec)) {
      problem(filter.origin, error.path, error.message);
    }
  }

  std::string secret(const model::SecretKeySelector& selector, const Origin& origin) {
    const auto found = documents_.secrets.find(selector.name);
    if (found != documents_.secrets.end()) {
      const auto key = found->second.find(selector.key);
      if (key != found->second.end()) return key->second;
    }
    if (speaker_.passwords.contains(selector.name)) {
      return password_file(selector.name, origin, "spec.password.secretKeyRef.name");
    }
    problem(origin, "spec.password.secretKeyRef",
            concat("neither a Secret ", quoted(selector.name), " with the key ", quoted(selector.key),
                   " stands in the file nor that name in Speaker's spec.passwords"));
    return {};
  }

  std::string password_file(const std::string& name, const Origin& origin, const std::string& path) {
    const auto found = speaker_.passwords.find(name);
    if (found == speaker_.passwords.end()) {
      problem(origin, path, concat(quoted(name), " is not in Speaker's spec.passwords"));
      return {};
    }
    const auto text = read_file_(found->second);
    if (text.ok()) return std::string(trim(*text));
    problem(documents_.speaker.origin, concat("spec.passwords.", name), text.error().message);
    return {};
  }

  // The speaker's own rules, said of the object and field they come from.
  void check() {
    for (const FieldError& error : bgp::validate(config_)) {
      const Place place = place_of(error.path);
      problem(*place.origin, place.path, error.message);
    }
  }

  // "peers[10.0.0.2].hold_time", "listen_ranges[10.0.0.0/24].hold_time", "asn"
  [[nodiscard]] Place place_of(std::string_view path) const {
    const std::size_t end = path.find("].");
    const std::string_view field = end == std::string_view::npos ? path : path.substr(end + 2);
    for (const auto& [key, peer] : peer_objects_) {
      if (path.starts_with(concat("peers[", bgp::to_string(key), "]."))) {
        return place_of_peer_field(documents_, *peer, field);
      }
    }
    for (const auto& [prefix, range] : ranges_) {
      if (path.starts_with(concat("listen_ranges[", prefix.to_string(), "]."))) {
        return place_of_range_field(documents_, *range, field);
      }
    }
    return place_of_speaker_field(documents_, *asn_from_, field);
  }

  const Documents& documents_;
  const SpeakerDocument& speaker_;
  const ReadFile& read_file_;
  std::vector<std::string>& problems_;
  bgp::SpeakerConfig config_;
  bgp::PerFamily<std::int32_t> priority_{1024, 1024};
  std::map<std::string, model::Community> communities_;
  std::vector<model::PrefixAdvertisement> advertisements_;
  const Origin* asn_from_ = &documents_.speaker.origin;
  std::map<bgp::PeerKey, const Placed<model::BgpPeer>*> peer_objects_;
  std::map<IpPrefix, const RangeDocument*> ranges_;
};

}  // namespace

LoadedConfig translate(const Documents& documents, const ReadFile& read_file, std::vector<std::string>& problems) {
  return Translator(documents, read_file, problems).run();
}

}  // namespace margay::bgpd
