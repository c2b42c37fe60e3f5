// SimInternet: hosts that speak TCP in virtual time, for tests of sessions and simulations of many speakers.
//
//   SimInternet internet(loop, seed);
//   auto transport = internet.add_host({address});       // a Transport; destroying it closes all it has
//   internet.set_reachable(a, b, false);                 // a partition: nothing arrives, connections stay
//   internet.break_connections(a, b);                    // resets on both sides
//
// Bytes arrive in order, after the delay, in pieces of random size when asked for. A writer has a window: what the
// reader's side has not taken stays in queued_bytes(). A connection with a password is only made when both sides have
// the same; otherwise it gets no answer, as with RFC 2385.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/core/random.h"
#include "base/loop/sim_loop.h"
#include "bgp/session/transport.h"

namespace margay::bgp::session {

struct SimConditions {
  Duration delay = std::chrono::microseconds(100);
  std::size_t piece_bytes_max = 0;  // 0: as they were written
  std::size_t window_bytes = 256 * 1024;
};

class SimInternet {
 public:
  SimInternet(loop::SimLoop& loop, std::uint64_t seed);
  ~SimInternet();

  // From now on; for what is written later.
  void set_conditions(const SimConditions& conditions);
  // A host of these addresses; all hosts of a family are on one link. No address twice. The internet outlives it.
  std::unique_ptr<Transport> add_host(std::vector<IpAddress> addresses);
  // Between any address of the one and of the other; what was sent before the cut and not arrived waits, as TCP would
  // send it again.
  void set_reachable(const IpAddress& a, const IpAddress& b, bool is_reachable);
  void break_connections(const IpAddress& a, const IpAddress& b);
  void break_all_connections();
  // Open ones, each counted once.
  [[nodiscard]] std::size_t connection_count() const;

  class Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace margay::bgp::session
