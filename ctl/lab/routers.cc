#include "ctl/lab/routers.h"

#include <algorithm>

#include "base/core/text.h"

namespace margay::lab {
namespace {

// What margay-bgpd beside GoBGP is called; both are in the router's namespace.
constexpr const char* kFibAddress = "127.0.0.2";

bool is_internal(const RouterPlan& plan, const RouterNeighbor& neighbor) {
  return neighbor.as_number == plan.router.as_number;
}
bool is_client(const RouterPlan& plan, const RouterNeighbor& neighbor) {
  return plan.router.reflects && is_internal(plan, neighbor);
}
IpFamily family_of(const RouterNeighbor& neighbor) {
  return neighbor.address ? neighbor.address->family() : neighbor.range.family();
}
std::string_view word_of(IpFamily family) { return family == IpFamily::kV4 ? "ipv4" : "ipv6"; }
std::string name_of(std::string_view base, const IpPrefix& prefix) {
  return concat(base, prefix.is_v4() ? "" : "-ipv6");
}

void add_nodes(const Topology& topology, std::size_t subnet, RouterPlan& plan) {
  const Subnet& of = topology.subnets[subnet];
  for (const IpPrefix& prefix : of.prefixes) {
    plan.neighbors.push_back({name_of(of.name, prefix), std::nullopt, prefix, as_number_of(topology, subnet)});
  }
}

// The first IPv4 address it has; without any, one that only serves as a number.
IpAddress id_of(const std::vector<IpAddress>& addresses, std::uint32_t number) {
  for (const IpAddress& address : addresses) {
    if (address.is_v4()) return address;
  }
  return IpAddress::v4(0x0A000001 + number);
}

std::string margay_config(const RouterPlan& plan) {
  std::string out = concat("apiVersion: margay.dev/v1\nkind: Speaker\nmetadata: {name: ", plan.name,
                           "}\nspec:\n  asNumber: ", plan.router.as_number, "\n  routerID: ", plan.id.to_string(),
                           "\n  installRoutes: true\n  peerDefaults: {connectRetryTime: 1s}\n");
  if (plan.router.reflects) out += concat("  routeReflectorClusterID: ", plan.id.to_string(), "\n");
  out += "  listenRanges:\n";
  for (const RouterNeighbor& each : plan.neighbors) {
    if (each.address) continue;
    out += concat("  - {name: ", each.name, ", cidr: ", quoted(each.range.to_string()), ", asNumber: ", each.as_number,
                  ", maxPeers: ", kNodesMax, "}\n");
  }
  for (const RouterNeighbor& each : plan.neighbors) {
    if (!each.address) continue;
    out += concat("---\napiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: ", each.name,
                  "}\nspec: {peerIP: ", quoted(each.address->to_string()), ", asNumber: ", each.as_number, "}\n");
  }
  return out;
}

std::string bird_config(const RouterPlan& plan) {
  std::string out = concat("router id ", plan.id.to_string(), ";\nlog stderr all;\nprotocol device {}\n",
                           "protocol direct { ipv4; ipv6; }\n");
  for (const char* family : {"ipv4", "ipv6"}) {
    out += concat("protocol kernel kernel_", family, " { ", family,
                  " { import none; export where source = RTS_BGP; }; }\n");
  }
  for (const RouterNeighbor& each : plan.neighbors) {
    std::string name = concat("to_", each.name);  // "router" alone is a word of its own
    std::replace(name.begin(), name.end(), '-', '_');
    out += concat("protocol bgp ", name, " {\n  local as ", plan.router.as_number, ";\n");
    if (each.address) {
      out += concat("  neighbor ", each.address->to_string(), " as ", each.as_number,
                    ";\n  connect delay time 0;\n  connect retry time 1;\n");
    } else {
      out += concat("  neighbor range ", each.range.to_string(), " as ", each.as_number, ";\n  dynamic name \"", name,
                    "_\";\n");
    }
    out += "  error wait time 1, 2;\n";
    if (is_client(plan, each)) out += "  rr client;\n";
    out += concat("  ", word_of(family_of(each)), " { import all; export where source = RTS_BGP; };\n}\n");
  }
  return out;
}

// Neighbours by address carry their settings themselves, those of a range through a group.
std::string frr_config(const RouterPlan& plan) {
  std::string out =
      concat("router bgp ", plan.router.as_number, "\n bgp router-id ", plan.id.to_string(), "\n bgp cluster-id ",
             plan.id.to_string(), "\n no bgp ebgp-requires-policy\n no bgp default ipv4-unicast\n bgp listen limit ",
             kNodesMax * 2, "\n");
  for (const RouterNeighbor& each : plan.neighbors) {
    const std::string name = each.address ? each.address->to_string() : each.name;
    if (!each.address) out += concat(" neighbor ", name, " peer-group\n");
    out +=
        concat(" neighbor ", name, " remote-as ", each.as_number, "\n neighbor ", name, " advertisement-interval 0\n");
    if (each.address) {
      out += concat(" neighbor ", name, " timers connect 1\n");
    } else {
      out += concat(" bgp listen range ", each.range.to_string(), " peer-group ", name, "\n");
    }
  }
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    out += concat(" address-family ", word_of(family), " unicast\n");
    for (const RouterNeighbor& each : plan.neighbors) {
      if (family_of(each) != family) continue;
      const std::string name = each.address ? each.address->to_string() : each.name;
      out += concat("  neighbor ", name, " activate\n");
      if (is_client(plan, each)) out += concat("  neighbor ", name, " route-reflector-client\n");
    }
    out += " exit-address-family\n";
  }
  return out;
}

// What neighbours and groups have alike; `table` is "neighbors" or "peer-groups".
std::string gobgp_session(std::string_view table, bool reflects, const IpAddress& id,
                          const std::vector<IpFamily>& families) {
  std::string out;
  if (reflects) {
    out += concat("[", table, ".route-reflector.config]\nroute-reflector-client = true\nroute-reflector-cluster-id = ",
                  quoted(id.to_string()), "\n");
  }
  out += concat("[", table, ".graceful-restart.config]\nenabled = true\nrestart-time = 120\n", "[", table,
                ".timers.config]\nconnect-retry = 1\nidle-hold-time-after-reset = 1\n");
  for (const IpFamily family : families) {
    out += concat("[[", table, ".afi-safis]]\n[", table, ".afi-safis.config]\nafi-safi-name = \"", word_of(family),
                  "-unicast\"\n[", table, ".afi-safis.mp-graceful-restart.config]\nenabled = true\n");
  }
  return out;
}

std::string gobgp_config(const RouterPlan& plan) {
  std::string out =
      concat("[global.config]\nas = ", plan.router.as_number, "\nrouter-id = ", quoted(plan.id.to_string()), "\n");
  // Who writes to the kernel is a client: it hears all, and says nothing.
  out += concat("[[neighbors]]\n[neighbors.config]\nneighbor-address = \"", kFibAddress,
                "\"\npeer-as = ", plan.router.as_number, "\n[neighbors.transport.config]\npassive-mode = true\n",
                gobgp_session("neighbors", true, plan.id, {IpFamily::kV4, IpFamily::kV6}));
  for (const RouterNeighbor& each : plan.neighbors) {
    if (each.address) {
      out += concat("[[neighbors]]\n[neighbors.config]\nneighbor-address = ", quoted(each.address->to_string()),
                    "\npeer-as = ", each.as_number, "\n",
                    gobgp_session("neighbors", is_client(plan, each), plan.id, {family_of(each)}));
      continue;
    }
    out += concat("[[peer-groups]]\n[peer-groups.config]\npeer-group-name = ", quoted(each.name),
                  "\npeer-as = ", each.as_number, "\n",
                  gobgp_session("peer-groups", is_client(plan, each), plan.id, {family_of(each)}),
                  "[[dynamic-neighbors]]\n[dynamic-neighbors.config]\nprefix = ", quoted(each.range.to_string()),
                  "\npeer-group = ", quoted(each.name), "\n");
  }
  return out;
}

std::string fib_config(const RouterPlan& plan) {
  return concat(
      "apiVersion: margay.dev/v1\nkind: Speaker\nmetadata: {name: fib}\nspec:\n  asNumber: ", plan.router.as_number,
      "\n  routerID: ", kFibAddress, "\n  listenAddress: ", kFibAddress, "\n  listenPort: 0\n  installRoutes: true\n",
      "  peerDefaults: {families: [ipv4, ipv6], connectRetryTime: 1s}\n---\n",
      "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: gobgp}\nspec: {peerIP: 127.0.0.1, ",
      "asNumber: ", plan.router.as_number, "}\n");
}

std::vector<std::string> frr_arguments(const std::string& folder, std::string_view program) {
  return {"-f",           concat(folder, '/', program, ".conf"),
          "-i",           concat(folder, '/', program, ".pid"),
          "-z",           concat(folder, "/zserv"),
          "-P",           "0",
          "--vty_socket", folder,
          "--log",        "stdout"};
}

}  // namespace

