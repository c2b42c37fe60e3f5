#include "agent/render/static_chains.h"

#include <utility>

#include "base/core/text.h"

namespace margay::render {
namespace {

// Of neighbour discovery and multicast listening (RFC 4861, RFC 2710): between a workload and its host, whatever
// policies say.
constexpr int kNeighbourTypes[] = {130, 131, 132, 133, 135, 136};

std::string vxlan(const Settings& settings) {
  return concat("-p udp -m multiport --dports ", settings.vxlan_port.value());
}

// Others may have a VXLAN of theirs on the same port. The number stands above the last byte of a word: behind the IPv4
// header, however long, and 12 bytes of UDP and VXLAN (RFC 7348 §5).
std::string of_our_vni(IpFamily family, const Settings& settings) {
  if (!settings.features.has_u32) return "";
  return concat("-m u32 --u32 ", family == IpFamily::kV4 ? "0>>22&0x3C@12" : "52", ">>8=", settings.vxlan_vni);
}

// A node that nobody told of has no peers; one without IPv6 peers has no such tunnel.
bool has_vxlan(IpFamily family, const NodeNetworks& networks) {
  return networks.vxlan_enabled &&
         (family == IpFamily::kV4 || (!networks.vxlan_peers.empty() && networks.vxlan_peers.rbegin()->is_v6()));
}

bool has_ipip(IpFamily family, const NodeNetworks& networks) {
  return networks.ipip_enabled && family == IpFamily::kV4;
}

std::string in_set(IpFamily family, std::string_view set, std::string_view end) {
  return concat("-m set --match-set ", set_name(family, set), ' ', end);
}

std::string workload_wildcard(const std::string& prefix) { return prefix + '+'; }

class Filter {
 public:
  Filter(IpFamily family, const Settings& settings, const NodeNetworks& networks)
      : family_(family), settings_(settings), marks_(settings.marks), networks_(networks) {}

  TableContent content() {
    TableContent out;
    out.chains = {input(), forward(), output(), workload_to_host(), cidr_block()};
    if (has_ipvs()) out.chains.push_back(ipvs());
    for (iptables::Chain& chain : failsafe_chains(family_, Table::kFilter, settings_)) {
      out.chains.push_back(std::move(chain));
    }
    out.hooks["INPUT"] = hook_to(kInputChain);
    out.hooks["OUTPUT"] = hook_to(kOutputChain);
    out.hooks["FORWARD"] = hook_to(kForwardChain);
    // After the rules of others, who may have decided otherwise. What nobody dropped is marked: policy of the host's
    // own packets (mangle POSTROUTING) is not for it.
    out.hooks["FORWARD"].last = {{.spec = spec({has_mark(marks_.accept), allowed()}), .comment = "policy accepted it"},
                                 {.spec = set_mark(marks_.accept), .comment = "forwarded"}};
    return out;
  }

 private:
  [[nodiscard]] std::string_view allowed() const { return allow(Table::kFilter, settings_); }

  void add_accept_if_marked(Rules& rules) const {
    rules.push_back({.spec = spec({has_mark(marks_.accept), allowed()})});
  }

  // What comes from a tunnel is policed once it is unpacked; only nodes may send it.
  void add_tunnels_in(Rules& rules) const {
    if (has_ipip(family_, networks_)) {
      rules.push_back(
          {.spec = spec({"-p 4", in_set(family_, kIpipPeers, "src"), "-m addrtype --dst-type LOCAL", allowed()}),
           .comment = "IP-in-IP from nodes"});
      rules.push_back({.spec = spec({"-p 4", kDrop}), .comment = "IP-in-IP from others"});
    }
    if (has_vxlan(family_, networks_)) {
      rules.push_back({.spec = spec({vxlan(settings_), in_set(family_, kVxlanPeers, "src"),
                                     "-m addrtype --dst-type LOCAL", allowed()}),
                       .comment = "VXLAN from nodes"});
      rules.push_back(
          {.spec = spec({vxlan(settings_), of_our_vni(family_, settings_), "-m addrtype --dst-type LOCAL", kDrop}),
           .comment = "VXLAN from others"});
    }
  }

