#include "bgp/objects/object_values.h"

#include <memory>
#include <utility>
#include <variant>

#include "base/core/text.h"

namespace margay::bgp {
namespace {

MatchOperator operator_of(model::FilterMatchOperator word) {
  switch (word) {
    case model::FilterMatchOperator::kEqual: return MatchOperator::kEqual;
    case model::FilterMatchOperator::kNotEqual: return MatchOperator::kNotEqual;
    case model::FilterMatchOperator::kIn: return MatchOperator::kIn;
    case model::FilterMatchOperator::kNotIn: return MatchOperator::kNotIn;
  }
  return MatchOperator::kEqual;
}

FilterOperation operation_of(const model::FilterOperation& from) {
  FilterOperation to;
  if (from.add_community) to.add_community = community_of(from.add_community->value);
  if (from.prepend_as_path) to.prepend = from.prepend_as_path->prefix;
  if (from.set_priority) to.set_priority = static_cast<std::uint32_t>(from.set_priority->value);
  return to;
}

FilterRule rule_of(const model::BgpFilterRule& from) {
  FilterRule to;
  to.cidr = from.cidr;
  if (from.match_operator) to.cidr_operator = operator_of(*from.match_operator);
  if (from.prefix_length) {
    to.length_min = from.prefix_length->min;
    to.length_max = from.prefix_length->max;
  }
  to.only_from_peers = from.source == model::FilterSource::kRemotePeers;
  to.interface = from.interface;
  if (from.peer_type) {
    to.peer_type = *from.peer_type == model::FilterPeerType::kEbgp ? PeerType::kExternal : PeerType::kInternal;
  }
  if (from.communities && !from.communities->values.empty()) {
    to.community = community_of(from.communities->values.front());
  }
  to.as_path_prefix = from.as_path_prefix;
  if (from.priority) to.priority = static_cast<std::uint32_t>(*from.priority);
  to.accept = from.action == model::FilterAction::kAccept;
  for (const model::FilterOperation& operation : from.operations) to.operations.push_back(operation_of(operation));
  return to;
}

void check_path(const std::string& at, const std::vector<Asn>& asns, FieldErrors& errors) {
  for (std::size_t i = 0; i < asns.size(); ++i) {
    if (asns[i] != Asn(0)) continue;
    errors.push_back({FieldError::Kind::kInvalid, concat(at, "[", i, "]"), "0 is in no AS path (RFC 7607)"});
  }
}

void check_rule(const std::string& path, const model::BgpFilterRule& rule, FieldErrors& errors) {
  const auto& length = rule.prefix_length;
  if (length && length->min && length->max && *length->min > *length->max) {
    errors.push_back({FieldError::Kind::kInvalid, path + ".prefixLength",
                      concat("min ", int{*length->min}, " is above max ", int{*length->max})});
  }
  check_path(path + ".asPathPrefix", rule.as_path_prefix, errors);
  for (std::size_t i = 0; i < rule.operations.size(); ++i) {
    const auto& prepend = rule.operations[i].prepend_as_path;
    if (prepend) check_path(concat(path, ".operations[", i, "].prependASPath.prefix"), prepend->prefix, errors);
  }
}

}  // namespace

AnyCommunity community_of(const model::Community& community) {
  if (community.is_large()) return LargeCommunity{community.part(0), community.part(1), community.part(2)};
  return community.part(0) << 16 | community.part(1);
}

void add_community(const AnyCommunity& community, rib::LocalRoute& route) {
  if (const auto* const plain = std::get_if<std::uint32_t>(&community)) route.communities.push_back(*plain);
  if (const auto* const large = std::get_if<LargeCommunity>(&community)) route.large_communities.push_back(*large);
}

Filter filter_of(const std::string& name, const std::vector<model::BgpFilterRule>& rules) {
  Filter filter;
  filter.name = name;
  for (const model::BgpFilterRule& rule : rules) filter.rules.push_back(rule_of(rule));
  return filter;
}

void add_filter(const std::string& name, const model::BgpFilterSpec& spec, FilterLists& to) {
  const auto add = [&](std::vector<Filter>& list, const std::vector<model::BgpFilterRule>& rules) {
    if (!rules.empty()) list.push_back(filter_of(name, rules));
  };
  add(to.imports[Family::kIpv4Unicast], spec.import_v4);
  add(to.imports[Family::kIpv6Unicast], spec.import_v6);
  add(to.exports[Family::kIpv4Unicast], spec.export_v4);
  add(to.exports[Family::kIpv6Unicast], spec.export_v6);
}

FilterChain chain_of(std::vector<Filter> filters) {
  if (filters.empty()) return nullptr;
  return std::make_shared<const std::vector<Filter>>(std::move(filters));
}

FieldErrors check_filter(const model::BgpFilterSpec& spec) {
  FieldErrors errors;
  const std::pair<const char*, const std::vector<model::BgpFilterRule>&> lists[] = {{"importV4", spec.import_v4},
                                                                                    {"importV6", spec.import_v6},
                                                                                    {"exportV4", spec.export_v4},
                                                                                    {"exportV6", spec.export_v6}};
  for (const auto& [name, rules] : lists) {
    for (std::size_t i = 0; i < rules.size(); ++i) check_rule(concat("spec.", name, "[", i, "]"), rules[i], errors);
  }
  return errors;
}

rib::NextHopMode next_hop_mode_of(const model::BgpPeerSpec& spec, bool is_internal) {
  if (spec.next_hop_mode == model::NextHopMode::kSelf) return rib::NextHopMode::kSelf;
  if (spec.next_hop_mode == model::NextHopMode::kKeep) return rib::NextHopMode::kKeep;
  const bool keeps = !spec.next_hop_mode && spec.keep_original_next_hop && !is_internal;
  return keeps ? rib::NextHopMode::kKeep : rib::NextHopMode::kAuto;
}

std::string_view peer_field_of(std::string_view settings_field) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"address", "spec.peerIP"},
      {"port", "spec.peerIP"},
      {"remote_asn", "spec.asNumber"},
      {"local_asn", "spec.localASNumber"},
      {"keepalive_time", "spec.keepaliveTime"},
      {"ttl_security", "spec.ttlSecurity"},
      {"password", "spec.password.secretKeyRef"},
      {"source_address", "spec.sourceAddress"},
      {"policy.own_asn_allowed", "spec.numAllowedLocalASNumbers"},
  };
  for (const auto& [name, path] : kNames) {
    if (name == settings_field) return path;
  }
  return {};
}

}  // namespace margay::bgp
