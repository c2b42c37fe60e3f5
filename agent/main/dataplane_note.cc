#include "agent/main/dataplane_note.h"

#include <string_view>
#include <vector>

#include "base/core/text.h"

namespace margay::agent {

startup::DataplaneNote dataplane_note(const std::string& backend, const std::string& backend_reason,
                                      const iptables::KernelFeatures& features, const ipip::IpipChoice& ipip) {
  startup::DataplaneNote out;
  out.message = concat("rules by iptables-", backend, ": ", backend_reason, "; IP-in-IP by ",
                       ipip::to_string(ipip.implementation), ": ", ipip.why);
  const std::vector<std::string_view> missing = iptables::missing_features(features);
  out.is_whole = missing.empty();
  for (std::size_t i = 0; i < missing.size(); ++i) {
    out.message += concat(i == 0 ? "; missing in the kernel: " : ", ", missing[i]);
  }
  return out;
}

}  // namespace margay::agent
