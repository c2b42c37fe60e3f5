// Speakers in virtual time, for tests. Not part of any library.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/loop/sim_loop.h"
#include "bgp/session/sim_transport.h"
#include "bgp/speaker/speaker.h"

namespace margay::bgp {

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
inline IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }

inline rib::LocalRoute local(std::string_view prefix) {
  rib::LocalRoute route;
  route.prefix = net(prefix);
  return route;
}

// What the kernel would have: it outlives the speaker.
class RecordingSink final : public RouteSink {
 public:
  // A new speaker comes: what it does not name until it has converged goes.
  void begin_life() {
    unnamed_.clear();
    for (const auto& [prefix, route] : routes) unnamed_.insert(prefix);
  }
  void apply(std::vector<rib::RouteChange> changes) override {
    for (const rib::RouteChange& change : changes) {
      unnamed_.erase(change.prefix);
      if (change.route) {
        routes[change.prefix] = *change.route;
      } else {
        routes.erase(change.prefix);
      }
    }
  }
  void converged() override {
    ++times_converged;
    for (const IpPrefix& prefix : unnamed_) routes.erase(prefix);
    unnamed_.clear();
  }

  std::map<IpPrefix, rib::BestRoute> routes;
  int times_converged = 0;

 private:
  std::set<IpPrefix> unnamed_;
};

// A host with a speaker on it. Its configuration is `config`, given to it by apply().
class Node {
 public:
  Node(loop::SimLoop& loop, session::SimInternet& internet, std::string_view address, Asn asn)
      : loop_(loop), address_(ip(address)), transport_(internet.add_host({address_})) {
    config.asn = asn;
    config.router_id = RouterId(address_.v4_value());
  }

  void start(bool restarting = false) {
    sink.begin_life();
    speaker_ = std::make_unique<Speaker>(
        SpeakerParts{loop_, random_, *transport_, sink, telemetry::Logger{}, metrics, liveness}, restarting);
    apply();
  }
  // Without a word, as a crash.
  void kill() {
    speaker_.reset();
    transport_->stop_listening();
  }
  void apply() {
    const Status status = speaker_->apply(config);
    if (!status.ok()) failure = status.error().message;
  }

  PeerSettings& add_peer(const Node& other) {
    PeerSettings& settings = config.peers[PeerKey{other.address(), 179}];
    settings.remote_asn = other.config.asn;
    settings.name = other.address().to_string();
    return settings;
  }

  [[nodiscard]] PeerSnapshot peer(const Node& other) const {
    for (PeerSnapshot& peer : speaker_->snapshot({}).peers) {
      if (peer.address == other.address()) return std::move(peer);
    }
    return {};
  }
  [[nodiscard]] bool is_up(const Node& other) const { return peer(other).state == fsm::State::kEstablished; }
  [[nodiscard]] std::vector<std::string> best_prefixes() const {
    std::vector<std::string> names;
    for (const auto& [prefix, route] : sink.routes) names.push_back(prefix.to_string());
    return names;
  }

  [[nodiscard]] const IpAddress& address() const { return address_; }
  Speaker& speaker() { return *speaker_; }
  [[nodiscard]] bool is_running() const { return speaker_ != nullptr; }

  SpeakerConfig config;
  RecordingSink sink;
  telemetry::Registry* metrics = nullptr;
  LivenessMonitor* liveness = nullptr;
  std::string failure;

 private:
  loop::SimLoop& loop_;
  IpAddress address_;
  std::unique_ptr<session::Transport> transport_;
  SeededRandom random_{7};
  std::unique_ptr<Speaker> speaker_;
};

}  // namespace margay::bgp
