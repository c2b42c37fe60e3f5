// EndpointSet: which of several equal API servers to use. Pure.
//
//             request or connection failed             probe answered
//   good ───────────────────────────────────▶ bad ───────────────────▶ good
//     ╲ slow or 5xx: suspect ── probe failed ──▲
//
// Invariants
//   1. Sticky: the current server changes only when it goes bad while another is good, or when all are bad and one
//   comes
//      back. It does not move back to an earlier one by itself.
//   2. With all of them bad there is still a current one; each failure moves on to the next, so that all are tried.
//   3. Probes are wanted for every server that is bad or suspect; while any is, also for the good ones that are not
//      current, so that the one to move to is known to be alive.
#pragma once

#include <cstddef>
#include <vector>

namespace margay::kube {

class EndpointSet {
 public:
  // `count` is at least 1.
  EndpointSet(std::size_t count, std::size_t first) : states_(count, State::kGood), current_(first % count) {}

  [[nodiscard]] std::size_t current() const { return current_; }
  [[nodiscard]] std::size_t size() const { return states_.size(); }
  [[nodiscard]] bool is_good(std::size_t index) const { return states_[index] != State::kBad; }

  // A connection could not be made or was lost, or a probe failed.
  void on_failure(std::size_t index);
  // An answer took too long or was a 5xx: ask whether the server is ready.
  void on_suspicion(std::size_t index);
  // Any answer that shows the server working, a probe's among them.
  void on_success(std::size_t index);

  // Which to probe now; empty when all is well.
  [[nodiscard]] std::vector<std::size_t> to_probe() const;

 private:
  enum class State { kGood, kSuspect, kBad };

  void move_on();

  std::vector<State> states_;
  std::size_t current_;
};

}  // namespace margay::kube
