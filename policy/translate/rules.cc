#include "policy/translate/rules.h"

#include <algorithm>
#include <utility>

namespace margay::policy {
namespace {

bool touches(const PortRange& earlier, const PortRange& later) {
  return std::uint32_t{later.first().value()} <= std::uint32_t{earlier.last().value()} + 1;
}

std::vector<model::PortOrName> joined(std::vector<PortRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<model::PortOrName> out;
  PortRange open = ranges.front();
  for (const PortRange& next : ranges) {
    if (touches(open, next)) {
      open = PortRange::between(open.first(), std::max(open.last(), next.last())).value();
    } else {
      out.emplace_back(open);
      open = next;
    }
  }
  out.emplace_back(open);
  return out;
}

}  // namespace

std::vector<model::PortOrName> simplified(std::vector<model::PortOrName> ports) {
  std::vector<PortRange> ranges;
  std::vector<model::PortOrName> out;
  for (const model::PortOrName& port : ports) {
    if (const PortRange* range = port.range()) {
      ranges.push_back(*range);
    } else {
      out.push_back(port);
    }
  }
  if (ranges.size() < 2) return ports;
  for (model::PortOrName& range : joined(std::move(ranges))) out.push_back(std::move(range));
  return out;
}

void PortsByProtocol::add(model::Protocol protocol, std::optional<model::PortOrName> port) {
  Ports& group = groups_[protocol.to_string()];
  group.protocol = protocol;
  if (port) {
    group.ports.push_back(std::move(*port));
  } else {
    group.is_any = true;
  }
}

std::vector<PortsByProtocol::Ports> PortsByProtocol::groups() const {
  if (groups_.empty()) return {Ports{.protocol = std::nullopt, .is_any = true, .ports = {}}};
  std::vector<Ports> out;
  for (const auto& [name, group] : groups_) {
    out.push_back(group);
    out.back().ports = group.is_any ? std::vector<model::PortOrName>() : simplified(group.ports);
  }
  return out;
}

std::vector<model::Rule> rules_of(const model::Rule& like, RuleSide side, const PortsByProtocol& ports,
                                  const std::vector<model::EntityRule>& peers) {
  std::vector<model::Rule> out;
  for (const PortsByProtocol::Ports& group : ports.groups()) {
    for (const model::EntityRule& peer : peers) {
      model::Rule& rule = out.emplace_back(like);
      rule.protocol = group.protocol;
      (side == RuleSide::kIngress ? rule.source : rule.destination) = peer;
      rule.destination.ports = group.ports;
    }
  }
  return out;
}

}  // namespace margay::policy
