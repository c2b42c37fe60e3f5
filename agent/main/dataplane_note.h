// What the dataplane is made of on this kernel, in one line for the Node's condition.
#pragma once

#include <string>

#include "agent/startup/node_patch.h"
#include "dataplane/iptables/features.h"
#include "ipip/devices/ipip_choice.h"

namespace margay::agent {

// "rules by iptables-nft: …; IP-in-IP by kernel: …; missing in the kernel: …".
startup::DataplaneNote dataplane_note(const std::string& backend, const std::string& backend_reason,
                                      const iptables::KernelFeatures& features, const ipip::IpipChoice& ipip);

}  // namespace margay::agent