std::vector<RouterPlan> plan_routers(const Topology& topology) {
  std::vector<RouterPlan> out;
  RouterPlan middle{.name = "router", .router = topology.router, .id = {}, .neighbors = {}};
  std::vector<IpAddress> own;
  for (std::size_t i = 0; i < topology.subnets.size(); ++i) {
    const Subnet& subnet = topology.subnets[i];
    if (!subnet.tor) {
      for (const IpPrefix& prefix : subnet.prefixes) own.push_back(router_address(prefix));
      add_nodes(topology, i, middle);
      continue;
    }
    RouterPlan tor{.name = router_of(topology, i), .router = *subnet.tor, .id = {}, .neighbors = {}};
    std::vector<IpAddress> its;
    for (const IpPrefix& prefix : subnet.prefixes) its.push_back(router_address(prefix));
    tor.id = id_of(its, static_cast<std::uint32_t>(i) + 1);
    add_nodes(topology, i, tor);
    for (const Uplink& link : uplinks_of(topology, i)) {
      own.push_back(link.router);
      middle.neighbors.push_back({name_of(tor.name, link.prefix), link.tor, {}, tor.router.as_number});
      tor.neighbors.push_back({name_of("router", link.prefix), link.router, {}, topology.router.as_number});
    }
    out.push_back(std::move(tor));
  }
  middle.id = id_of(own, 0);
  out.insert(out.begin(), std::move(middle));
  return out;
}

