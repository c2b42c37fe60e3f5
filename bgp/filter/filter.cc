#include "bgp/filter/filter.h"

#include <algorithm>

#include "bgp/filter/pattern.h"

namespace margay::bgp {
namespace {

bool is_negated(MatchOperator op) { return op == MatchOperator::kNotEqual || op == MatchOperator::kNotIn; }
bool is_equality(MatchOperator op) { return op == MatchOperator::kEqual || op == MatchOperator::kNotEqual; }

bool is_inside(const FilterRule& rule, const IpPrefix& cidr, const IpPrefix& prefix) {
  const bool is_in = is_equality(rule.cidr_operator) ? cidr == prefix : cidr.contains(prefix);
  return is_in && prefix.length() >= rule.length_min.value_or(0) &&
         prefix.length() <= rule.length_max.value_or(address_bits(prefix.family()));
}

bool matches_community(const AnyCommunity& community, const AttributeView& attributes) {
  return std::visit([&](const auto& each) { return attributes.has_community(each); }, community);
}

// The cheap ones first.
bool matches(const FilterRule& rule, const RouteFacts& route) {
  if (rule.cidr && is_inside(rule, *rule.cidr, route.prefix) == is_negated(rule.cidr_operator)) return false;
  if (rule.only_from_peers && !route.from_peer) return false;
  if (rule.peer_type && *rule.peer_type != route.peer_type) return false;
  if (rule.priority && *rule.priority != route.priority) return false;
  if (!rule.interface.empty() && !matches_pattern(rule.interface, route.interface)) return false;
  if (rule.community && !matches_community(*rule.community, route.attributes)) return false;
  return rule.as_path_prefix.empty() || route.attributes.as_path().starts_with(rule.as_path_prefix);
}

void add_community(const AnyCommunity& community, AttributeEditor& attributes) {
  std::visit([&](const auto& each) { attributes.add_community(each); }, community);
}

}  // namespace

Verdict evaluate(const FilterChain& chain, const RouteFacts& route) {
  if (chain == nullptr) return {};
  for (const Filter& filter : *chain) {
    for (const FilterRule& rule : filter.rules) {
      if (matches(rule, route)) return {rule.accept, &rule, filter.name};
    }
  }
  return {};
}

void apply(const FilterRule& rule, AttributeEditor& attributes, std::uint32_t& priority) {
  for (const FilterOperation& operation : rule.operations) {
    if (operation.add_community) add_community(*operation.add_community, attributes);
    if (!operation.prepend.empty()) attributes.prepend(operation.prepend);
    if (operation.set_priority) priority = *operation.set_priority;
  }
}

bool looks_at_prefix(const FilterChain& chain) {
  if (chain == nullptr) return false;
  return std::any_of(chain->begin(), chain->end(), [](const Filter& filter) {
    return std::any_of(filter.rules.begin(), filter.rules.end(),
                       [](const FilterRule& rule) { return rule.cidr.has_value() || !rule.interface.empty(); });
  });
}

}  // namespace margay::bgp
