#include "dataplane/iptables/features.h"

#include <array>
#include <string>

#include "dataplane/iptables/scratch.h"

namespace margay::iptables {
namespace {

struct Probe {
  bool KernelFeatures::*feature;
  TableId table;
  // As the renderer uses it.
  std::string_view line;
};

constexpr std::array<Probe, 6> kProbes = {{
    {&KernelFeatures::has_ipv6, {IpFamily::kV6, Table::kFilter}, "-A FORWARD -m comment --comment try -j DROP"},
    {&KernelFeatures::has_rpfilter,
     {IpFamily::kV4, Table::kRaw},
     "-A PREROUTING -m rpfilter --validmark --invert -j DROP"},
    {&KernelFeatures::has_random_fully, {IpFamily::kV4, Table::kNat}, "-A POSTROUTING -j MASQUERADE --random-fully"},
    {&KernelFeatures::has_connlimit,
     {IpFamily::kV4, Table::kFilter},
     "-A FORWARD -p tcp -m connlimit --connlimit-above 10 --connlimit-mask 0 -j REJECT --reject-with tcp-reset"},
    {&KernelFeatures::has_sctp, {IpFamily::kV4, Table::kFilter}, "-A FORWARD -p sctp -m sctp --dport 80 -j DROP"},
    {&KernelFeatures::has_u32,
     {IpFamily::kV4, Table::kFilter},
     "-A INPUT -p udp -m u32 --u32 0>>22&0x3C@12>>8=4096 -j DROP"},
}};

}  // namespace

Result<KernelFeatures> find_features(exec::Runner& runner, Backend backend) {
  KernelFeatures features;
  for (const Probe& probe : kProbes) {
    const Status tried = try_in_scratch(runner, probe.table, backend, {std::string(probe.line)});
    // Refused, and the program is there (without that of IPv6 there is no IPv6): it cannot do it. Anything else, a lock
    // that somebody holds, says nothing.
    const bool is_refused =
        !tried.ok() && (tried.error().code == ErrorCode::kUnsupported || tried.error().code == ErrorCode::kNotFound);
    if (!tried.ok() && !is_refused) return tried.error();
    features.*(probe.feature) = tried.ok();
  }
  return features;
}

}  // namespace margay::iptables