std::vector<RouterFile> router_files(const RouterPlan& plan) {
  switch (plan.router.kind) {
    case RouterKind::kMargay: return {{"bgpd.yaml", margay_config(plan)}};
    case RouterKind::kBird: return {{"bird.conf", bird_config(plan)}};
    case RouterKind::kFrr: return {{"zebra.conf", ""}, {"bgpd.conf", frr_config(plan)}};
    case RouterKind::kGobgp: return {{"gobgpd.toml", gobgp_config(plan)}, {"fib.yaml", fib_config(plan)}};
  }
  return {};
}

std::vector<RouterProgram> router_programs(const RouterPlan& plan, const std::string& folder) {
  const auto speaker = [&folder](std::string_view file) {
    return RouterProgram{"margay-bgpd",
                         {"--config", concat(folder, '/', file), "--socket", folder + "/bgpd.sock"},
                         "",
                         folder + "/bgpd.sock"};
  };
  switch (plan.router.kind) {
    case RouterKind::kMargay: return {speaker("bgpd.yaml")};
    case RouterKind::kBird:
      return {{"bird", {"-f", "-c", folder + "/bird.conf", "-s", folder + "/bird.ctl"}, "bird2", folder + "/bird.ctl"}};
    case RouterKind::kFrr:
      return {{"zebra", frr_arguments(folder, "zebra"), "frr", folder + "/zserv"},
              {"bgpd", frr_arguments(folder, "bgpd"), "frr", folder + "/bgpd.vty"}};
    case RouterKind::kGobgp:
      return {{"gobgpd", {"-f", folder + "/gobgpd.toml", "--api-hosts", "127.0.0.1:50051"}, "gobgpd", ""},
              speaker("fib.yaml")};
  }
  return {};
}

}  // namespace margay::lab
