#include "ipip/devices/ipip_choice.h"

#include <linux/netlink.h>

#include <cerrno>

#include "base/core/text.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "ipip/devices/device_message.h"

namespace margay::ipip {

std::string_view to_string(IpipImplementation implementation) {
  switch (implementation) {
    case IpipImplementation::kNone: return "none";
    case IpipImplementation::kKernel: return "kernel";
    case IpipImplementation::kEbpf: return "eBPF";
  }
  return {};
}

IpipChoice choose_ipip(std::optional<IpipImplementation> wanted, const Status& kernel, const Status& ebpf) {
  using enum IpipImplementation;
  const std::string no_kernel = kernel.ok() ? "" : concat("the kernel's ipip device: ", kernel.error().message);
  const std::string no_ebpf = ebpf.ok() ? "" : concat("eBPF: ", ebpf.error().message);
  if (wanted == kNone) return {kNone, "switched off"};
  if (wanted == kKernel) return kernel.ok() ? IpipChoice{kKernel, "asked for"} : IpipChoice{kNone, no_kernel};
  if (wanted == kEbpf) return ebpf.ok() ? IpipChoice{kEbpf, "asked for"} : IpipChoice{kNone, no_ebpf};
  if (kernel.ok()) return {kKernel, "the kernel has the ipip device"};
  if (ebpf.ok()) return {kEbpf, no_kernel};
  return {kNone, concat(no_kernel, "; ", no_ebpf)};
}

Status try_kernel_ipip() {
  MARGAY_ASSIGN_OR_RETURN(const netlink::ScratchNamespace space, netlink::ScratchNamespace::enter());
  MARGAY_ASSIGN_OR_RETURN(const auto kernel, netlink::open_netlink(NETLINK_ROUTE));
  netlink::Batch create;
  add_create_request(create, DeviceKind::kIpip, {});
  const netlink::BatchReport made = kernel->apply(create);
  MARGAY_RETURN_IF_ERROR(made.transport);
  for (const netlink::Failure& failure : made.failures) {
    // The module was loaded just now, and made its own in every namespace.
    if (failure.error != EEXIST) return netlink::error_of(failure.error, failure.text);
  }
  return ok_status();
}

}  // namespace margay::ipip
