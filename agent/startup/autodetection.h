// Which address of the host is the node's: the methods of IP_AUTODETECTION_METHOD and IP6_AUTODETECTION_METHOD.
//
//   kubernetes-internal-ip   the InternalIP of the Node object; also when no method is given, and first-found if the
//                            Node has none of the family
//   first-found              the first address of the interfaces that are not known to be internal
//   interface=REGEX,…        the first address of an interface whose name matches one of them
//   skip-interface=REGEX,…   as first-found, without these
//   cidr=PREFIX,…            the first address within one of these
//   can-reach=HOST           the source address the kernel takes towards HOST
//
// Expressions match anywhere in the name unless anchored (RE2). Loopback, link-local, multicast and the unspecified
// address are never chosen; interfaces that are down are not looked at.
// Source: Calico's reference of calico/node, "IP autodetection methods". Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/startup/host_interface.h"
#include "base/core/result.h"
#include "base/ip/address.h"
#include "base/ip/prefix.h"

namespace margay::startup {

class Patterns;  // compiled expressions

struct Method {
  enum class Kind : std::uint8_t { kNodeAddress, kFirstFound, kInterface, kSkipInterface, kCidr, kCanReach };
  Kind kind = Kind::kNodeAddress;
  std::string text{};                          // as given; "" when none was
  std::shared_ptr<const Patterns> patterns{};  // of kInterface and kSkipInterface
  std::vector<IpPrefix> networks{};            // of kCidr
  std::string destination{};                   // of kCanReach: an address or a name

  // "" is kNodeAddress, and accepts any address of the host once it was chosen.
  static Result<Method> parse(std::string_view text);
};

// By its name, one of pods, containers, tunnels or service proxies, ours or of others.
bool is_internal_interface(const std::string& name);

struct Surroundings {
  HostInterfaces interfaces;
  std::vector<IpAddress> node_addresses;  // the InternalIPs of the Node object, in order
  // The source address towards a destination; kNotFound: no route.
  std::function<Result<IpAddress>(const std::string& destination, IpFamily family)> source_towards{};
};

struct Detected {
  InterfaceAddress address;  // with the length of the interface's prefix; of a host when no interface has it
  std::string interface;     // "": none has it
};

// kNotFound says what was looked at.
Result<Detected> detect(const Method& method, IpFamily family, const Surroundings& surroundings);
// Whether the method could have chosen an address that is on an interface now: then a node keeps it.
bool accepts(const Method& method, const IpAddress& address, const Surroundings& surroundings);
// The interface that has the address, and the length of its prefix.
std::optional<Detected> find_on_host(const IpAddress& address, const HostInterfaces& interfaces);

// Asks the kernel for its source address: connects a UDP socket, which sends nothing. Names are looked up and block.
Result<IpAddress> kernel_source_towards(const std::string& destination, IpFamily family);

}  // namespace margay::startup
