// StaleKeeper: how long the routes of a peer that went away are kept (RFC 4724 §4.2, RFC 9494 §4.2), family by family.
//
//   session down, kept ──▶ Restarting ─restart time▶ LongLived ─stale time▶ dropped
//                             │ (no LLGR: dropped)      │
//                             └── session up, F bit ────┴──▶ Refreshing ─End-of-RIB▶ done (the RIB swept them)
//                                 session up, no F bit: dropped          ─time limit▶ dropped
//
// The long-lived time runs from its start to End-of-RIB, whatever sessions come and go meanwhile: who flaps does not
// extend it.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/core/time.h"
#include "base/loop/loop.h"
#include "bgp/fsm/negotiated.h"
#include "bgp/rib/rib.h"

namespace margay::bgp {

class StaleKeeper {
 public:
  // `on_change`: the RIB was told something, or nothing is kept any more.
  StaleKeeper(loop::Loop& loop, rib::Rib& rib, rib::PeerId peer, std::function<void()> on_change);

  // The session ended and its routes stay; `session` is what it had agreed on.
  void session_down(const fsm::Negotiated& session);
  void session_up(const fsm::Negotiated& session);
  void end_of_rib(Family family);
  // The routes are gone for another reason.
  void forget();
  [[nodiscard]] bool is_keeping() const;

 private:
  enum class Phase : std::uint8_t { kNone, kRestarting, kLongLived, kRefreshing };
  struct Kept {
    Phase phase = Phase::kNone;
    Duration long_lived{};
    std::optional<TimePoint> long_lived_end;  // has begun
    std::unique_ptr<loop::Timer> timer;
  };

  void keep(Family family, Phase phase, Duration time);
  void expired(Family family);
  void drop(Family family);
  void end(Family family);
  // Not beyond the end of the long-lived time.
  [[nodiscard]] Duration capped(Family family, Duration time) const;

  loop::Loop& loop_;
  rib::Rib& rib_;
  rib::PeerId peer_;
  std::function<void()> on_change_;
  PerFamily<Kept> kept_;
};

}  // namespace margay::bgp
