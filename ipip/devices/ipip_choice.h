// By which means this node does IP-in-IP: found by trying in a scratch namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace margay::ipip {

enum class IpipImplementation : std::uint8_t { kNone, kKernel, kEbpf };
std::string_view to_string(IpipImplementation implementation);  // "none", "kernel", "eBPF"

struct IpipChoice {
  IpipImplementation implementation = IpipImplementation::kNone;
  std::string why;  // for people
};

// nullopt: the kernel's own, else eBPF. What was asked for and does not work is not replaced by the other.
IpipChoice choose_ipip(std::optional<IpipImplementation> wanted, const Status& kernel, const Status& ebpf);

// Makes the kernel's device where nobody sees it. The calling thread is in another network namespace meanwhile.
Status try_kernel_ipip();

}  // namespace margay::ipip
