#include "dataplane/iptables/features.h"

#include <array>
#include <string>
#include <vector>

#include "dataplane/iptables/scratch.h"

namespace margay::iptables {
namespace {

struct Probe {
  bool KernelFeatures::*feature;
  TableId table;
  // As the renderer uses it.
  std::string_view line;
  std::string_view name;
};

constexpr std::array<Probe, 6> kProbes = {{
    {&KernelFeatures::has_ipv6, {IpFamily::kV6, Table::kFilter}, "-A FORWARD -m comment --comment try -j DROP", "IPv6"},
    {&KernelFeatures::has_rpfilter,
     {IpFamily::kV4, Table::kRaw},
     "-A PREROUTING -m rpfilter --validmark --invert -j DROP",
     "match rpfilter (sources of workloads are checked by their chains alone)"},
    {&KernelFeatures::has_random_fully,
     {IpFamily::kV4, Table::kNat},
     "-A POSTROUTING -j MASQUERADE --random-fully",
     "MASQUERADE --random-fully (ports of NAT are not random)"},
    {&KernelFeatures::has_connlimit,
     {IpFamily::kV4, Table::kFilter},
     "-A FORWARD -p tcp -m connlimit --connlimit-above 10 --connlimit-mask 0 -j REJECT --reject-with tcp-reset",
     "match connlimit (limits of connections)"},
    {&KernelFeatures::has_sctp,
     {IpFamily::kV4, Table::kFilter},
     "-A FORWARD -p sctp -m sctp --dport 80 -j DROP",
     "match sctp (ports of SCTP)"},
    {&KernelFeatures::has_u32,
     {IpFamily::kV4, Table::kFilter},
     "-A INPUT -p udp -m u32 --u32 0>>22&0x3C@12>>8=4096 -j DROP",
     "match u32 (other programs' VXLAN at our port)"},
}};

using Probes = std::vector<const Probe*>;

// Refused, and the program is there (without that of IPv6 there is no IPv6): it cannot do it. Anything else, a lock
// that somebody holds, says nothing.
Result<bool> can_do(exec::Runner& runner, IpFamily family, Backend backend, const Probes& probes) {
  ScratchLines lines;
  for (const Probe* probe : probes) lines[probe->table.table].emplace_back(probe->line);
  const Status tried = try_in_scratch(runner, family, backend, lines);
  const bool is_refused =
      !tried.ok() && (tried.error().code == ErrorCode::kUnsupported || tried.error().code == ErrorCode::kNotFound);
  if (!tried.ok() && !is_refused) return tried.error();
  return tried.ok();
}

}  // namespace

std::vector<std::string_view> missing_features(const KernelFeatures& features) {
  std::vector<std::string_view> out;
  for (const Probe& probe : kProbes) {
    if (!(features.*(probe.feature))) out.push_back(probe.name);
  }
  return out;
}

// Most kernels can do it all, which one run shows.
Result<KernelFeatures> find_features(exec::Runner& runner, Backend backend) {
  KernelFeatures features;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    Probes all;
    for (const Probe& probe : kProbes) {
      if (probe.table.family == family) all.push_back(&probe);
    }
    MARGAY_ASSIGN_OR_RETURN(const bool can_all, can_do(runner, family, backend, all));
    for (const Probe* probe : all) {
      bool can = can_all;
      if (!can_all && all.size() > 1) {
        MARGAY_ASSIGN_OR_RETURN(can, can_do(runner, family, backend, {probe}));
      }
      features.*(probe->feature) = can;
    }
  }
  return features;
}

}  // namespace margay::iptables
