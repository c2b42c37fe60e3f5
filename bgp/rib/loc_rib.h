// LocRib: decides prefixes. Puts the best path first in the chain, marks those that may be used beside it, and ranks
// paths for add-path.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bgp/rib/decision.h"
#include "bgp/rib/rib.h"
#include "bgp/rib/tables.h"

namespace margay::bgp::rib {

class LocRib {
 public:
  LocRib(Tables& tables, const RibConfig& config) : tables_(tables) { set_config(config); }

  void set_config(const RibConfig& config);
  void decide(Family family, PrefixId prefix);
  // The best `count` usable paths of a prefix, the best first. Valid until the next call.
  std::span<const PathId> ranked(Family family, PrefixId prefix, std::size_t count);
  // All paths, each with the step it lost at. Valid until the next call.
  std::span<const Candidate> judged(Family family, PrefixId prefix);

 private:
  [[nodiscard]] Candidate candidate(PathId id) const;
  void load(Family family, PrefixId prefix);
  void put_first(PrefixEntry& entry, PathId id);

  Tables& tables_;
  DecisionOptions options_;
  bool multipath_ = true;
  std::vector<Candidate> candidates_;
  std::vector<PathId> ranked_;
};

}  // namespace margay::bgp::rib
