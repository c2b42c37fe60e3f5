#include "agent/render/endpoint_dispatch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "agent/render/dispatch.h"
#include "agent/render/host_chains.h"
#include "agent/render/workload_chains.h"

namespace margay::render {
namespace {

void add_dispatch(const Dispatch& dispatch, const iptables::TableId& table, EndpointChains& out) {
  for (iptables::Chain& chain : dispatch_chains(dispatch)) out.chains.emplace_back(table, std::move(chain));
}

iptables::Chain rpf_skip(const std::map<std::string, const policy::Endpoint*>& workloads, IpFamily family,
                         const Settings& settings) {
  iptables::Chain chain{.name = std::string(kRpfSkip), .rules = {}};
  for (const auto& [interface, endpoint] : workloads) {
    const Rules rules = spoofing_exceptions(interface, *endpoint, family, settings);
    chain.rules.insert(chain.rules.end(), rules.begin(), rules.end());
  }
  return chain;
}

iptables::Chain from_addresses(const std::map<std::string, const policy::Endpoint*>& workloads, IpFamily family) {
  iptables::Chain chain{.name = std::string(kFromWorkloadAddress), .rules = {}};
  for (const auto& [interface, endpoint] : workloads) {
    for (const IpPrefix& net : endpoint->workload->spec.ip_networks) {
      if (net.family() != family) continue;
      chain.rules.push_back({.spec = spec({"-s", net.to_string(), go_to(from_workload_chain(interface))})});
    }
  }
  return chain;
}

// The one for all is neither for the loopback nor for workloads.
Rules any_interface(HostPlace place, const Settings& settings) {
  const bool by_output = info(place).direction == Direction::kEgress;
  Rules rules;
  std::vector<std::string> others{"lo"};
  for (const std::string& prefix : settings.workload_prefixes) others.push_back(prefix + '+');
  for (const std::string& other : others) {
    rules.push_back({.spec = spec({by_output ? to_interface(other) : from_interface(other), kReturn})});
  }
  rules.push_back({.spec = go_to(host_chain(place, kAnyInterface))});
  return rules;
}

Dispatch dispatch_of(HostPlace place, const HostChoice& choice, const Endpoints& endpoints, const Settings& settings) {
  const HostPlaceInfo where = info(place);
  Dispatch out{.root = std::string(where.dispatch),
               .by_output = where.direction == Direction::kEgress,
               .targets = {},
               .end = {}};
  for (const auto& [interface, key] : choice.interfaces) {
    const bool has_it = has_chain(place, *endpoints.at(key));
    if (interface == kAnyInterface) {
      if (has_it) out.end = any_interface(place, settings);
    } else {
      // One that names the interface takes it from the one for all, also where it says nothing.
      out.targets[interface] = has_it ? host_chain(place, interface) : std::string();
    }
  }
  if (out.end.empty()) std::erase_if(out.targets, [](const auto& each) { return each.second.empty(); });
  return out;
}

}  // namespace

EndpointChains workload_dispatch(const std::map<std::string, const policy::Endpoint*>& workloads,
                                 const Settings& settings, bool by_address) {
  const Rules unknown = {{.spec = std::string(deny(Table::kFilter, settings)), .comment = "unknown interface"}};
  EndpointChains out;
  for (const IpFamily family : families(settings)) {
    Dispatch to{.root = std::string(kToWorkloads), .by_output = true, .targets = {}, .end = unknown};
    Dispatch from{.root = std::string(kFromWorkloads), .by_output = false, .targets = {}, .end = unknown};
    for (const auto& [interface, endpoint] : workloads) {
      const auto spoken = families_of(endpoint->workload->spec, settings);
      if (std::find(spoken.begin(), spoken.end(), family) == spoken.end()) continue;
      to.targets[interface] = to_workload_chain(interface);
      from.targets[interface] = from_workload_chain(interface);
    }
    add_dispatch(to, {family, Table::kFilter}, out);
    add_dispatch(from, {family, Table::kFilter}, out);
    out.chains.push_back({{family, Table::kRaw}, rpf_skip(workloads, family, settings)});
    if (by_address) out.chains.push_back({{family, Table::kFilter}, from_addresses(workloads, family)});
  }
  return out;
}

EndpointChains host_dispatch(const HostChoice& choice, const Endpoints& endpoints, const Settings& settings) {
  EndpointChains out;
  for (const HostPlace place : kHostPlaces) {
    const Dispatch dispatch = dispatch_of(place, choice, endpoints, settings);
    for (const IpFamily family : families(settings)) add_dispatch(dispatch, {family, info(place).table}, out);
  }
  return out;
}

}  // namespace margay::render
