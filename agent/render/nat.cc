#include "agent/render/nat.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::render {
namespace {

std::string to_outside(IpFamily family, const Settings& settings) {
  const std::string out_interface = settings.nat_interface.empty() ? "" : to_interface(settings.nat_interface);
  const std::string not_hosts =
      settings.is_nat_to_hosts_excluded ? concat("-m set ! --match-set ", set_name(family, kHosts), " dst") : "";
  return spec({out_interface, concat("-m set --match-set ", set_name(family, kMasqueradePools), " src"),
               concat("-m set ! --match-set ", set_name(family, kPools), " dst"), not_hosts});
}

// `ports` is "" or "1024-65535".
std::string target(IpFamily family, const Settings& settings, const std::string& ports) {
  const std::string_view random = settings.features.has_random_fully ? "--random-fully" : "";
  if (settings.nat_address && settings.nat_address->family() == family) {
    const std::string address = settings.nat_address->to_string();
    const bool needs_brackets = family == IpFamily::kV6 && !ports.empty();
    const std::string source = needs_brackets ? concat('[', address, ']') : address;
    return spec({concat("-j SNAT --to-source ", source, ports.empty() ? "" : ":", ports), random});
  }
  return spec({"-j MASQUERADE", ports.empty() ? "" : concat("--to-ports ", ports), random});
}

iptables::Chain outgoing(IpFamily family, const Settings& settings, const NodeNetworks& networks) {
  Rules rules;
  const bool has_pool = std::any_of(networks.masquerade_pools.begin(), networks.masquerade_pools.end(),
                                    [family](const IpPrefix& pool) { return pool.family() == family; });
  if (has_pool) {
    const std::string matches = to_outside(family, settings);
    if (settings.nat_ports) {
      const std::string ports = concat(settings.nat_ports->first().value(), '-', settings.nat_ports->last().value());
      for (const std::string_view protocol : {"-p tcp", "-p udp"}) {
        rules.push_back({.spec = spec({protocol, matches, target(family, settings, ports)})});
      }
    }
    rules.push_back({.spec = spec({matches, target(family, settings, "")})});
  }
  return {.name = std::string(kNatOutgoing), .rules = std::move(rules)};
}

// A socket of the host is bound to an address of another interface, to which answers would not come back this way.
void add_tunnels(Rules& rules, const Settings& settings, const NodeNetworks& networks) {
  const std::string_view random = settings.features.has_random_fully ? "--random-fully" : "";
  for (const std::string& device : networks.tunnel_devices) {
    if (!is_interface_name(device)) continue;
    rules.push_back({.spec = spec({to_interface(device), "-m addrtype ! --src-type LOCAL --limit-iface-out",
                                   "-m addrtype --src-type LOCAL -j MASQUERADE", random}),
                     .comment = "from the host into a tunnel"});
  }
}

}  // namespace

TableContent nat_content(IpFamily family, const Settings& settings, const NodeNetworks& networks) {
  Rules postrouting;
  postrouting.push_back({.spec = jump(kNatOutgoing)});
  add_tunnels(postrouting, settings, networks);
  TableContent out;
  out.chains.push_back({.name = std::string(kPostroutingChain), .rules = std::move(postrouting)});
  out.chains.push_back(outgoing(family, settings, networks));
  // Whoever has a reason to keep an address comes first.
  out.hooks["POSTROUTING"] = {.first = {}, .last = {{.spec = jump(kPostroutingChain)}}};
  return out;
}

}  // namespace margay::render
