#include "agent/render/host_chains.h"

#include <utility>

#include "base/core/text.h"

namespace margay::render {
namespace {

Rules host_rules(const HostPlaceInfo& place, const DirectionUnits& units, const Settings& settings) {
  Rules rules;
  // What is not tracked has no state, and before DNAT the static chain has let pass what is known.
  const bool has_state = place.kind == ChainKind::kNormal || place.kind == ChainKind::kForward;
  if (has_state) add_connection_state(rules, place.table, settings);
  if (place.kind != ChainKind::kForward) {
    rules.push_back({.spec = jump(place.direction == Direction::kIngress ? kFailsafeIn : kFailsafeOut)});
  }
  add_policy(rules, units, settings);
  return rules;
}

}  // namespace

HostPlaceInfo info(HostPlace place) {
  using enum Direction;
  switch (place) {
    case HostPlace::kUntrackedIn: return {Table::kRaw, kIngress, ChainKind::kUntracked, "fh", kFromHosts};
    case HostPlace::kUntrackedOut: return {Table::kRaw, kEgress, ChainKind::kUntracked, "th", kToHosts};
    case HostPlace::kPreDnat: return {Table::kMangle, kIngress, ChainKind::kPreDnat, "fh", kFromHosts};
    case HostPlace::kAfterDnat: return {Table::kMangle, kEgress, ChainKind::kNormal, "th", kToHosts};
    case HostPlace::kIn: return {Table::kFilter, kIngress, ChainKind::kNormal, "fh", kFromHosts};
    case HostPlace::kOut: return {Table::kFilter, kEgress, ChainKind::kNormal, "th", kToHosts};
    case HostPlace::kForwardIn: return {Table::kFilter, kIngress, ChainKind::kForward, "fhfw", kFromHostsForward};
    case HostPlace::kForwardOut: break;
  }
  return {Table::kFilter, kEgress, ChainKind::kForward, "thfw", kToHostsForward};
}

std::string host_chain(HostPlace place, std::string_view interface) {
  const std::string_view prefix = info(place).prefix;
  // No name of an interface gives this one.
  return interface == kAnyInterface ? concat("margay-", prefix, "-_any") : chain_name(prefix, interface);
}

bool has_chain(HostPlace place, const policy::Endpoint& endpoint) {
  const ChainKind kind = info(place).kind;
  if (kind == ChainKind::kUntracked) return !endpoint.policy.untracked.empty();
  if (kind == ChainKind::kPreDnat) return !endpoint.policy.pre_dnat.empty();
  return true;
}

EndpointChains render_host(std::string_view interface, const policy::Endpoint& endpoint,
                           const EndpointContext& context) {
  EndpointChains out;
  for (const HostPlace each : kHostPlaces) {
    if (!has_chain(each, endpoint)) continue;
    const HostPlaceInfo place = info(each);
    const DirectionUnits units = units_of(endpoint.policy, place.direction, place.table, place.kind, context, out);
    for (const IpFamily family : context.families) {
      out.chains.push_back(
          {{family, place.table}, {host_chain(each, interface), host_rules(place, units, context.settings)}});
    }
  }
  return out;
}

}  // namespace margay::render
