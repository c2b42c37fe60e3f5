#include "bgp/rib/loc_rib.h"

namespace margay::bgp::rib {

void LocRib::set_config(const RibConfig& config) {
  options_ = {.always_compare_med = config.always_compare_med, .multipath_relax = config.multipath_relax};
  multipath_ = config.multipath;
}

Candidate LocRib::candidate(PathId id) const {
  const Path& path = tables_.paths[id];
  const AttributeRecord& record = tables_.record(path);
  Candidate candidate;
  candidate.path = id;
  candidate.is_usable = path.is_usable();
  candidate.is_long_lived_stale = path.is_long_lived || record.has(AttributeRecord::kLlgrStale);
  candidate.is_local = path.is_local();
  candidate.origin = record.origin;
  candidate.local_pref = record.local_pref;
  candidate.path_length = record.path_length;
  candidate.neighbour_asn = record.neighbour_asn;
  candidate.med = record.med;
  candidate.cluster_list_length = record.cluster_list_length;
  if (path.is_local()) return candidate;
  const PeerFacts& source = tables_.facts[path.peer];
  candidate.is_external = !source.is_internal;
  candidate.router_id = record.has(AttributeRecord::kHasOriginator) ? record.originator_id : source.router_id.value();
  candidate.peer_address = source.address;
  candidate.path_id = path.path_id;
  return candidate;
}

void LocRib::load(Family family, PrefixId prefix) {
  candidates_.clear();
  for (PathId id = tables_.prefixes[family][prefix].first_path; id != kNoId; id = tables_.paths[id].next) {
    candidates_.push_back(candidate(id));
  }
}

void LocRib::put_first(PrefixEntry& entry, PathId id) {
  if (entry.first_path == id) return;
  PathId before = entry.first_path;
  while (tables_.paths[before].next != id) before = tables_.paths[before].next;
  tables_.paths[before].next = tables_.paths[id].next;
  tables_.paths[id].next = entry.first_path;
  entry.first_path = id;
}

void LocRib::decide(Family family, PrefixId prefix) {
  PrefixEntry& entry = tables_.prefixes[family][prefix];
  if (entry.first_path == kNoId) return;
  Path& first = tables_.paths[entry.first_path];
  if (first.next == kNoId) {  // nearly always
    first.is_multipath = false;
    return;
  }
  load(family, prefix);
  const std::optional<std::size_t> best = rib::decide(candidates_, options_);
  for (const Candidate& candidate : candidates_) {
    const bool is_beside = best && multipath_ && &candidate != &candidates_[*best] && candidate.is_usable &&
                           ties(candidate, candidates_[*best], options_);
    tables_.paths[candidate.path].is_multipath = is_beside;
  }
  if (best) put_first(entry, candidates_[*best].path);
}

std::span<const PathId> LocRib::ranked(Family family, PrefixId prefix, std::size_t count) {
  load(family, prefix);
  ranked_.clear();
  while (ranked_.size() < count) {
    const std::optional<std::size_t> best = rib::decide(candidates_, options_);
    if (!best) break;
    ranked_.push_back(candidates_[*best].path);
    candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(*best));
  }
  return ranked_;
}

std::span<const Candidate> LocRib::judged(Family family, PrefixId prefix) {
  load(family, prefix);
  (void)rib::decide(candidates_, options_);
  return candidates_;
}

}  // namespace margay::bgp::rib
