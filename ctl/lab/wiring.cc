#include "ctl/lab/wiring.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <unistd.h>

#include "base/core/text.h"
#include "base/file/file.h"
#include "ctl/lab/net_space.h"
#include "dataplane/netlink/netlink.h"

namespace margay::lab {
namespace {

using netlink::Batch;
using netlink::Request;

std::string bridge_of(std::size_t subnet) { return concat("subnet", subnet); }
std::string port_of(std::size_t node) { return concat("port", node); }

Status send(const Batch& batch, std::string_view what) {
  MARGAY_ASSIGN_OR_RETURN(const auto kernel, netlink::open_netlink(NETLINK_ROUTE));
  const netlink::BatchReport report = kernel->apply(batch);
  MARGAY_RETURN_IF_ERROR(report.transport);
  if (report.failures.empty()) return ok_status();
  return netlink::error_of(report.failures.front().error, concat(what, ": ", report.failures.front().text));
}

void add_bridge(Batch& batch, const std::string& name) {
  Request request = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  ifinfomsg head{};
  head.ifi_flags = head.ifi_change = IFF_UP;
  request.header(head);
  request.text(IFLA_IFNAME, name);
  const std::size_t info = request.begin_nest(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, "bridge");
  request.end_nest(info);
}

// Its other end is `peer_name` in the namespace that `peer_space` is open on. 0: no bridge.
void add_cable(Batch& batch, const std::string& name, unsigned bridge, const char* peer_name, int peer_space) {
  Request request = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  ifinfomsg head{};
  head.ifi_flags = head.ifi_change = IFF_UP;
  request.header(head);
  request.text(IFLA_IFNAME, name);
  if (bridge != 0) request.u32(IFLA_MASTER, bridge);
  const std::size_t info = request.begin_nest(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, "veth");
  const std::size_t data = request.begin_nest(IFLA_INFO_DATA);
  const std::size_t peer = request.begin_nest(VETH_INFO_PEER);
  request.header(ifinfomsg{});
  request.text(IFLA_IFNAME, peer_name);
  request.u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(peer_space));
  request.end_nest(peer);
  request.end_nest(data);
  request.end_nest(info);
}

void add_flags(Batch& batch, const std::string& name, bool is_up) {
  Request request = batch.add(RTM_NEWLINK, 0);
  ifinfomsg head{};
  head.ifi_flags = is_up ? unsigned{IFF_UP} : 0U;
  head.ifi_change = IFF_UP;
  request.header(head);
  request.text(IFLA_IFNAME, name);
}

unsigned char number_of(IpFamily family) { return family == IpFamily::kV4 ? AF_INET : AF_INET6; }

void add_address(Batch& batch, unsigned interface, const IpAddress& address, const IpPrefix& subnet) {
  Request request = batch.add(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  ifaddrmsg head{};
  head.ifa_family = number_of(address.family());
  head.ifa_prefixlen = static_cast<unsigned char>(subnet.length());
  head.ifa_flags = address.is_v6() ? IFA_F_NODAD : 0;
  head.ifa_index = interface;
  request.header(head);
  request.address(IFA_LOCAL, address);
  request.address(IFA_ADDRESS, address);
}

// No prefix: the default route.
void add_route(Batch& batch, unsigned interface, const IpAddress& gateway, const IpPrefix* prefix) {
  Request request = batch.add(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  rtmsg head{};
  head.rtm_family = number_of(gateway.family());
  head.rtm_dst_len = prefix == nullptr ? 0 : static_cast<unsigned char>(prefix->length());
  head.rtm_table = RT_TABLE_MAIN;
  head.rtm_protocol = RTPROT_BOOT;
  head.rtm_type = RTN_UNICAST;
  request.header(head);
  if (prefix != nullptr) request.address(RTA_DST, prefix->first());
  request.address(RTA_GATEWAY, gateway);
  request.u32(RTA_OIF, interface);
}

// /proc/sys/net shows the namespace of the thread that opens it.
Status write_setting(const std::string& path, std::string_view value) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return file::error_of(errno, path, "cannot open");
  const bool is_written = write(fd, value.data(), value.size()) == static_cast<ssize_t>(value.size());
  const int number = errno;
  close(fd);
  return is_written ? ok_status() : Status(file::error_of(number, path, "cannot write"));
}

// From the namespace we are in to another one.
Status lay_cable(const std::string& name, unsigned bridge, const char* peer_name, const std::string& peer_space) {
  const std::string path = path_of_space(peer_space);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return file::error_of(errno, path, "cannot open");
  Batch batch;
  add_cable(batch, name, bridge, peer_name, fd);
  Status done = send(batch, name);
  close(fd);
  return done;
}

// In the router that has the node's subnet.
Status lay_node_cable(const Paths& paths, const Topology& topology, std::size_t node) {
  return lay_cable(port_of(node), if_nametoindex(bridge_of(topology.nodes[node].subnet).c_str()), "eth0",
                   paths.space_of(topology.nodes[node].name));
}

std::string uplink_of(std::size_t subnet) { return concat("tor", subnet); }

// In the router in the middle, once the cable to the subnet's own router lies and is up: IPv6 asks for that.
Status address_uplink(const Topology& topology, std::size_t subnet) {
  const std::string name = uplink_of(subnet);
  Batch batch;
  const std::vector<Uplink> links = uplinks_of(topology, subnet);
  for (std::size_t i = 0; i < links.size(); ++i) {
    add_address(batch, if_nametoindex(name.c_str()), links[i].router, links[i].prefix);
    add_route(batch, if_nametoindex(name.c_str()), links[i].tor, &topology.subnets[subnet].prefixes[i]);
  }
  return send(batch, name);
}

// In the subnet's own router.
Status raise_uplink(const Topology& topology, std::size_t subnet) {
  Batch batch;
  add_flags(batch, "uplink", true);
  for (const Uplink& link : uplinks_of(topology, subnet)) {
    add_address(batch, if_nametoindex("uplink"), link.tor, link.prefix);
    add_route(batch, if_nametoindex("uplink"), link.router, nullptr);
  }
  return send(batch, "uplink");
}

// Its bridges and the cables to its nodes.
Status wire_router(const Paths& paths, const Topology& topology, const std::string& router) {
  MARGAY_RETURN_IF_ERROR(write_setting("/proc/sys/net/ipv4/ip_forward", "1"));
  MARGAY_RETURN_IF_ERROR(write_setting("/proc/sys/net/ipv6/conf/all/forwarding", "1"));
  for (std::size_t i = 0; i < topology.subnets.size(); ++i) {
    if (router_of(topology, i) != router) continue;
    Batch bridge;
    add_bridge(bridge, bridge_of(i));
    MARGAY_RETURN_IF_ERROR(send(bridge, bridge_of(i)));
    Batch batch;
    for (const IpPrefix& prefix : topology.subnets[i].prefixes) {
      add_address(batch, if_nametoindex(bridge_of(i).c_str()), router_address(prefix), prefix);
    }
    MARGAY_RETURN_IF_ERROR(send(batch, concat("addresses of ", bridge_of(i))));
  }
  for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
    if (router_of(topology, topology.nodes[i].subnet) == router)
      MARGAY_RETURN_IF_ERROR(lay_node_cable(paths, topology, i));
  }
  return ok_status();
}

Status wire_tor(const Paths& paths, const Topology& topology, std::size_t subnet) {
  const std::string name = router_of(topology, subnet);
  const std::string space = paths.space_of(name);
  MARGAY_RETURN_IF_ERROR(create_space(space));
  MARGAY_RETURN_IF_ERROR(run_in_space(space, [&] { return wire_router(paths, topology, name); }));
  const std::string middle = paths.space_of(kRouterName);
  MARGAY_RETURN_IF_ERROR(run_in_space(middle, [&] { return lay_cable(uplink_of(subnet), 0, "uplink", space); }));
  MARGAY_RETURN_IF_ERROR(run_in_space(space, [&] { return raise_uplink(topology, subnet); }));
  return run_in_space(middle, [&] { return address_uplink(topology, subnet); });
}

Status wire_node(const Topology& topology, const LabNode& node) {
  const unsigned interface = if_nametoindex("eth0");
  Batch batch;
  add_flags(batch, "eth0", true);
  const Subnet& subnet = topology.subnets[node.subnet];
  for (std::size_t i = 0; i < node.addresses.size(); ++i) {
    add_address(batch, interface, node.addresses[i], subnet.prefixes[i]);
    add_route(batch, interface, router_address(subnet.prefixes[i]), nullptr);
  }
  return send(batch, concat("eth0 of ", node.name));
}

}  // namespace

