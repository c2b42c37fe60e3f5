// Speaker::Impl: routes for people.
#include <memory>
#include <vector>

#include "bgp/rib/route_walk.h"
#include "bgp/speaker/snapshot_of.h"
#include "bgp/speaker/speaker_impl.h"

namespace margay::bgp {
namespace {

constexpr std::size_t kPrefixesPerPiece = 256;

}  // namespace

class Speaker::Impl::Cursor final : public RouteCursor {
 public:
  Cursor(const Impl& speaker, const SnapshotQuery& query) : speaker_(speaker), alive_(speaker.alive_), query_(query) {
    using Routes = SnapshotQuery::Routes;
    if (query_.routes == Routes::kNone) return;
    if (query_.routes == Routes::kBest) {
      walks_.push_back({std::nullopt, speaker.rib_.walk(rib::RouteList::kBest, 0)});
      return;
    }
    const auto list = query_.routes == Routes::kReceived ? rib::RouteList::kReceived : rib::RouteList::kSent;
    for (const auto& [key, peer] : speaker.peers_) {
      if (key.address != query_.peer) continue;
      walks_.push_back({peer.get(), speaker.rib_.walk(list, peer->identity().id)});
    }
  }

  bool next(std::vector<RouteSnapshot>& out) override {
    if (alive_.expired() || next_ == walks_.size()) return false;
    Walk& walk = walks_[next_];
    const bool has_more =
        is_there(walk) && walk.routes->step(kPrefixesPerPiece, [&](const rib::RouteView& view) { add(view, out); });
    if (!has_more) ++next_;
    return next_ < walks_.size();
  }

 private:
  struct Walk {
    std::optional<const ManagedPeer*> peer;
    std::unique_ptr<rib::RouteWalk> routes;
  };

  [[nodiscard]] bool is_there(const Walk& walk) const {
    if (!walk.peer) return true;
    for (const auto& [key, peer] : speaker_.peers_) {
      if (peer.get() == *walk.peer) return true;
    }
    return false;
  }

  [[nodiscard]] bool fits(const IpPrefix& prefix) const {
    if (!query_.prefix) return true;
    switch (query_.match) {
      case SnapshotQuery::Match::kExact: return prefix == *query_.prefix;
      case SnapshotQuery::Match::kInside: return query_.prefix->contains(prefix);
      case SnapshotQuery::Match::kHolding: return prefix.contains(*query_.prefix);
    }
    return false;
  }

  void add(const rib::RouteView& view, std::vector<RouteSnapshot>& out) const {
    if (!fits(view.prefix)) return;
    std::optional<IpAddress> from;
    const auto& peers = speaker_.by_id_;
    if (view.peer && *view.peer < peers.size() && peers[*view.peer] != nullptr) {
      from = peers[*view.peer]->identity().key.address;
    }
    if (query_.routes == SnapshotQuery::Routes::kBest && query_.peer && from != query_.peer) return;
    out.push_back(snapshot_of(view));
    out.back().peer = from;
  }

  const Impl& speaker_;
  std::weak_ptr<bool> alive_;
  SnapshotQuery query_;
  std::vector<Walk> walks_;
  std::size_t next_ = 0;
};

Result<std::unique_ptr<RouteCursor>> Speaker::Impl::routes(const SnapshotQuery& query) const {
  if (query.routes != SnapshotQuery::Routes::kNone && query.peer) MARGAY_RETURN_IF_ERROR(find(*query.peer));
  return std::unique_ptr<RouteCursor>(std::make_unique<Cursor>(*this, query));
}

}  // namespace margay::bgp
