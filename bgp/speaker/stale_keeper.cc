#include "bgp/speaker/stale_keeper.h"

#include <algorithm>
#include <utility>

namespace margay::bgp {
namespace {

// A peer that is back but never says End-of-RIB does not keep its old routes for ever (RFC 4724 §4.2).
constexpr Duration kRefreshMax = std::chrono::minutes(5);

// The F bit: the peer went on forwarding while it was away.
bool forwards(const fsm::Negotiated& session, Family family) {
  if (!session.graceful_restart) return false;
  const auto found = session.graceful_restart->forwarding.find(afi_safi(family));
  return found != session.graceful_restart->forwarding.end() && found->second;
}

}  // namespace

StaleKeeper::StaleKeeper(loop::Loop& loop, rib::Rib& rib, rib::PeerId peer, std::function<void()> on_change)
    : loop_(loop), rib_(rib), peer_(peer), on_change_(std::move(on_change)) {
  for (const Family family : kFamilies) {
    kept_[family].timer = loop.make_timer([this, family] { expired(family); });
  }
}

void StaleKeeper::session_down(const fsm::Negotiated& session) {
  for (const Family family : kFamilies) {
    if (!session.families[family]) continue;
    const auto& promise = session.graceful_restart;
    const auto& long_lived = session.long_lived[family];
    const bool is_named = promise && promise->forwarding.contains(afi_safi(family));
    if (!is_named && !(promise && long_lived)) {
      drop(family);
      continue;
    }
    // RFC 9494 §4.2: a family that only the long-lived capability names has a restart time of 0.
    kept_[family].long_lived = std::chrono::seconds(long_lived ? long_lived->stale_time_s : 0);
    keep(family, Phase::kRestarting, std::chrono::seconds(is_named ? promise->restart_time_s : 0));
  }
}

void StaleKeeper::session_up(const fsm::Negotiated& session) {
  for (const Family family : kFamilies) {
    if (kept_[family].phase == Phase::kNone) continue;
    const auto& long_lived = session.long_lived[family];
    const bool forwards_long = kept_[family].long_lived_end && long_lived && long_lived->forwarding;
    if (session.families[family] && (forwards(session, family) || forwards_long)) {
      keep(family, Phase::kRefreshing, kRefreshMax);
    } else {
      drop(family);
    }
  }
}

void StaleKeeper::end_of_rib(Family family) {
  if (kept_[family].phase != Phase::kRefreshing) return;
  end(family);
  on_change_();
}

void StaleKeeper::forget() {
  for (const Family family : kFamilies) end(family);
}

bool StaleKeeper::is_keeping() const {
  return kept_[Family::kIpv4Unicast].phase != Phase::kNone || kept_[Family::kIpv6Unicast].phase != Phase::kNone;
}

Duration StaleKeeper::capped(Family family, Duration time) const {
  const auto& end = kept_[family].long_lived_end;
  return end ? std::clamp(*end - loop_.now(), Duration{}, time) : time;
}

void StaleKeeper::keep(Family family, Phase phase, Duration time) {
  kept_[family].phase = phase;
  kept_[family].timer->arm(capped(family, time));
}

void StaleKeeper::expired(Family family) {
  Kept& kept = kept_[family];
  if (kept.phase == Phase::kRestarting && kept.long_lived > Duration{}) {
    if (!kept.long_lived_end) kept.long_lived_end = loop_.now() + kept.long_lived;
    if (*kept.long_lived_end > loop_.now()) {
      rib_.begin_long_lived(peer_, family);
      keep(family, Phase::kLongLived, *kept.long_lived_end - loop_.now());
      return on_change_();
    }
  }
  drop(family);
}

void StaleKeeper::drop(Family family) {
  end(family);
  rib_.drop_stale(peer_, family);
  on_change_();
}

void StaleKeeper::end(Family family) {
  kept_[family].phase = Phase::kNone;
  kept_[family].long_lived_end.reset();
  kept_[family].timer->disarm();
}

}  // namespace margay::bgp
