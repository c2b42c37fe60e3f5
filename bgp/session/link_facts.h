// The addresses of this machine's interfaces, and what they say about a connection (getifaddrs(3)).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/ip/prefix.h"
#include "bgp/session/transport.h"

namespace margay::bgp::session {

struct LinkAddress {
  std::string interface;
  InterfaceAddress address;
  friend bool operator==(const LinkAddress&, const LinkAddress&) = default;
};
using LinkAddresses = std::function<std::vector<LinkAddress>()>;

// Asks the kernel; empty when it does not answer.
std::vector<LinkAddress> machine_addresses();

Transport::LinkFacts link_facts_of(const std::vector<LinkAddress>& addresses, const IpAddress& local,
                                   const IpAddress& remote);

}  // namespace margay::bgp::session
