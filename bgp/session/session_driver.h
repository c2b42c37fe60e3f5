// SessionDriver: one peer at work. It does what the peer's machine (fsm::Peer) says with connections and timers, cuts
// and decodes what arrives, hands UPDATEs to the RIB and writes what the RIB has for the peer.
//
//   Transport ⇄ SessionDriver ─step▶ fsm::Peer
//                  │  Update ▼  ▲ packets
//                  └────── rib::Rib
//
// Thread: the loop's. The owner must not destroy it from inside one of its events; later is fine (Loop::post).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/rate_limit.h"
#include "bgp/fsm/peer.h"
#include "bgp/rib/rib.h"
#include "bgp/session/framer.h"
#include "bgp/session/message_counts.h"
#include "bgp/session/transport.h"
#include "bgp/wire/message.h"

namespace margay::bgp::session {

struct DriverSettings {
  fsm::PeerConfig machine;
  SocketAddress remote;
  std::optional<IpAddress> source;
  PeerSocketOptions socket;
  bool enforce_first_as = true;
  bool allow_as_set = false;
};

class SessionDriver {
 public:
  struct Parts {
    loop::Loop& loop;
    Random& random;
    Transport& transport;
    rib::Rib& rib;
    telemetry::Logger log;
  };
  struct Events {
    // The RIB is not told of sessions by the driver: the owner says session_up and session_down in these.
    std::function<void(const fsm::Negotiated&, const Connection&)> on_up;
    std::function<void(const fsm::DownReason&)> on_down;
    std::function<void()> on_attempt_ended;  // a connection or an attempt ended that was no session
    std::function<void(Family)> on_end_of_rib;
    std::function<void()> on_work;  // the RIB was given something
  };

  SessionDriver(Parts parts, rib::PeerId peer, DriverSettings settings, Events events);
  ~SessionDriver();

  // For the next connection; keepalives at once; what the decoder looks at, for the next message.
  void set_settings(DriverSettings settings);
  void start();
  void stop(Notification reason);
  void reset(Notification reason);
  void accept(std::unique_ptr<Connection> connection);
  // Somebody knows that the session's connection is dead.
  void lost(std::string why);
  // Writes what the RIB has, as much as the connection should hold.
  void write_output();
  // False: no session, or the peer cannot do it.
  bool request_refresh(Family family);

  [[nodiscard]] const fsm::Peer& machine() const { return machine_; }
  [[nodiscard]] rib::PeerId peer() const { return peer_; }
  [[nodiscard]] const MessageCounts& received() const { return received_; }
  [[nodiscard]] const MessageCounts& sent() const { return sent_; }  // without what the RIB wrote
  [[nodiscard]] std::uint64_t times_dropped() const { return times_dropped_; }
  // RFC 7606 outcomes, by what was wrong.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& faults() const { return faults_; }
  // What belongs to the errors of the machine.
  struct ErrorNote {
    std::optional<TimePoint> at;
    std::string bytes;  // of the message that was wrong, in hex, cut; empty: no message was
  };
  [[nodiscard]] const ErrorNote& last_error() const { return last_error_; }
  [[nodiscard]] const ErrorNote& last_attempt_error() const { return last_attempt_error_; }
  [[nodiscard]] std::optional<Duration> hold_time_left() const;
  [[nodiscard]] const Connection* connection() const;  // of the session; nullptr: none
  [[nodiscard]] std::size_t queued_bytes() const;
  [[nodiscard]] bool has_connections() const { return !links_.empty() || !attempts_.empty(); }

 private:
  struct Link {
    std::unique_ptr<Connection> connection;
    Framer framer;
    DecodeContext context;
  };

  void step(fsm::Input input);
  void perform(const fsm::Connect& connect);
  void perform(const fsm::Send& send);
  void perform(const fsm::Close& close);
  void perform(const fsm::Arm& arm);
  void perform(const fsm::Disarm& disarm);
  void perform(const fsm::SessionUp& up);
  void perform(const fsm::SessionDown& down);
  void perform(const fsm::AttemptFailed& failed);

  void connected(fsm::ConnectionId id, Result<std::unique_ptr<Connection>> result);
  void add_link(fsm::ConnectionId id, std::unique_ptr<Connection> connection);
  void timer_fired(fsm::TimerKind kind);

  void on_bytes(fsm::ConnectionId id, const std::shared_ptr<Link>& link, bytes::View bytes);
  void on_message(fsm::ConnectionId id, Link& link, MessageType type, bytes::View message);
  void on_open(fsm::ConnectionId id, bytes::View message);
  void on_notification(fsm::ConnectionId id, bytes::View message);
  void on_update(fsm::ConnectionId id, const Link& link, bytes::View message);
  void on_route_refresh(fsm::ConnectionId id, bytes::View message);
  [[nodiscard]] bool link_speaks(fsm::ConnectionId id, Family family) const;
  void bad_message(fsm::ConnectionId id, DecodeError error, bytes::View message);
  void count_faults(bytes::View message);

  void write(fsm::ConnectionId id, std::string bytes);
  [[nodiscard]] Link* session_link();
  [[nodiscard]] TimePoint now() const { return parts_.loop.now(); }

  Parts parts_;
  rib::PeerId peer_;
  DriverSettings settings_;
  Events events_;
  fsm::Peer machine_;
  std::map<fsm::ConnectionId, std::unique_ptr<Handle>> attempts_;
  std::map<fsm::ConnectionId, std::shared_ptr<Link>> links_;
  std::optional<fsm::ConnectionId> session_;  // the link whose session is up
  std::array<std::unique_ptr<loop::Timer>, fsm::kTimerKinds> timers_;
  std::deque<fsm::Input> inputs_;
  bool is_stepping_ = false;
  bool gave_rib_work_ = false;
  Update update_;  // used again for every message
  TimePoint last_received_{};
  MessageCounts received_, sent_;
  std::uint64_t times_dropped_ = 0;
  std::map<std::string, std::uint64_t> faults_;
  std::string bad_bytes_;  // of the message the machine is just told of
  ErrorNote last_error_, last_attempt_error_;
  telemetry::RateLimit fault_log_{std::chrono::seconds(10)};
};

}  // namespace margay::bgp::session
