#include "bgp/main/speaker_document.h"

#include <utility>

#include "base/core/text.h"
#include "bgp/main/spec_reader.h"

namespace margay::bgpd {
namespace {

using bgp::Family;

template <class T>
std::optional<T> parsed(const json::Value& value, const std::string& path, FieldErrors& errors) {
  const std::string* const text = value.as_string();
  if (text == nullptr) {
    errors.push_back({FieldError::Kind::kTypeInvalid, path, concat("must be a string, not ", json::dump(value))});
    return std::nullopt;
  }
  auto result = T::parse(*text);
  if (result.ok()) return *result;
  errors.push_back({FieldError::Kind::kInvalid, path, result.error().message});
  return std::nullopt;
}

void read_bfd(SpecReader& reader, FieldErrors& errors, PeerExtras& extras) {
  const json::Value* const value = reader.member("bfd");
  if (value == nullptr) return;
  bgp::BfdConfig bfd;
  SpecReader inner(*value, reader.path_of("bfd"), errors);
  inner.read("transmitInterval", bfd.transmit_min);
  inner.read("receiveInterval", bfd.receive_min);
  std::int64_t multiplier = bfd.multiplier;
  inner.read_number("multiplier", 1, 255, multiplier);
  bfd.multiplier = static_cast<int>(multiplier);
  inner.finish();
  extras.bfd = bfd;
}

void read_add_path(SpecReader& reader, FieldErrors& errors, PeerExtras& extras) {
  const json::Value* const value = reader.member("addPath");
  if (value == nullptr) return;
  SpecReader inner(*value, reader.path_of("addPath"), errors);
  inner.read("receive", extras.add_path_receive);
  inner.read("send", extras.add_path_send);
  inner.read_number("maxPaths", 1, 64, extras.send_paths_max);
  inner.finish();
}

void read_prefix_limit(SpecReader& reader, FieldErrors& errors, PeerExtras& extras) {
  const json::Value* const value = reader.member("prefixLimit");
  if (value == nullptr) return;
  bgp::rib::PrefixLimit limit;
  SpecReader inner(*value, reader.path_of("prefixLimit"), errors);
  std::int64_t max = 0, max_accepted = 0, warn = limit.warn_percent;
  inner.read_number("max", 1, 0xffffffff, max);
  inner.read_number("maxAccepted", 1, 0xffffffff, max_accepted);
  inner.read_number("warnPercent", 0, 100, warn);
  inner.read("restartAfter", limit.restart_after);
  inner.finish();
  limit.max = static_cast<std::uint32_t>(max);
  limit.max_accepted = static_cast<std::uint32_t>(max_accepted);
  limit.warn_percent = static_cast<int>(warn);
  extras.prefix_limit = limit;
}

void read_families(SpecReader& reader, FieldErrors& errors, PeerExtras& extras) {
  if (reader.member("families") != nullptr) extras.families.emplace(false, false);
  reader.each("families", [&](const json::Value& value, const std::string& path) {
    const std::string* const word = value.as_string();
    if (word != nullptr && *word == "ipv4") {
      (*extras.families)[Family::kIpv4Unicast] = true;
    } else if (word != nullptr && *word == "ipv6") {
      (*extras.families)[Family::kIpv6Unicast] = true;
    } else {
      errors.push_back({FieldError::Kind::kNotSupported, path, concat(json::dump(value), " is not one of ipv4, ipv6")});
    }
  });
}

void read_extras(SpecReader& reader, FieldErrors& errors, PeerExtras& extras) {
  reader.read("holdTime", extras.hold_time);
  reader.read("connectRetryTime", extras.connect_retry);
  reader.read("connectDelay", extras.connect_delay);
  reader.read("delayOpen", extras.delay_open);
  reader.read("restartTime", extras.restart_time);
  reader.read("longLivedStaleTime", extras.long_lived_stale_time);
  reader.read("gracefulRestart", extras.graceful_restart);
  reader.read("passive", extras.passive);
  reader.read("extendedNextHop", extras.extended_next_hop);
  reader.read("extendedMessages", extras.extended_message);
  reader.read("requirePolicy", extras.require_policy);
  reader.read("enforceFirstAS", extras.enforce_first_as);
  reader.read("allowASSet", extras.allow_as_set);
  reader.read("routeReflectorClient", extras.is_client);
  reader.read("calicoLocalPref", extras.calico_local_pref);
  reader.read("gracefulShutdown", extras.graceful_shutdown);
  reader.read("shutDown", extras.shut_down);
  reader.read("shutdownText", extras.shutdown_text);
  reader.read_number("multihopTTL", 1, 255, extras.multihop_ttl);
  read_families(reader, errors, extras);
  read_add_path(reader, errors, extras);
  read_bfd(reader, errors, extras);
  read_prefix_limit(reader, errors, extras);
}

void read_local_prefixes(SpecReader& reader, FieldErrors& errors, SpeakerDocument& out) {
  reader.each("localPrefixes", [&](const json::Value& value, const std::string& path) {
    if (const auto prefix = parsed<IpPrefix>(value, path, errors)) {
      bgp::rib::LocalRoute route;
      route.prefix = *prefix;
      out.local_routes.push_back(std::move(route));
    }
  });
}

void read_ranges(SpecReader& reader, FieldErrors& errors, SpeakerDocument& out) {
  reader.each("listenRanges", [&](const json::Value& value, const std::string& path) {
    RangeDocument range;
    range.path = path;
    SpecReader inner(value, path, errors);
    std::optional<IpPrefix> cidr;
    std::int64_t peers_max = range.peers_max;
    inner.read("name", range.name);
    inner.read_text("cidr", cidr);
    inner.read("asNumber", range.asn);
    inner.read("localASNumber", range.local_asn);
    inner.read("password", range.password);
    inner.read_number("maxPeers", 1, 65000, peers_max);
    inner.each("filters", [&](const json::Value& name, const std::string& at) {
      if (name.as_string() != nullptr) return range.filters.push_back(*name.as_string());
      errors.push_back(
          {FieldError::Kind::kTypeInvalid, at, concat("must be the name of a BGPFilter, not ", json::dump(name))});
    });
    read_extras(inner, errors, range.extras);
    inner.finish();
    if (!cidr && value.as_object() != nullptr && inner.member("cidr") == nullptr) {
      inner.fail("cidr", "is needed", FieldError::Kind::kRequired);
    }
    if (!cidr) return;
    range.range = *cidr;
    range.peers_max = static_cast<std::uint32_t>(peers_max);
    if (range.name.empty()) range.name = cidr->to_string();
    out.ranges.push_back(std::move(range));
  });
}

void read_peers(SpecReader& reader, FieldErrors& errors, SpeakerDocument& out) {
  if (const json::Value* const value = reader.member("peerDefaults")) {
    SpecReader inner(*value, reader.path_of("peerDefaults"), errors);
    read_extras(inner, errors, out.defaults);
    inner.finish();
  }
  reader.each_member("peers", [&](const std::string& name, const json::Value& value, const std::string& path) {
    SpecReader inner(value, path, errors);
    read_extras(inner, errors, out.peers[name]);
    inner.finish();
  });
}

void read_spec(const json::Value& spec, FieldErrors& errors, SpeakerDocument& out) {
  SpecReader reader(spec, "spec", errors);
  reader.read("asNumber", out.asn);
  reader.read_text("routerID", out.router_id);
  reader.read_text("routeReflectorClusterID", out.cluster_id);
  reader.each("listenAddress", [&](const json::Value& value, const std::string& path) {
    if (const auto address = parsed<IpAddress>(value, path, errors)) out.listen_addresses.push_back(*address);
  });
  reader.read_number("listenPort", 0, 65535, out.listen_port);
  reader.read("installRoutes", out.install_routes);
  std::int64_t table = out.route_table;
  reader.read_number("routeTable", 1, 0xffffffff, table);
  out.route_table = static_cast<std::uint32_t>(table);
  reader.read("nodeName", out.node_name);
  reader.read("multipath", out.multipath);
  reader.read("multipathRelax", out.multipath_relax);
  reader.read("alwaysCompareMED", out.always_compare_med);
  reader.read("selectionDeferral", out.selection_deferral);
  read_local_prefixes(reader, errors, out);
  read_peers(reader, errors, out);
  read_ranges(reader, errors, out);
  reader.each_member("passwords", [&](const std::string& name, const json::Value& value, const std::string& path) {
    if (value.as_string() != nullptr) {
      out.passwords[name] = *value.as_string();
    } else {
      errors.push_back(
          {FieldError::Kind::kTypeInvalid, path, concat("must be the path of a file, not ", json::dump(value))});
    }
  });
  reader.finish();
}

}  // namespace

SpeakerDocument read_speaker(const json::Value& object, FieldErrors& errors) {
  SpeakerDocument out;
  SpecReader reader(object, "", errors);
  (void)reader.member("apiVersion");
  (void)reader.member("kind");
  (void)reader.member("metadata");
  if (const json::Value* const spec = reader.member("spec")) read_spec(*spec, errors, out);
  reader.finish();
  return out;
}

}  // namespace margay::bgpd
