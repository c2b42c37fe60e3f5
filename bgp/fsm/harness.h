// Harness (tests only): a Peer with its timers in virtual time, everything that happens as lines of text, and the
// invariants of peer.h checked after each step.
//
//   Harness peer(eBGP());
//   peer.step(Start{});
//   peer.take_log()   →   "< Start\n> Connect #1\n> Arm ConnectRetry 4.2 s\n"
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "bgp/fsm/peer.h"

namespace margay::bgp::fsm {

inline constexpr AfiSafi kIpv4 = {1, 1};

std::string describe(const Input& input);
std::string describe(const Output& output);
std::string describe(const Notification& notification);  // "6/2"

// 64512 with 10.0.0.1 towards 65001 (or itself) with 10.0.0.2: IPv4, four-octet numbers, route refresh.
PeerConfig external_config();
PeerConfig internal_config();
// What the peer of such a configuration sends.
Open open_of_peer(const PeerConfig& config);

class Harness {
 public:
  // Without a seed timers have no jitter, so that texts are round.
  explicit Harness(PeerConfig config, std::optional<std::uint64_t> seed = std::nullopt);

  // Hands it in and does what the driver does: keeps timers and connections.
  std::vector<Output> step(const Input& input);
  ConnectionId accept();  // a connection of the peer
  // Fires timers in their order until so much time has passed.
  void advance(Duration duration);
  // To the next timer and no further; false: none runs.
  bool fire_next();
  // Also one that does not run, as a firing that was under way when it was stopped.
  void fire(TimerKind kind);

  Peer& peer() { return peer_; }
  [[nodiscard]] State state() const { return peer_.state(); }
  [[nodiscard]] TimePoint now() const { return now_; }
  void set_now(TimePoint now) { now_ = now; }  // by whoever runs several of them
  // Called with each output after it was carried out.
  void set_listener(std::function<void(const Output&)> listener) { listener_ = std::move(listener); }
  [[nodiscard]] std::optional<ConnectionId> session_connection() const { return up_; }
  [[nodiscard]] std::optional<TimePoint> deadline(TimerKind kind) const { return timers_[index(kind)]; }
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  [[nodiscard]] const std::set<ConnectionId>& open_connections() const { return open_; }
  [[nodiscard]] ConnectionId last_attempt() const { return last_attempt_; }
  // Lines since the last call; "< " went in, "> " came out.
  std::string take_log();
  // What came out since the last call of take_*: "Send #1 OPEN", …
  std::string take_outputs();

 private:
  static std::size_t index(TimerKind kind) { return static_cast<std::size_t>(kind); }
  void carry_out(const Output& output);
  void forget(ConnectionId id);
  void check_invariants();
  // What the machine must never do: prints what led to it and ends the test run.
  void require(bool condition, const char* what) const;

  std::unique_ptr<Random> random_;
  Peer peer_;
  TimePoint now_{};
  std::array<std::optional<TimePoint>, kTimerKinds> timers_{};
  std::set<ConnectionId> open_;      // attempts and connections
  std::set<ConnectionId> attempts_;  // of those, not yet connected
  std::set<ConnectionId> opened_;    // and those that an OPEN was sent on
  std::optional<ConnectionId> up_;
  ConnectionId last_attempt_ = 0;
  std::function<void(const Output&)> listener_;
  std::string log_;
  std::string outputs_;
};

// Up to Established over an outgoing connection; its number.
ConnectionId establish(Harness& harness, const Open& open);

}  // namespace margay::bgp::fsm
