// KernelPorts: the drivers of dataplane/ behind the seams of ports.h, on the real kernel, in the network namespace of
// the calling thread (which must be the dataplane's).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/dataplane/ports.h"
#include "base/core/result.h"
#include "base/core/task.h"
#include "base/loop/loop.h"
#include "dataplane/exec/runner.h"
#include "dataplane/iptables/backend.h"
#include "dataplane/iptables/features.h"
#include "dataplane/iptables/ruleset_events.h"
#include "dataplane/iptables/shared_saves.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/sysctl/sysctl_tree.h"
#include "ipip/devices/ipip_choice.h"
#include "ipip/ebpf/ebpf_tunnel.h"

namespace margay::agent {

// What the drivers share; outlives the ports made from it.
struct KernelHandles {
  std::unique_ptr<netlink::Netlink> route;      // NETLINK_ROUTE
  std::unique_ptr<netlink::Netlink> netfilter;  // NETLINK_NETFILTER
  std::unique_ptr<netlink::Netlink> conntrack;  // the same, for a thread of its own; taken by kernel_ports()
  std::unique_ptr<exec::Runner> runner;
  std::unique_ptr<iptables::SharedSaves> saves;  // over it
  std::unique_ptr<sysctl::SysctlTree> sysctls;
  iptables::RulesetEvents rulesets;   // what others do to the tables of the nft back end
  bool are_rulesets_watched = false;  // somebody listens, so that nothing has to be found by time
  iptables::BackendChoice backend;    // at the start
  iptables::KernelFeatures features;
  ipip::IpipChoice ipip;
  std::unique_ptr<ipip::EbpfTunnel> tunnel;  // where that is the choice, until the ports have it
};

// Tries what this kernel can do. kPermissionDenied, kUnsupported: the message says what is missing.
Result<std::unique_ptr<KernelHandles>> open_kernel(iptables::BackendMode mode,
                                                   std::optional<ipip::IpipImplementation> ipip);

// `on_conntrack` runs on the loop whenever a walk through the connections has ended: call the port's apply().
Ports kernel_ports(KernelHandles& handles, loop::Loop& loop, Task on_conntrack);

}  // namespace margay::agent
