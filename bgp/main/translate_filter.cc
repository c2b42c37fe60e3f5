#include "bgp/main/translate_filter.h"

#include <utility>

namespace margay::bgpd {
namespace {

bgp::MatchOperator translate(model::FilterMatchOperator word) {
  switch (word) {
    case model::FilterMatchOperator::kEqual: return bgp::MatchOperator::kEqual;
    case model::FilterMatchOperator::kNotEqual: return bgp::MatchOperator::kNotEqual;
    case model::FilterMatchOperator::kIn: return bgp::MatchOperator::kIn;
    case model::FilterMatchOperator::kNotIn: return bgp::MatchOperator::kNotIn;
  }
  return bgp::MatchOperator::kEqual;
}

bgp::FilterOperation translate(const model::FilterOperation& from) {
  bgp::FilterOperation to;
  if (from.add_community) to.add_community = bgpd::translate(from.add_community->value);
  if (from.prepend_as_path) to.prepend = from.prepend_as_path->prefix;
  if (from.set_priority) to.set_priority = static_cast<std::uint32_t>(from.set_priority->value);
  return to;
}

bgp::FilterRule translate(const model::BgpFilterRule& from) {
  bgp::FilterRule to;
  to.cidr = from.cidr;
  if (from.match_operator) to.cidr_operator = translate(*from.match_operator);
  if (from.prefix_length) {
    to.length_min = from.prefix_length->min;
    to.length_max = from.prefix_length->max;
  }
  to.only_from_peers = from.source == model::FilterSource::kRemotePeers;
  to.interface = from.interface;
  if (from.peer_type) {
    to.peer_type =
        *from.peer_type == model::FilterPeerType::kEbgp ? bgp::PeerType::kExternal : bgp::PeerType::kInternal;
  }
  if (from.communities && !from.communities->values.empty()) {
    to.community = bgpd::translate(from.communities->values.front());
  }
  to.as_path_prefix = from.as_path_prefix;
  if (from.priority) to.priority = static_cast<std::uint32_t>(*from.priority);
  to.accept = from.action == model::FilterAction::kAccept;
  for (const model::FilterOperation& operation : from.operations) to.operations.push_back(translate(operation));
  return to;
}

}  // namespace

bgp::AnyCommunity translate(const model::Community& community) {
  if (community.is_large()) return bgp::LargeCommunity{community.part(0), community.part(1), community.part(2)};
  return community.part(0) << 16 | community.part(1);
}

bgp::Filter translate_filter(const std::string& name, const std::vector<model::BgpFilterRule>& rules) {
  bgp::Filter filter;
  filter.name = name;
  for (const model::BgpFilterRule& rule : rules) filter.rules.push_back(translate(rule));
  return filter;
}

}  // namespace margay::bgpd
