// Checksums of what a VXLAN device sends: filled in by the card, or by the kernel before the packet leaves.
//
// Kernels before 5.7 leave a wrong checksum in packets that NAT has changed and that a card should complete inside of a
// tunnel; there it is switched off for our devices, as Calico does. The setting featureDetectOverride
// ("ChecksumOffloadBroken=true") is the stronger word. Source: ethtool(8), linux/ethtool.h; Calico's documentation of
// featureDetectOverride. In the network namespace of the calling thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace margay::ipip {

// By the kernel's release ("5.4.0-26-generic"); what cannot be read is taken for a new one.
bool is_checksum_offload_broken(std::string_view kernel_release);
// Of this kernel.
bool is_checksum_offload_broken();
// What featureDetectOverride says of it; nullopt: nothing.
std::optional<bool> checksum_offload_override(std::string_view feature_detect_override);

// Of what the interface sends. kUnsupported: there is nothing to switch.
Result<bool> has_checksum_offload(const std::string& interface);
Status set_checksum_offload(const std::string& interface, bool is_on);

}  // namespace margay::ipip