  void add_tunnels_out(Rules& rules) const {
    if (has_ipip(family_, networks_)) {
      rules.push_back(
          {.spec = spec({"-p 4", in_set(family_, kIpipPeers, "dst"), "-m addrtype --src-type LOCAL", allowed()}),
           .comment = "IP-in-IP to nodes"});
    }
    if (has_vxlan(family_, networks_)) {
      rules.push_back({.spec = spec({vxlan(settings_), in_set(family_, kVxlanPeers, "dst"),
                                     "-m addrtype --src-type LOCAL", allowed()}),
                       .comment = "VXLAN to nodes"});
    }
  }

  [[nodiscard]] bool has_ipvs() const { return networks_.ipvs_services.has_value(); }

  // What IPVS takes is for nobody on this host: it comes back as output, with its destination (ipvs()). RETURN, as
  // kube-proxy refuses ports of Services that nobody serves.
  void add_workloads_to_services(Rules& rules) const {
    if (!has_ipvs()) return;
    for (const std::string& prefix : settings_.workload_prefixes) {
      rules.push_back(
          {.spec = spec({from_interface(workload_wildcard(prefix)), in_set(family_, kIpvsServices, "dst"), kReturn}),
           .comment = "to a Service by IPVS"});
    }
  }

  // For a host endpoint it is forwarded: here it still says by which interface it came.
  void add_hosts_to_services(Rules& rules) const {
    if (!has_ipvs()) return;
    rules.push_back({.spec = spec({in_set(family_, kIpvsServices, "dst"), go_to(kFromHostsForward)}),
                     .comment = "to a Service by IPVS"});
    if (settings_.node_ports.empty()) return;
    for (const std::string_view protocol : {"tcp", "udp", "sctp"}) {
      rules.push_back({.spec = spec({concat("-p ", protocol, " -m multiport --dports ", settings_.node_ports),
                                     "-m addrtype --dst-type LOCAL", go_to(kFromHostsForward)}),
                       .comment = "kubeNodePortRanges"});
    }
  }

  // As forward(), without the interface by which it came.
  [[nodiscard]] iptables::Chain ipvs() const {
    Rules rules;
    rules.push_back({.spec = clear_mark(marks_.all())});
    rules.push_back({.spec = jump(kFromWorkloadAddress)});
    for (const std::string& prefix : settings_.workload_prefixes) {
      rules.push_back({.spec = spec({to_interface(workload_wildcard(prefix)), jump(kToWorkloads)})});
    }
    rules.push_back({.spec = jump(kToHostsForward)});
    add_accept_if_marked(rules);
    return {.name = std::string(kIpvs), .rules = std::move(rules)};
  }

  [[nodiscard]] iptables::Chain input() const {
    Rules rules;
    add_tunnels_in(rules);
    add_workloads_to_services(rules);
    for (const std::string& prefix : settings_.workload_prefixes) {
      rules.push_back({.spec = spec({from_interface(workload_wildcard(prefix)), go_to(kWorkloadToHost)})});
    }
    add_accept_if_marked(rules);
    rules.push_back({.spec = clear_mark(marks_.all())});
    add_hosts_to_services(rules);
    rules.push_back({.spec = jump(kFromHosts)});
    add_accept_if_marked(rules);
    return {.name = std::string(kInputChain), .rules = std::move(rules)};
  }

  // The accept mark of policy before DNAT is kept: it settles it for host endpoints.
  [[nodiscard]] iptables::Chain forward() const {
    Rules rules;
    rules.push_back({.spec = clear_mark(marks_.all() & ~marks_.accept)});
    rules.push_back({.spec = spec({has_no_mark(marks_.accept), jump(kFromHostsForward)})});
    for (const std::string& prefix : settings_.workload_prefixes) {
      rules.push_back({.spec = spec({from_interface(workload_wildcard(prefix)), jump(kFromWorkloads)})});
    }
    for (const std::string& prefix : settings_.workload_prefixes) {
      rules.push_back({.spec = spec({to_interface(workload_wildcard(prefix)), jump(kToWorkloads)})});
    }
    rules.push_back({.spec = jump(kToHostsForward)});
    rules.push_back({.spec = jump(kCidrBlock)});
    return {.name = std::string(kForwardChain), .rules = std::move(rules)};
  }

