// HostInterface: an interface of this host with its addresses, as far as a node's address is chosen by it.
#pragma once

#include <string>
#include <vector>

#include "base/ip/prefix.h"

namespace margay::startup {

struct HostInterface {
  std::string name;
  bool is_up = false;
  std::vector<InterfaceAddress> addresses;  // in the kernel's order

  friend bool operator==(const HostInterface&, const HostInterface&) = default;
};

// In the kernel's order (that of their indices).
using HostInterfaces = std::vector<HostInterface>;

}  // namespace margay::startup
