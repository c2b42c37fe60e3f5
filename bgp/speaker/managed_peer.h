// ManagedPeer: one peer of a speaker: its session driver, what is kept of its routes while it is away, its BFD watch,
// and what the configuration says of it.
//
// Thread: the loop's. Never destroyed from inside one of its own events.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bgp/session/session_driver.h"
#include "bgp/speaker/config.h"
#include "bgp/speaker/config_change.h"
#include "bgp/speaker/machine_config.h"
#include "bgp/speaker/snapshot.h"
#include "bgp/speaker/speaker.h"
#include "bgp/speaker/stale_keeper.h"

namespace margay::bgp {

class ManagedPeer {
 public:
  struct Parts {
    loop::Loop& loop;
    Random& random;
    session::Transport& transport;
    rib::Rib& rib;
    LivenessMonitor* liveness = nullptr;
    telemetry::Logger log;
  };
  struct Events {
    std::function<void()> on_work;    // the RIB has something to do
    std::function<void()> on_change;  // state, End-of-RIB, what is kept
  };
  struct Identity {
    rib::PeerId id = 0;
    PeerKey key;
    bool is_dynamic = false;
  };

  ManagedPeer(Parts parts, Identity identity, PeerSettings settings, const SpeakerFacts& facts, Events events);
  ~ManagedPeer();

  void start();
  // The [live]/[routes]/[session] rules of config.h.
  void change(PeerSettings settings, const SpeakerFacts& facts);
  // OPENs of sessions to come.
  void set_facts(const SpeakerFacts& facts);
  void reset(Notification reason);
  void stop(Notification reason);
  void accept(std::unique_ptr<session::Connection> connection);
  // The RIB says that it must end: prefix limit or too much unsent.
  void overrun(const Notification& reason);
  void write_output() { driver_->write_output(); }
  bool request_refresh(Family family) { return driver_->request_refresh(family); }

  [[nodiscard]] const PeerSettings& settings() const { return settings_; }
  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] bool is_up() const { return driver_->machine().session() != nullptr; }
  // A restarting speaker need not wait for this one: it has sent all it has, or will not say when (RFC 4724 §4.1).
  // Without Graceful Restart it is not waited for any longer than our End-of-RIB.
  [[nodiscard]] bool is_settled() const;
  // A dynamic one with no connection and nothing kept, which need not wait because of its prefix limit.
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] PeerSnapshot snapshot() const;
  [[nodiscard]] const session::SessionDriver& driver() const { return *driver_; }

 private:
  void on_up(const fsm::Negotiated& session, const session::Connection& connection);
  void on_down(const fsm::DownReason& reason);
  void on_end_of_rib(Family family);
  void on_liveness_lost(bool is_control_plane_independent);
  void watch_liveness();
  void refresh_driver();
  void end_limit_pause();

  Parts parts_;
  Identity identity_;
  PeerSettings settings_;
  SpeakerFacts facts_;
  Events events_;
  StaleKeeper stale_;
  std::unique_ptr<session::SessionDriver> driver_;
  std::unique_ptr<LivenessMonitor::Watch> watch_;
  std::unique_ptr<loop::Timer> limit_restart_;
  std::optional<fsm::Negotiated> last_session_;
  PerFamily<bool> has_end_of_rib_;
  bool is_over_limit_ = false;  // stopped until its time, another limit, or an admin
  std::uint64_t bfd_downs_ = 0;
  bool drops_routes_ = false;  // the session about to end leaves nothing behind
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace margay::bgp
