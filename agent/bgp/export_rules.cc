#include "agent/bgp/export_rules.h"

namespace margay::agent {
namespace {

bgp::FilterRule inside(const IpPrefix& range, bool accept) {
  bgp::FilterRule rule;
  rule.cidr = range;
  rule.cidr_operator = bgp::MatchOperator::kIn;
  rule.accept = accept;
  return rule;
}

}  // namespace

bgp::PerFamily<bgp::Filter> export_rules(const std::vector<PoolFacts>& pools, const BgpSettings& settings,
                                         bool is_reflector) {
  bgp::PerFamily<bgp::Filter> out;
  const auto add = [&](const IpPrefix& range, bool accept) {
    bgp::FilterRule rule = inside(range, accept);
    rule.only_from_peers = accept;
    out[bgp::family_of(range.family())].rules.push_back(std::move(rule));
  };
  for (const PoolFacts& pool : pools) {
    if (!pool.is_exported) add(pool.cidr, false);
  }
  for (const PoolFacts& pool : pools) {
    if (pool.is_exported) add(pool.cidr, true);
  }
  if (is_reflector) {
    for (const IpPrefix& range : settings.load_balancer_ips) add(range, true);
    for (const IpPrefix& range : settings.external_ips) add(range, true);
  }
  for (const bgp::Family family : bgp::kFamilies) {
    bgp::FilterRule rest;
    rest.only_from_peers = true;
    rest.accept = false;
    out[family].name = kExportRulesName;
    out[family].rules.push_back(std::move(rest));
  }
  return out;
}

}  // namespace margay::agent
