// The objects of a lab: what is created when it comes up.
#include <algorithm>

#include "base/core/text.h"
#include "ctl/lab/topology.h"

namespace margay::lab {
namespace {

using json::Array;
using json::Object;
using json::Value;

Value object_of(std::string_view api_version, std::string_view kind, std::string_view name, Object spec) {
  return Object{
      {"apiVersion", api_version}, {"kind", kind}, {"metadata", Object{{"name", name}}}, {"spec", std::move(spec)}};
}

bool has_kind(const Topology& topology, std::string_view kind) {
  return std::any_of(topology.objects.begin(), topology.objects.end(),
                     [kind](const Value& object) { return object.string_at({"kind"}) == kind; });
}

bool has_tors(const Topology& topology) {
  return !topology.subnets.empty() && topology.subnets.front().tor.has_value();
}

bool has_family(const Topology& topology, IpFamily family) {
  const auto in_subnet = [family](const Subnet& subnet) {
    return std::any_of(subnet.prefixes.begin(), subnet.prefixes.end(),
                       [family](const IpPrefix& prefix) { return prefix.family() == family; });
  };
  return std::any_of(topology.subnets.begin(), topology.subnets.end(), in_subnet);
}

void add_pools(const Topology& topology, Array& out) {
  if (has_kind(topology, "IPPool")) return;
  const auto pool = [](const char* name, const char* cidr) {
    return object_of("projectcalico.org/v3", "IPPool", name,
                     Object{{"cidr", cidr}, {"ipipMode", "Never"}, {"vxlanMode", "Never"}});
  };
  if (has_family(topology, IpFamily::kV4)) out.push_back(pool("pods-ipv4", "10.244.0.0/16"));
  if (has_family(topology, IpFamily::kV6)) out.push_back(pool("pods-ipv6", "fd00:10:244::/56"));
}

// A node that offered the router the blocks of others, as it does to an eBGP peer, would draw their traffic, and send
// what lies behind the router back to it.
Value own_routes_only() {
  const Array rules{Object{{"action", "Reject"}, {"source", "RemotePeers"}}};
  return object_of("projectcalico.org/v3", "BGPFilter", "own-routes-only",
                   Object{{"exportV4", rules}, {"exportV6", rules}});
}

void add_router_peers(const Topology& topology, Array& out) {
  if (!topology.router.speaks_bgp) return;
  const bool is_external = !has_tors(topology) && topology.router.as_number != as_number_of(topology, 0);
  if (is_external) out.push_back(own_routes_only());
  for (const Subnet& subnet : topology.subnets) {
    for (const IpPrefix& prefix : subnet.prefixes) {
      const Router& router = subnet.tor ? *subnet.tor : topology.router;
      Object spec{{"nodeSelector", concat(kSubnetLabel, " == '", subnet.name, "'")},
                  {"peerIP", router_address(prefix).to_string()},
                  {"asNumber", std::int64_t{router.as_number}}};
      if (is_external) spec["filters"] = Array{"own-routes-only"};
      out.push_back(object_of("projectcalico.org/v3", "BGPPeer",
                              concat("router-", subnet.name, prefix.is_v4() ? "" : "-ipv6"), std::move(spec)));
    }
  }
}

}  // namespace

Value node_object(const Topology& topology, const LabNode& node) {
  Value out = Object{{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", Object{{"name", node.name}}}};
  Object labels = node.labels;
  labels["kubernetes.io/hostname"] = node.name;
  labels["kubernetes.io/os"] = "linux";
  labels[kSubnetLabel] = topology.subnets[node.subnet].name;
  out["metadata"]["labels"] = std::move(labels);
  Object annotations = node.annotations;
  if (topology.subnets[node.subnet].tor)
    annotations["projectcalico.org/ASNumber"] = concat(as_number_of(topology, node.subnet));
  if (!annotations.empty()) out["metadata"]["annotations"] = std::move(annotations);
  return out;
}

Array start_objects(const Topology& topology) {
  Array out;
  for (const LabNode& node : topology.nodes) out.push_back(node_object(topology, node));
  add_pools(topology, out);
  if (!has_kind(topology, "BGPConfiguration")) {
    out.push_back(
        object_of("projectcalico.org/v3", "BGPConfiguration", "default",
                  Object{{"asNumber", std::int64_t{kNodesAsNumber}}, {"nodeToNodeMeshEnabled", !has_tors(topology)}}));
  }
  add_router_peers(topology, out);
  out.insert(out.end(), topology.objects.begin(), topology.objects.end());
  return out;
}

Value node_status(const LabNode& node) {
  Array addresses;
  for (const IpAddress& address : node.addresses) {
    addresses.push_back(Object{{"type", "InternalIP"}, {"address", address.to_string()}});
  }
  addresses.push_back(Object{{"type", "Hostname"}, {"address", node.name}});
  return Object{{"addresses", std::move(addresses)}};
}

}  // namespace margay::lab
