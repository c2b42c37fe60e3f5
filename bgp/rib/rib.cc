#include "bgp/rib/rib.h"

#include <utility>

#include "bgp/rib/rib_impl.h"

namespace margay::bgp::rib {

Rib::Rib(RibConfig config, Events events) : impl_(std::make_unique<Impl>(config, std::move(events))) {}
Rib::~Rib() = default;

void Rib::add_peer(PeerId peer, PeerPolicy policy) { impl_->add_peer(peer, std::move(policy)); }
void Rib::remove_peer(PeerId peer) { impl_->remove_peer(peer); }
void Rib::set_policy(PeerId peer, PeerPolicy policy) { impl_->set_policy(peer, std::move(policy)); }
void Rib::set_config(RibConfig config) { impl_->set_config(config); }
void Rib::session_up(PeerId peer, const PeerSession& session) { impl_->session_up(peer, session); }
void Rib::session_down(PeerId peer, bool keep_stale) { impl_->session_down(peer, keep_stale); }
void Rib::begin_long_lived(PeerId peer, Family family) { impl_->begin_long_lived(peer, family); }
void Rib::drop_stale(PeerId peer, Family family) { impl_->drop_stale(peer, family); }
void Rib::receive(PeerId peer, const Update& update) { impl_->receive(peer, update); }
void Rib::receive(PeerId peer, const RouteRefresh& refresh) { impl_->receive(peer, refresh); }
void Rib::defer_end_of_rib(bool deferred) { impl_->defer_end_of_rib(deferred); }
void Rib::set_local_routes(const std::vector<LocalRoute>& routes) { impl_->set_local_routes(routes); }
void Rib::tell_routes_again() { impl_->tell_routes_again(); }
bool Rib::run(std::size_t steps) { return impl_->run(steps); }
std::vector<Packet> Rib::take(PeerId peer, std::size_t bytes_max) { return impl_->take(peer, bytes_max); }
bool Rib::has_output(PeerId peer) const { return impl_->has_output(peer); }
PeerCounts Rib::counts(PeerId peer) const { return impl_->counts(peer); }
std::size_t Rib::memory_bytes() const { return impl_->memory_bytes(); }
void Rib::visit_routes(const std::function<void(const RouteView&)>& visit) const { impl_->visit_routes(visit); }
std::unique_ptr<RouteWalk> Rib::walk(RouteList list, PeerId peer) const { return impl_->walk(list, peer); }
void Rib::visit_received(PeerId peer, const std::function<void(const RouteView&)>& visit) const {
  impl_->visit_received(peer, visit);
}
void Rib::visit_sent(PeerId peer, const std::function<void(const RouteView&)>& visit) const {
  impl_->visit_sent(peer, visit);
}
std::vector<RouteView> Rib::explain(const IpPrefix& prefix) const { return impl_->explain(prefix); }

}  // namespace margay::bgp::rib