Status build_network(const Paths& paths, const Topology& topology) {
  MARGAY_RETURN_IF_ERROR(create_space(paths.space_of(kRouterName)));
  for (const LabNode& node : topology.nodes) MARGAY_RETURN_IF_ERROR(create_space(paths.space_of(node.name)));
  MARGAY_RETURN_IF_ERROR(run_in_space(paths.space_of(kRouterName),
                                      [&] { return wire_router(paths, topology, std::string(kRouterName)); }));
  for (std::size_t i = 0; i < topology.subnets.size(); ++i) {
    if (topology.subnets[i].tor) MARGAY_RETURN_IF_ERROR(wire_tor(paths, topology, i));
  }
  for (const LabNode& node : topology.nodes) {
    MARGAY_RETURN_IF_ERROR(run_in_space(paths.space_of(node.name), [&] { return wire_node(topology, node); }));
  }
  return ok_status();
}

Status connect_node(const Paths& paths, const Topology& topology, std::size_t node) {
  const LabNode& added = topology.nodes[node];
  MARGAY_RETURN_IF_ERROR(create_space(paths.space_of(added.name)));
  MARGAY_RETURN_IF_ERROR(run_in_space(paths.space_of(router_of(topology, added.subnet)),
                                      [&] { return lay_node_cable(paths, topology, node); }));
  return run_in_space(paths.space_of(added.name), [&] { return wire_node(topology, added); });
}

Status set_cable(const Paths& paths, const Topology& topology, std::size_t node, bool is_in) {
  MARGAY_CHECK(node < topology.nodes.size());
  return run_in_space(paths.space_of(router_of(topology, topology.nodes[node].subnet)), [&] {
    Batch batch;
    add_flags(batch, port_of(node), is_in);
    return send(batch, port_of(node));
  });
}

Status remove_network(const Paths& paths) {
  Status done = ok_status();
  for (const std::string& name : spaces_with(paths.space_prefix())) {
    const Status removed = remove_space(name);
    if (!removed.ok() && done.ok()) done = removed;
  }
  return done;
}

}  // namespace margay::lab
