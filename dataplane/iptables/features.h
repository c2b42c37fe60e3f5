// KernelFeatures: what this kernel and its iptables can do, found by doing it in a network namespace of its own.
#pragma once

#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "dataplane/exec/runner.h"
#include "dataplane/iptables/backend.h"

namespace margay::iptables {

struct KernelFeatures {
  bool has_ipv6 = true;
  bool has_rpfilter = true;      // match rpfilter: reverse path check, used against spoofed sources
  bool has_random_fully = true;  // MASQUERADE --random-fully
  bool has_connlimit = true;     // match connlimit
  bool has_sctp = true;          // match sctp
  bool has_u32 = false;          // match u32
  friend bool operator==(const KernelFeatures&, const KernelFeatures&) = default;
};

// What is not there, in words for people: what goes without it.
std::vector<std::string_view> missing_features(const KernelFeatures& features);

// Takes some tens of milliseconds and changes nothing that anybody sees. kPermissionDenied without CAP_SYS_ADMIN: then
// nothing is known.
Result<KernelFeatures> find_features(exec::Runner& runner, Backend backend);

}  // namespace margay::iptables
