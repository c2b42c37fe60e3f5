#include "bgp/speaker/snapshot_of.h"

#include "base/core/text.h"

namespace margay::bgp {
namespace {

std::string reason_text(const rib::RouteView& view) {
  if (!view.reason.empty()) return std::string(view.reason);
  if (view.is_filtered) return view.filter.empty() ? "rejected" : concat("rejected by filter ", view.filter);
  if (view.is_best) return "best";
  if (view.is_multipath) return "multipath";
  if (view.lost_at == rib::DecisionStep::kNone) return "";
  return concat("lost: ", to_string(view.lost_at));
}

}  // namespace

std::string community_text(std::uint32_t community) {
  switch (community) {
    case kNoExport: return "no-export";
    case kNoAdvertise: return "no-advertise";
    case kNoExportSubconfed: return "no-export-subconfed";
    case kNoPeer: return "no-peer";
    case kBlackhole: return "blackhole";
    case kGracefulShutdown: return "graceful-shutdown";
    case kLlgrStale: return "llgr-stale";
    case kNoLlgr: return "no-llgr";
    default: return concat(community >> 16, ":", community & 0xffff);
  }
}

std::string community_text(const LargeCommunity& community) {
  return concat(community.global, ":", community.local1, ":", community.local2);
}

RouteSnapshot snapshot_of(const rib::RouteView& view) {
  RouteSnapshot route;
  route.prefix = view.prefix;
  route.path_id = view.path_id;
  route.next_hop = view.next_hop;
  route.as_path = view.attributes.as_path().to_string();
  route.origin = view.attributes.origin();
  route.med = view.attributes.med();
  route.local_pref = view.attributes.local_pref();
  for (const std::uint32_t community : view.attributes.communities()) {
    route.communities.push_back(community_text(community));
  }
  for (const LargeCommunity& community : view.attributes.large_communities()) {
    route.communities.push_back(community_text(community));
  }
  route.originator_id = view.attributes.originator_id();
  route.best = view.is_best;
  route.multipath = view.is_multipath;
  route.stale = view.is_stale;
  route.filtered = view.is_filtered;
  route.reason = reason_text(view);
  return route;
}

}  // namespace margay::bgp
