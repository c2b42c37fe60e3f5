// What the plugin prints: results, versions, errors, in the form of the version that was asked for.
// Source: CNI specification 1.1.0, "Result Types"; 0.4.0 for the older form. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip/prefix.h"
#include "cni/plugin/invocation.h"

namespace margay::cni {

struct MadeInterface {
  std::string host_name;
  std::string host_mac;
  std::string name;
  std::string mac;
  std::string sandbox;
  std::int64_t mtu = 0;
};

// `interface` null: of the IPAM plugin.
std::string result_text(std::string_view version, const std::vector<IpPrefix>& addresses,
                        const MadeInterface* interface);
std::string version_text(std::string_view asked);
std::string error_text(std::string_view version, const CniError& error);

}  // namespace margay::cni
