// What people see of the RIB.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "bgp/rib/prefix_walk.h"
#include "bgp/rib/rib_impl.h"

namespace margay::bgp::rib {

PeerCounts Rib::Impl::counts(PeerId peer) const {
  PeerCounts counts;
  if (peer >= peers_.size()) return counts;
  const InCounts& in = in_.counts(peer);
  counts.received = in.received;
  counts.accepted = in.accepted;
  counts.paths = in.paths;
  counts.ignored = in.ignored;
  counts.stale = in.stale;
  if (const UpdateGroup* group = out_.told_by(peer)) {
    for (const Family family : kFamilies) counts.sent[family] = group->count_told(family, peer);
  }
  if (const PeerQueue* queue = out_.queue(peer)) {
    counts.updates_sent = queue->updates_sent();
    counts.bytes_sent = queue->bytes_sent();
  }
  return counts;
}

RouteView Rib::Impl::view(Family family, PrefixId prefix, const Path& path) const {
  RouteView view;
  view.prefix = tables_.prefixes[family].prefix(prefix);
  view.attributes = tables_.record(path).view();
  view.is_multipath = path.is_multipath;
  view.is_stale = path.is_stale;
  if (path.is_local()) {
    view.next_hop.address = view.prefix.is_v4() ? IpAddress::v4(0) : IpAddress::v6(0, 0);
    return view;
  }
  view.path_id = path.path_id;
  view.peer = path.peer;
  view.next_hop = tables_.next_hops[path.next_hop];
  return view;
}

void Rib::Impl::explain_rejection(Family family, PrefixId prefix, const Path& path, RouteView& view) {
  if (path.is_usable()) return;
  view.is_filtered = path.rejection == Rejection::kFilter || path.rejection == Rejection::kNoPolicy;
  view.reason = to_string(path.rejection);
  const ImportResult again = in_.policy(path.peer).evaluate(tables_.attributes, tables_.prefixes[family].prefix(prefix),
                                                            path.received, tables_.next_hops[path.next_hop]);
  view.filter = again.filter;
  tables_.attributes.release(again.attributes);
}

void Rib::Impl::add_views(Family family, PrefixId prefix, const Visit& visit) {
  for (const Candidate& candidate : loc_.judged(family, prefix)) {
    const Path& path = tables_.paths[candidate.path];
    RouteView route = view(family, prefix, path);
    route.lost_at = candidate.lost_at;
    route.is_best = candidate.lost_at == DecisionStep::kNone;
    route.reason = route.is_multipath ? "used beside the best" : to_string(candidate.lost_at);
    explain_rejection(family, prefix, path, route);
    visit(route);
  }
}

void Rib::Impl::visit_routes(const Visit& visit) {
  for (const Family family : kFamilies) {
    for (const PrefixId prefix : tables_.prefixes[family].sorted()) add_views(family, prefix, visit);
  }
}

void Rib::Impl::add_received(PeerId peer, Family family, PrefixId prefix, const Visit& visit) {
  for (const Candidate& candidate : loc_.judged(family, prefix)) {
    const Path& path = tables_.paths[candidate.path];
    if (path.peer != peer) continue;
    RouteView route = view(family, prefix, path);
    route.attributes = tables_.attributes[path.received].view();
    route.lost_at = candidate.lost_at;
    route.is_best = candidate.lost_at == DecisionStep::kNone;
    route.reason = to_string(candidate.lost_at);
    explain_rejection(family, prefix, path, route);
    visit(route);
  }
}

void Rib::Impl::visit_received(PeerId peer, const Visit& visit) {
  for (const Family family : kFamilies) {
    for (const PrefixId prefix : tables_.prefixes[family].sorted()) add_received(peer, family, prefix, visit);
  }
}

void Rib::Impl::add_sent(PeerId peer, Family family, PrefixId prefix, const Visit& visit) {
  const UpdateGroup* group = out_.told_by(peer);
  if (group == nullptr) return;
  group->visit_told(family, peer, prefix, [&](const AdjRibOut::Entry& entry) {
    RouteView route;
    route.prefix = tables_.prefixes[family].prefix(prefix);
    route.path_id = entry.path_id;
    if (entry.told.source != kLocalPeer) route.peer = entry.told.source;
    route.next_hop = tables_.next_hops[entry.told.next_hop];
    route.attributes = tables_.attributes[entry.told.attributes].view();
    visit(route);
  });
}

void Rib::Impl::visit_sent(PeerId peer, const Visit& visit) {
  if (out_.told_by(peer) == nullptr) return;
  for (const Family family : kFamilies) {
    for (const PrefixId prefix : tables_.prefixes[family].sorted()) add_sent(peer, family, prefix, visit);
  }
}

class Rib::Impl::Walk final : public RouteWalk {
 public:
  Walk(Impl& rib, RouteList list, PeerId peer) : rib_(rib), list_(list), peer_(peer) {}

  bool step(std::size_t prefixes, const Visit& visit) override {
    if (next_family_ == kFamilies.size()) return false;
    const Family family = kFamilies[next_family_];
    if (!walk_) walk_.emplace(rib_.tables_.prefixes[family]);
    if (walk_->step(prefixes, [&](PrefixId prefix) { add(family, prefix, visit); })) return true;
    walk_.reset();
    return ++next_family_ < kFamilies.size();
  }

 private:
  void add(Family family, PrefixId prefix, const Visit& visit) {
    switch (list_) {
      case RouteList::kBest: return rib_.add_views(family, prefix, visit);
      case RouteList::kReceived: return rib_.add_received(peer_, family, prefix, visit);
      case RouteList::kSent: return rib_.add_sent(peer_, family, prefix, visit);
    }
  }

  Impl& rib_;
  RouteList list_;
  PeerId peer_;
  std::size_t next_family_ = 0;
  std::optional<PrefixWalk> walk_;
};

std::unique_ptr<RouteWalk> Rib::Impl::walk(RouteList list, PeerId peer) {
  return std::make_unique<Walk>(*this, list, peer);
}

std::vector<RouteView> Rib::Impl::explain(const IpPrefix& prefix) {
  std::vector<RouteView> routes;
  const Family family = family_of(prefix.family());
  const PrefixId id = tables_.prefixes[family].find(prefix);
  if (id != kNoId) add_views(family, id, [&routes](const RouteView& route) { routes.push_back(route); });
  std::stable_sort(routes.begin(), routes.end(), [](const RouteView& a, const RouteView& b) {
    return a.lost_at == DecisionStep::kNone && b.lost_at != DecisionStep::kNone;
  });
  return routes;
}

}  // namespace margay::bgp::rib
