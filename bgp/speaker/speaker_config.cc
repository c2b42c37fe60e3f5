// Speaker::Impl: what apply() does with the difference between two configurations.
#include <utility>

#include "base/core/field_error.h"
#include "base/core/text.h"
#include "bgp/speaker/speaker_impl.h"

namespace margay::bgp {
namespace {

constexpr Duration kSocketRetry = std::chrono::seconds(1);

}  // namespace

Status Speaker::Impl::check(const SpeakerConfig& config) const {
  std::vector<FieldError> errors = validate(config);
  for (const auto& [key, settings] : config.peers) {
    if (!settings.bfd || parts_.liveness != nullptr) continue;
    errors.push_back({FieldError::Kind::kNotSupported, concat("peers[", key.address.to_string(), "].bfd"),
                      "this speaker was made without BFD"});
  }
  if (errors.empty()) return ok_status();
  return invalid(to_string(errors));
}

Status Speaker::Impl::apply(SpeakerConfig config) {
  MARGAY_RETURN_IF_ERROR(check(config));
  remove_missing(config);
  configure_rib(config);
  configure_sockets(config);
  config_ = std::move(config);
  change_or_add(config_);
  change_dynamic(config_);
  configure_listener(config_);
  look_after_sockets();
  if (!std::exchange(is_configured_, true)) {
    if (restarting_) {
      deferral_->arm(config_.selection_deferral);
      recovery_->arm(recovery_max(config_));
    } else {
      end_recovery();
    }
  }
  schedule_run();
  return ok_status();
}

// As long as a peer that is away may keep its routes, those that an earlier life had from it stay, too.
Duration Speaker::Impl::recovery_max(const SpeakerConfig& config) const {
  Duration longest = config.selection_deferral;
  for (const auto& [key, settings] : config.peers) {
    longest = std::max(longest, settings.restart_time.value_or(Duration{}));
  }
  for (const ListenRange& range : config.listen_ranges) {
    longest = std::max(longest, range.settings.restart_time.value_or(Duration{}));
  }
  return longest;
}

void Speaker::Impl::set_local_routes(std::vector<rib::LocalRoute> routes) {
  if (routes == config_.local_routes) return;
  config_.local_routes = std::move(routes);
  rib_.set_local_routes(config_.local_routes);
  schedule_run();
}

void Speaker::Impl::remove_missing(const SpeakerConfig& config) {
  for (auto next = peers_.begin(); next != peers_.end();) {
    const auto here = next++;
    const bool is_dynamic = here->second->identity().is_dynamic;
    const bool is_listed = config.peers.contains(here->first);
    bool is_wanted = is_listed;
    if (is_dynamic) {
      // One that is listed now begins anew under its own settings.
      is_wanted = config.peers.lower_bound({here->first.address, 0}) == config.peers.end() ||
                  config.peers.lower_bound({here->first.address, 0})->first.address != here->first.address;
      bool is_covered = false;
      for (const ListenRange& range : config.listen_ranges) is_covered |= range.range.contains(here->first.address);
      is_wanted = is_wanted && is_covered;
    }
    if (is_wanted) continue;
    here->second->stop(cease(cease_subcode::kPeerDeconfigured));
    remove_peer(here);
  }
}

void Speaker::Impl::configure_rib(const SpeakerConfig& config) {
  const bool is_first = !is_configured_;
  if (is_first || !equal(rib_config_of(config_), rib_config_of(config))) rib_.set_config(rib_config_of(config));
  if (is_first || config_.local_routes != config.local_routes) rib_.set_local_routes(config.local_routes);
}

void Speaker::Impl::change_or_add(const SpeakerConfig& config) {
  for (const auto& [key, settings] : config.peers) {
    const auto found = peers_.find(key);
    if (found == peers_.end()) {
      add_peer(key, settings, false).start();
    } else {
      found->second->change(settings, facts());
    }
  }
}

void Speaker::Impl::change_dynamic(const SpeakerConfig& config) {
  for (auto& [key, peer] : peers_) {
    if (!peer->identity().is_dynamic || config.peers.contains(key)) continue;
    const ListenRange* const range = range_of(key.address);
    if (range == nullptr) continue;
    PeerSettings settings = range->settings;
    settings.passive = true;
    peer->change(std::move(settings), facts());
  }
}

// Keys and TTL must be known to the listener before a peer connects.
void Speaker::Impl::configure_sockets(const SpeakerConfig& config) {
  std::map<IpPrefix, session::PeerSocketOptions> wanted;
  for (const ListenRange& range : config.listen_ranges) wanted[range.range] = socket_options(range.settings);
  for (const auto& [key, settings] : config.peers) wanted[IpPrefix::host(key.address)] = socket_options(settings);
  if (wanted == socket_options_) return;
  socket_options_ = std::move(wanted);
  parts_.transport.set_peer_options(socket_options_);
}

void Speaker::Impl::configure_listener(const SpeakerConfig& config) {
  auto wanted = std::pair(config.listen_addresses, config.listen_port);
  if (listening_ == wanted) return;
  listening_.reset();
  Status status = ok_status();
  if (config.listen_port == 0) {
    parts_.transport.stop_listening();
  } else {
    status = parts_.transport.listen(config.listen_addresses, config.listen_port,
                                     [this](auto connection) { on_accepted(std::move(connection)); });
  }
  if (status.ok()) {
    listening_ = std::move(wanted);
    if (listen_error_) parts_.log.info("listening after all");
    listen_error_.reset();
    return;
  }
  if (listen_error_ != status.error()) parts_.log.error("cannot listen", {{"error", status.error()}});
  listen_error_ = status.error();
}

// An address may come later (an interface, duplicate address detection), a port may be let go of, memory for keys too.
void Speaker::Impl::look_after_sockets() {
  auto refused = parts_.transport.refused_peer_options();
  for (const auto& [peers, error] : refused) {
    const auto before = refused_options_.find(peers);
    if (before != refused_options_.end() && before->second == error) continue;
    parts_.log.error("peers cannot connect", {{"peers", peers}, {"error", error}});
  }
  for (const auto& [peers, error] : refused_options_) {
    if (!refused.contains(peers)) parts_.log.info("peers can connect after all", {{"peers", peers}});
  }
  refused_options_ = std::move(refused);
  if (listen_error_ || !refused_options_.empty()) {
    socket_retry_->arm(kSocketRetry);
  } else {
    socket_retry_->disarm();
  }
}

void Speaker::Impl::retry_sockets() {
  if (!refused_options_.empty()) parts_.transport.set_peer_options(socket_options_);
  configure_listener(config_);
  look_after_sockets();
}

// Of a peer itself or of the range it is in; the longest counts, as for the transport.
std::string Speaker::Impl::socket_error_of(const IpAddress& peer) const {
  for (int length = address_bits(peer.family()); length >= 0; --length) {
    const IpPrefix prefix = IpPrefix::containing(peer, length);
    if (!socket_options_.contains(prefix)) continue;
    const auto found = refused_options_.find(prefix);
    return found == refused_options_.end() ? std::string() : found->second.message;
  }
  return {};
}

std::vector<std::string> Speaker::Impl::problems() const {
  std::vector<std::string> all;
  if (listen_error_) all.push_back(listen_error_->message);
  for (const auto& [peers, error] : refused_options_) all.push_back(concat(peers.to_string(), ": ", error.message));
  return all;
}

}  // namespace margay::bgp