  // A host may always talk to its own workloads.
  [[nodiscard]] iptables::Chain output() const {
    Rules rules;
    if (has_ipvs()) {
      // A host without an address yet (duplicate address detection, RFC 4862) is this host all the same.
      const std::string_view source = family_ == IpFamily::kV6 ? "! -s ::/128" : "";
      rules.push_back({.spec = spec({source, "-m addrtype ! --src-type LOCAL", go_to(kIpvs)}),
                       .comment = "not of this host: by IPVS"});
    }
    add_accept_if_marked(rules);
    for (const std::string& prefix : settings_.workload_prefixes) {
      rules.push_back({.spec = spec({to_interface(workload_wildcard(prefix)), kReturn})});
    }
    add_tunnels_out(rules);
    rules.push_back({.spec = clear_mark(marks_.all())});
    rules.push_back({.spec = spec({"-m conntrack ! --ctstate DNAT", jump(kToHosts)})});
    add_accept_if_marked(rules);
    return {.name = std::string(kOutputChain), .rules = std::move(rules)};
  }

  [[nodiscard]] iptables::Chain workload_to_host() const {
    Rules rules;
    if (family_ == IpFamily::kV6) {
      for (const int type : kNeighbourTypes) {
        rules.push_back({.spec = concat("-p ipv6-icmp -m icmp6 --icmpv6-type ", type, ' ', allowed())});
      }
    }
    rules.push_back({.spec = jump(kFromWorkloads)});
    rules.push_back({.spec = std::string(to_host_action()), .comment = "defaultEndpointToHostAction"});
    return {.name = std::string(kWorkloadToHost), .rules = std::move(rules)};
  }

  [[nodiscard]] std::string_view to_host_action() const {
    switch (settings_.endpoint_to_host) {
      case model::EndpointToHostAction::kAccept: return allowed();
      case model::EndpointToHostAction::kReturn: return kReturn;
      case model::EndpointToHostAction::kDrop: break;
    }
    return deny(Table::kFilter, settings_);
  }

  // A service address that is still there after DNAT has no backend: it would travel between node and router.
  [[nodiscard]] iptables::Chain cidr_block() const {
    Rules rules;
    const model::ServiceLoopPrevention action = settings_.service_loop;
    for (const IpPrefix& block : networks_.service_blocks) {
      if (action == model::ServiceLoopPrevention::kDisabled || block.family() != family_) continue;
      rules.push_back({.spec = concat("-d ", block.to_string(),
                                      action == model::ServiceLoopPrevention::kReject ? " -j REJECT" : " -j DROP"),
                       .comment = "service loop prevention"});
    }
    return {.name = std::string(kCidrBlock), .rules = std::move(rules)};
  }

