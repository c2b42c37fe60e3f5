#include "bgp/speaker/speaker.h"

#include <utility>

#include "base/core/text.h"
#include "bgp/speaker/speaker_impl.h"

namespace margay::bgp {
namespace {

constexpr Duration kGoodbyeMax = std::chrono::seconds(1);
constexpr Duration kGoodbyeLook = std::chrono::milliseconds(5);

}  // namespace

Speaker::Speaker(SpeakerParts parts, bool restarting) : impl_(std::make_unique<Impl>(std::move(parts), restarting)) {}
Speaker::~Speaker() = default;
Status Speaker::apply(SpeakerConfig config) { return impl_->apply(std::move(config)); }
void Speaker::set_local_routes(std::vector<rib::LocalRoute> routes) { impl_->set_local_routes(std::move(routes)); }
void Speaker::tell_routes_again() { impl_->tell_routes_again(); }
Status Speaker::reset(const IpAddress& peer, std::string_view text) { return impl_->reset(peer, text); }
Status Speaker::refresh_in(const IpAddress& peer) { return impl_->refresh_in(peer); }
Status Speaker::refresh_out(const IpAddress& peer) { return impl_->refresh_out(peer); }
void Speaker::stop(std::string_view text, Task done) { impl_->stop(text, std::move(done)); }
void Speaker::update_metrics() { impl_->update_metrics(); }
SpeakerSnapshot Speaker::snapshot(const SnapshotQuery& query) const { return impl_->snapshot(query); }
Result<std::unique_ptr<RouteCursor>> Speaker::routes(const SnapshotQuery& query) const { return impl_->routes(query); }

Speaker::Impl::Impl(SpeakerParts parts, bool restarting)
    : parts_(std::move(parts)),
      restarting_(restarting),
      recovering_(restarting),
      started_at_(parts_.loop.now()),
      rib_(rib::RibConfig{}, rib_events()),
      deferral_(parts_.loop.make_timer([this] { end_deferral(); })),
      recovery_(parts_.loop.make_timer([this] { end_recovery(); })),
      goodbye_(parts_.loop.make_timer([this] { wait_for_goodbyes(); })),
      socket_retry_(parts_.loop.make_timer([this] { retry_sockets(); })),
      metrics_(parts_.metrics) {
  rib_.defer_end_of_rib(restarting_);
}

void Speaker::Impl::update_metrics() {
  if (parts_.metrics != nullptr) metrics_.sync(snapshot({}));
}

// The transport outlives the speaker: it must not bring it connections any more.
Speaker::Impl::~Impl() { parts_.transport.stop_listening(); }

Status Speaker::Impl::reset(const IpAddress& peer, std::string_view text) {
  MARGAY_ASSIGN_OR_RETURN(ManagedPeer* const found, find(peer));
  found->reset(cease(cease_subcode::kAdministrativeReset, text));
  return ok_status();
}

Status Speaker::Impl::refresh_in(const IpAddress& peer) {
  MARGAY_ASSIGN_OR_RETURN(ManagedPeer* const found, find(peer));
  bool is_asked = false;
  for (const Family family : kFamilies) is_asked |= found->request_refresh(family);
  if (is_asked) return ok_status();
  return Error{ErrorCode::kUnsupported, concat(peer.to_string(), ": no session, or one without route refresh")};
}

Status Speaker::Impl::refresh_out(const IpAddress& peer) {
  MARGAY_ASSIGN_OR_RETURN(ManagedPeer* const found, find(peer));
  if (!found->is_up()) return Error{ErrorCode::kUnavailable, concat(peer.to_string(), ": no session")};
  for (const Family family : kFamilies) {
    rib_.receive(found->identity().id, RouteRefresh{family, RefreshKind::kRequest});
  }
  schedule_run();
  return ok_status();
}

void Speaker::Impl::stop(std::string_view text, Task done) {
  is_stopping_ = true;
  socket_retry_->disarm();
  parts_.transport.stop_listening();
  for (auto& [key, peer] : peers_) peer->stop(cease(cease_subcode::kAdministrativeShutdown, text));
  on_stopped_ = std::move(done);
  stop_deadline_ = parts_.loop.now() + kGoodbyeMax;
  goodbye_->arm(kGoodbyeLook);
}

void Speaker::Impl::wait_for_goodbyes() {
  if (parts_.transport.leaving_count() > 0 && parts_.loop.now() < *stop_deadline_) return goodbye_->arm(kGoodbyeLook);
  Task done = std::move(on_stopped_);
  if (done) done();
}

}  // namespace margay::bgp
