#include "bgp/rib/decision.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace margay::bgp::rib {
namespace {

bool is_left(const Candidate& candidate) { return candidate.lost_at == DecisionStep::kNone; }

// The smallest key stays.
template <class Key>
void keep_smallest(DecisionStep step, std::span<Candidate> candidates, const Key& key) {
  const Candidate* best = nullptr;
  for (const Candidate& candidate : candidates) {
    if (is_left(candidate) && (best == nullptr || key(candidate) < key(*best))) best = &candidate;
  }
  if (best == nullptr) return;
  const auto smallest = key(*best);
  for (Candidate& candidate : candidates) {
    if (is_left(candidate) && smallest < key(candidate)) candidate.lost_at = step;
  }
}

// RFC 4271 §9.1.2.2 c: only paths of one neighbour AS are compared, unless told otherwise. Sorted by neighbour rather
// than each with each: how many paths there are is the peers' doing.
void compare_med(std::span<Candidate> candidates, const DecisionOptions& options) {
  if (options.always_compare_med) {
    return keep_smallest(DecisionStep::kMed, candidates, [](const Candidate& c) { return c.med; });
  }
  std::vector<Candidate*> left;
  for (Candidate& candidate : candidates) {
    if (is_left(candidate)) left.push_back(&candidate);
  }
  std::sort(left.begin(), left.end(), [](const Candidate* a, const Candidate* b) {
    return std::pair(a->neighbour_asn, a->med) < std::pair(b->neighbour_asn, b->med);
  });
  const Candidate* best = nullptr;
  for (Candidate* candidate : left) {
    if (best == nullptr || best->neighbour_asn != candidate->neighbour_asn) best = candidate;
    if (best->med < candidate->med) candidate->lost_at = DecisionStep::kMed;
  }
}

constexpr std::array kSteps = {
    DecisionStep::kUnusable,     DecisionStep::kStale,
    DecisionStep::kLocalPref,    DecisionStep::kLocalRoute,
    DecisionStep::kAsPathLength, DecisionStep::kOrigin,
    DecisionStep::kMed,          DecisionStep::kExternal,
    DecisionStep::kRouterId,     DecisionStep::kClusterListLength,
    DecisionStep::kPeerAddress,  DecisionStep::kPathId,
};

}  // namespace

void run_step(DecisionStep step, std::span<Candidate> candidates, const DecisionOptions& options) {
  const auto keep = [&](const auto& key) { keep_smallest(step, candidates, key); };
  switch (step) {
    case DecisionStep::kNone: return;
    case DecisionStep::kUnusable:
      for (Candidate& candidate : candidates) {
        if (is_left(candidate) && !candidate.is_usable) candidate.lost_at = step;
      }
      return;
    case DecisionStep::kStale: return keep([](const Candidate& c) { return c.is_long_lived_stale; });
    case DecisionStep::kLocalPref: return keep([](const Candidate& c) { return ~c.local_pref; });
    case DecisionStep::kLocalRoute: return keep([](const Candidate& c) { return !c.is_local; });
    case DecisionStep::kAsPathLength: return keep([](const Candidate& c) { return c.path_length; });
    case DecisionStep::kOrigin: return keep([](const Candidate& c) { return c.origin; });
    case DecisionStep::kMed: return compare_med(candidates, options);
    case DecisionStep::kExternal: return keep([](const Candidate& c) { return !c.is_external; });
    case DecisionStep::kClusterListLength: return keep([](const Candidate& c) { return c.cluster_list_length; });
    case DecisionStep::kRouterId: return keep([](const Candidate& c) { return c.router_id; });
    case DecisionStep::kPeerAddress: return keep([](const Candidate& c) { return c.peer_address; });
    case DecisionStep::kPathId: return keep([](const Candidate& c) { return c.path_id; });
  }
}

std::optional<std::size_t> decide(std::span<Candidate> candidates, const DecisionOptions& options) {
  for (Candidate& candidate : candidates) candidate.lost_at = DecisionStep::kNone;
  for (const DecisionStep step : kSteps) run_step(step, candidates, options);
  const auto best = std::find_if(candidates.begin(), candidates.end(), is_left);
  if (best == candidates.end()) return std::nullopt;
  return static_cast<std::size_t>(best - candidates.begin());
}

bool ties(const Candidate& candidate, const Candidate& best, const DecisionOptions& options) {
  if (candidate.is_local || best.is_local) return false;
  if (candidate.lost_at != DecisionStep::kNone && candidate.lost_at < DecisionStep::kRouterId) return false;
  return options.multipath_relax || candidate.neighbour_asn == best.neighbour_asn;
}

std::string_view to_string(DecisionStep step) {
  switch (step) {
    case DecisionStep::kNone: return "best";
    case DecisionStep::kUnusable: return "not usable";
    case DecisionStep::kStale: return "long-lived stale";
    case DecisionStep::kLocalPref: return "local preference";
    case DecisionStep::kLocalRoute: return "local route";
    case DecisionStep::kAsPathLength: return "AS path length";
    case DecisionStep::kOrigin: return "origin";
    case DecisionStep::kMed: return "MED";
    case DecisionStep::kExternal: return "external before internal";
    case DecisionStep::kClusterListLength: return "cluster list length";
    case DecisionStep::kRouterId: return "router ID";
    case DecisionStep::kPeerAddress: return "peer address";
    case DecisionStep::kPathId: return "path ID";
  }
  return "";
}

}  // namespace margay::bgp::rib
