// The decision process (RFC 4271 §9.1.2.2, RFC 4456 §9, RFC 9494 §4.3): which of a prefix's paths is best, which tie
// with it, and at which step each of the others lost.
//
// Each step looks at those that are left and takes out all that are worse than the best of them. MED is compared only
// among paths of one neighbour AS, so no comparison of two paths would do: the result would depend on their order.
// Pure; the order of the candidates does not matter (test: all permutations).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/ip/address.h"
#include "bgp/rib/route.h"

namespace margay::bgp::rib {

// A path as the decision sees it.
struct Candidate {
  std::uint32_t path = 0;  // the caller's
  bool is_usable = true;
  bool is_long_lived_stale = false;
  bool is_local = false;
  bool is_external = false;
  Origin origin = Origin::kIgp;
  std::uint32_t local_pref = 0;
  std::uint32_t path_length = 0;
  std::uint32_t neighbour_asn = 0;
  std::uint32_t med = 0;
  std::uint32_t cluster_list_length = 0;
  std::uint32_t router_id = 0;  // ORIGINATOR_ID in its place where there is one
  IpAddress peer_address;
  std::uint32_t path_id = 0;

  DecisionStep lost_at = DecisionStep::kNone;  // out
};

struct DecisionOptions {
  bool always_compare_med = false;
  bool multipath_relax = false;
};

// Takes out of those with lost_at kNone the ones that lose at this step.
void run_step(DecisionStep step, std::span<Candidate> candidates, const DecisionOptions& options);
// All steps. The place of the best, whose lost_at is kNone; nullopt when none is usable.
std::optional<std::size_t> decide(std::span<Candidate> candidates, const DecisionOptions& options);
// After decide(): whether the path may be used beside the best: it tied with it up to the router ID, and came through
// the same neighbour AS (or any, with multipath_relax). Our own routes never.
bool ties(const Candidate& candidate, const Candidate& best, const DecisionOptions& options);

}  // namespace margay::bgp::rib