  const IpFamily family_;
  const Settings& settings_;
  const Marks& marks_;
  const NodeNetworks& networks_;
};

iptables::Chain raw_prerouting(IpFamily family, const Settings& settings, const NodeNetworks& networks) {
  const Marks& marks = settings.marks;
  Rules rules;
  rules.push_back({.spec = clear_mark(marks.all())});
  if (has_vxlan(family, networks)) rules.push_back({.spec = spec({vxlan(settings), "-j CT --notrack"})});
  for (const std::string& prefix : settings.workload_prefixes) {
    rules.push_back({.spec = spec({from_interface(workload_wildcard(prefix)), set_mark(marks.scratch0)})});
  }
  if (settings.features.has_rpfilter) {
    rules.push_back({.spec = spec({has_mark(marks.scratch0), jump(kRpfSkip)})});
    rules.push_back({.spec = spec({has_mark(marks.scratch0), "-m rpfilter --validmark --invert", kDrop}),
                     .comment = "not the way back to its source"});
  }
  rules.push_back({.spec = spec({has_no_mark(marks.scratch0), jump(kFromHosts)})});
  rules.push_back({.spec = spec({has_mark(marks.accept), kAccept})});
  return {.name = std::string(kPreroutingChain), .rules = std::move(rules)};
}

iptables::Chain raw_output(IpFamily family, const Settings& settings, const NodeNetworks& networks) {
  Rules rules;
  rules.push_back({.spec = clear_mark(settings.marks.all())});
  rules.push_back({.spec = jump(kToHosts)});
  if (has_vxlan(family, networks)) rules.push_back({.spec = spec({vxlan(settings), "-j CT --notrack"})});
  rules.push_back({.spec = spec({has_mark(settings.marks.accept), kAccept})});
  return {.name = std::string(kOutputChain), .rules = std::move(rules)};
}

// Of one port: "--dports" is the port itself, "--sports" its answers.
void add_failsafe(Rules& rules, const Failsafe& port, IpFamily family, std::string_view ports, std::string_view net) {
  if (port.net && port.net->family() != family) return;
  const bool has_net = port.net && port.net->length() > 0;
  rules.push_back({.spec = spec({concat("-p ", port.protocol), has_net ? concat(net, ' ', port.net->to_string()) : "",
                                 concat("-m multiport ", ports, ' ', port.port.value()), kAccept})});
}

}  // namespace

iptables::Hook hook_to(std::string_view chain) { return {.first = {{.spec = jump(chain)}}, .last = {}}; }

std::vector<iptables::Chain> failsafe_chains(IpFamily family, Table table, const Settings& settings) {
  Rules in;
  Rules out;
  for (const Failsafe& port : settings.failsafe_in) add_failsafe(in, port, family, "--dports", "-s");
  for (const Failsafe& port : settings.failsafe_out) add_failsafe(out, port, family, "--dports", "-d");
  if (table == Table::kRaw) {
    for (const Failsafe& port : settings.failsafe_out) add_failsafe(in, port, family, "--sports", "-s");
    for (const Failsafe& port : settings.failsafe_in) add_failsafe(out, port, family, "--sports", "-d");
  }
  return {{.name = std::string(kFailsafeIn), .rules = std::move(in)},
          {.name = std::string(kFailsafeOut), .rules = std::move(out)}};
}

TableContent static_raw(IpFamily family, const Settings& settings, const NodeNetworks& networks) {
  TableContent out;
  out.chains = failsafe_chains(family, Table::kRaw, settings);
  out.chains.push_back(raw_prerouting(family, settings, networks));
  out.chains.push_back(raw_output(family, settings, networks));
  out.hooks["PREROUTING"] = hook_to(kPreroutingChain);
  out.hooks["OUTPUT"] = hook_to(kOutputChain);
  return out;
}

TableContent static_mangle(const Settings& settings) {
  const Marks& marks = settings.marks;
  const std::string_view allowed = allow(Table::kMangle, settings);
  const iptables::Rule accept_if_marked{.spec = spec({has_mark(marks.accept), allowed})};
  const iptables::Rule return_if_marked{.spec = spec({has_mark(marks.accept), kReturn})};
  TableContent out;
  out.chains.push_back({.name = std::string(kPreroutingChain),
                        .rules = {{.spec = spec({"-m conntrack --ctstate RELATED,ESTABLISHED", allowed})},
                                  accept_if_marked,
                                  {.spec = jump(kFromHosts)},
                                  accept_if_marked}});
  out.chains.push_back({.name = std::string(kPostroutingChain),
                        .rules = {return_if_marked,
                                  {.spec = clear_mark(marks.all())},
                                  {.spec = spec({"-m conntrack --ctstate DNAT", jump(kToHosts)})},
                                  return_if_marked}});
  out.hooks["PREROUTING"] = hook_to(kPreroutingChain);
  out.hooks["POSTROUTING"] = hook_to(kPostroutingChain);
  return out;
}

TableContent static_filter(IpFamily family, const Settings& settings, const NodeNetworks& networks) {
  return Filter(family, settings, networks).content();
}

}  // namespace margay::render
