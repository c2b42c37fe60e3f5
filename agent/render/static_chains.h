// Static chains: from the kernel's hooks to the chains that know the interfaces, and back: what is accepted, what is
// dropped, what goes to the rules of others. They depend on settings and networks only. Pure.
//
//   raw     PREROUTING, OUTPUT        spoofed sources, untracked policy
//   mangle  PREROUTING, POSTROUTING   policy before DNAT; policy of the host's own packets after DNAT
//   nat     POSTROUTING               nat.h
//   filter  INPUT, FORWARD, OUTPUT    tunnels, workloads, host endpoints, service loops
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/render/endpoint_rules.h"
#include "agent/render/inputs.h"

namespace margay::render {

struct TableContent {
  std::vector<iptables::Chain> chains;
  std::map<std::string, iptables::Hook> hooks;
};

TableContent static_raw(IpFamily family, const Settings& settings, const NodeNetworks& networks);
TableContent static_mangle(const Settings& settings);
TableContent static_filter(IpFamily family, const Settings& settings, const NodeNetworks& networks);

// Ports that stay open, in and out; in the raw table, which knows no connections, also their answers.
std::vector<iptables::Chain> failsafe_chains(IpFamily family, Table table, const Settings& settings);

// One jump, before everybody else's rules.
iptables::Hook hook_to(std::string_view chain);

}  // namespace margay::render
