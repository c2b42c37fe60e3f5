// Speaker::Impl: the parts of a speaker and how they hang together. Private to this folder.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/loop/loop.h"
#include "base/telemetry/rate_limit.h"
#include "bgp/rib/rib.h"
#include "bgp/speaker/config.h"
#include "bgp/speaker/managed_peer.h"
#include "bgp/speaker/speaker.h"
#include "bgp/speaker/speaker_metrics.h"

namespace margay::bgp {

class Speaker::Impl {
 public:
  Impl(SpeakerParts parts, bool restarting);
  ~Impl();

  Status apply(SpeakerConfig config);
  void set_local_routes(std::vector<rib::LocalRoute> routes);
  void tell_routes_again() { rib_.tell_routes_again(); }
  Status reset(const IpAddress& peer, std::string_view text);
  Status refresh_in(const IpAddress& peer);
  Status refresh_out(const IpAddress& peer);
  void stop(std::string_view text, Task done);
  void update_metrics();
  [[nodiscard]] SpeakerSnapshot snapshot(const SnapshotQuery& query) const;
  [[nodiscard]] Result<std::unique_ptr<RouteCursor>> routes(const SnapshotQuery& query) const;

 private:
  using Peers = std::map<PeerKey, std::unique_ptr<ManagedPeer>>;

  // Configuration (speaker_config.cc).
  Status check(const SpeakerConfig& config) const;
  void remove_missing(const SpeakerConfig& config);
  void change_or_add(const SpeakerConfig& config);
  void change_dynamic(const SpeakerConfig& config);
  void configure_rib(const SpeakerConfig& config);
  void configure_sockets(const SpeakerConfig& config);
  void configure_listener(const SpeakerConfig& config);
  void look_after_sockets();
  void retry_sockets();
  [[nodiscard]] std::string socket_error_of(const IpAddress& peer) const;
  [[nodiscard]] std::vector<std::string> problems() const;
  [[nodiscard]] SpeakerFacts facts() const { return {config_.asn, config_.router_id, restarting_, recovering_}; }
  [[nodiscard]] Duration recovery_max(const SpeakerConfig& config) const;

  // Peers (speaker_peers.cc).
  ManagedPeer& add_peer(const PeerKey& key, const PeerSettings& settings, bool is_dynamic);
  void remove_peer(Peers::iterator peer);
  rib::PeerId free_id() const;
  void on_accepted(std::unique_ptr<session::Connection> connection);
  ManagedPeer* peer_for(const IpAddress& remote);
  ManagedPeer* dynamic_peer_for(const IpAddress& remote);
  [[nodiscard]] const ListenRange* range_of(const IpAddress& remote) const;
  [[nodiscard]] std::uint32_t count_dynamic(const IpPrefix& range) const;
  void refuse(std::unique_ptr<session::Connection> connection, std::string_view why);
  [[nodiscard]] Result<ManagedPeer*> find(const IpAddress& address) const;
  [[nodiscard]] Error no_peer(const IpAddress& address) const;

  // Work (speaker_run.cc).
  rib::Events rib_events();
  void schedule_run();
  void run();
  void write_outputs();
  void on_overrun(rib::PeerId peer, const Notification& reason);
  void on_peer_change();
  void look_after_peers();
  void check_convergence();
  void end_deferral();
  void end_recovery();
  void wait_for_goodbyes();

  class Cursor;

  SpeakerParts parts_;
  bool restarting_;  // our End-of-RIB waits
  bool recovering_;  // the kernel keeps what an earlier life left there
  bool is_configured_ = false;
  bool is_run_scheduled_ = false;
  bool is_look_scheduled_ = false;
  bool is_convergence_told_ = false;
  bool is_stopping_ = false;
  TimePoint started_at_;
  TimePoint work_since_{};
  std::optional<TimePoint> stop_deadline_;
  SpeakerConfig config_;
  rib::Rib rib_;
  Peers peers_;
  std::vector<ManagedPeer*> by_id_;
  std::set<rib::PeerId> with_output_;
  std::map<IpPrefix, session::PeerSocketOptions> socket_options_;
  std::map<IpPrefix, Error> refused_options_;
  std::optional<std::pair<std::vector<IpAddress>, std::uint16_t>> listening_;
  std::optional<Error> listen_error_;
  std::unique_ptr<loop::Timer> deferral_;
  std::unique_ptr<loop::Timer> recovery_;
  std::unique_ptr<loop::Timer> goodbye_;
  std::unique_ptr<loop::Timer> socket_retry_;
  Task on_stopped_;
  SpeakerMetrics metrics_;
  telemetry::RateLimit refusal_log_{std::chrono::seconds(10)};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace margay::bgp
