#include "bgp/rib/tables.h"

#include "bgp/filter/filter.h"

namespace margay::bgp::rib {

std::string_view to_string(Rejection rejection) {
  switch (rejection) {
    case Rejection::kNone: return "accepted";
    case Rejection::kNoPolicy: return "no import policy for an external peer (RFC 8212)";
    case Rejection::kAsLoop: return "our AS is in the path";
    case Rejection::kOriginatorLoop: return "we are its originator";
    case Rejection::kClusterLoop: return "our cluster is in its cluster list";
    case Rejection::kNextHop: return "its next hop cannot be used";
    case Rejection::kFilter: return "rejected by a filter";
  }
  return "";
}

std::uint32_t Tables::priority(const Path& path) const {
  const AttributeRecord& carried = record(path);
  const bool is_carried = path.is_local() || path.is_priority_ours || facts[path.peer].calico_local_pref;
  if (!is_carried || !carried.has(AttributeRecord::kHasLocalPref)) return kNormalPriority;
  return carried.local_pref > kLocalPrefOfPriorityZero ? 0 : kLocalPrefOfPriorityZero - carried.local_pref;
}

std::size_t Tables::memory_bytes() const {
  std::size_t bytes = attributes.memory_bytes() + next_hops.memory_bytes() + paths.memory_bytes();
  for (const Family family : kFamilies) bytes += prefixes[family].memory_bytes();
  return bytes;
}

}  // namespace margay::bgp::rib
