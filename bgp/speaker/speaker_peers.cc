// Speaker::Impl: its peers, and connections that come in.
#include <algorithm>
#include <set>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "bgp/speaker/speaker_impl.h"
#include "bgp/wire/encode.h"

namespace margay::bgp {
namespace {

constexpr std::size_t kPeersNamedMax = 20;  // in an error

}  // namespace

ManagedPeer& Speaker::Impl::add_peer(const PeerKey& key, const PeerSettings& settings, bool is_dynamic) {
  const rib::PeerId id = free_id();
  rib_.add_peer(id, settings.policy);
  auto peer = std::make_unique<ManagedPeer>(
      ManagedPeer::Parts{parts_.loop, parts_.random, parts_.transport, rib_, parts_.liveness, parts_.log},
      ManagedPeer::Identity{id, key, is_dynamic}, settings, facts(),
      ManagedPeer::Events{[this] { schedule_run(); }, [this] { on_peer_change(); }});
  ManagedPeer& added = *peer;
  if (by_id_.size() <= id) by_id_.resize(id + 1U);
  by_id_[id] = &added;
  peers_[key] = std::move(peer);
  return added;
}

void Speaker::Impl::remove_peer(Peers::iterator peer) {
  const rib::PeerId id = peer->second->identity().id;
  rib_.remove_peer(id);
  with_output_.erase(id);
  by_id_[id] = nullptr;
  peers_.erase(peer);
  schedule_run();
}

rib::PeerId Speaker::Impl::free_id() const {
  const auto free = std::find(by_id_.begin(), by_id_.end(), nullptr);
  return static_cast<rib::PeerId>(free - by_id_.begin());
}

Result<ManagedPeer*> Speaker::Impl::find(const IpAddress& address) const {
  const auto found = peers_.lower_bound({address, 0});
  if (found != peers_.end() && found->first.address == address) return found->second.get();
  return no_peer(address);
}

Error Speaker::Impl::no_peer(const IpAddress& address) const {
  std::set<IpAddress> known;
  for (const auto& [key, peer] : peers_) known.insert(key.address);
  std::string names;
  std::size_t count = 0;
  for (const IpAddress& each : known) {
    if (count++ == kPeersNamedMax) break;
    names.append(concat(count == 1 ? "" : ", ", each.to_string()));
  }
  if (known.empty()) names = "none";
  if (known.size() > kPeersNamedMax) names.append(concat(" and ", known.size() - kPeersNamedMax, " more"));
  return {ErrorCode::kNotFound, concat("no peer ", address.to_string(), "; there is ", names)};
}

void Speaker::Impl::on_accepted(std::unique_ptr<session::Connection> connection) {
  const IpAddress remote = connection->remote().address;
  ManagedPeer* peer = is_stopping_ ? nullptr : peer_for(remote);
  if (peer == nullptr && !is_stopping_) peer = dynamic_peer_for(remote);
  if (peer == nullptr) return refuse(std::move(connection), "not a peer");
  peer->accept(std::move(connection));
}

// Of several peers at one address (other ports) the one that has no session.
ManagedPeer* Speaker::Impl::peer_for(const IpAddress& remote) {
  ManagedPeer* chosen = nullptr;
  for (auto at = peers_.lower_bound({remote, 0}); at != peers_.end() && at->first.address == remote; ++at) {
    if (chosen == nullptr || (chosen->is_up() && !at->second->is_up())) chosen = at->second.get();
  }
  return chosen;
}

const ListenRange* Speaker::Impl::range_of(const IpAddress& remote) const {
  const ListenRange* best = nullptr;
  for (const ListenRange& range : config_.listen_ranges) {
    if (!range.range.contains(remote)) continue;
    if (best == nullptr || range.range.length() > best->range.length()) best = &range;
  }
  return best;
}

std::uint32_t Speaker::Impl::count_dynamic(const IpPrefix& range) const {
  return static_cast<std::uint32_t>(std::count_if(peers_.begin(), peers_.end(), [&](const auto& entry) {
    if (!entry.second->identity().is_dynamic) return false;
    const ListenRange* const own = range_of(entry.first.address);
    return own != nullptr && own->range == range;
  }));
}

ManagedPeer* Speaker::Impl::dynamic_peer_for(const IpAddress& remote) {
  const ListenRange* const range = range_of(remote);
  if (range == nullptr || count_dynamic(range->range) >= range->peers_max) return nullptr;
  PeerSettings settings = range->settings;
  settings.passive = true;
  ManagedPeer& peer = add_peer({remote, 0}, settings, true);
  peer.start();
  return &peer;
}

// RFC 4486 §4: Connection Rejected.
void Speaker::Impl::refuse(std::unique_ptr<session::Connection> connection, std::string_view why) {
  if (const auto suppressed = refusal_log_.admit(parts_.loop.now())) {
    parts_.log.info("connection refused",
                    {{"remote", connection->remote().to_string()}, {"why", why}, {"suppressed", *suppressed}});
  }
  std::string bytes;
  encode_notification(cease(cease_subcode::kConnectionRejected), bytes);
  std::vector<rib::Packet> packets;
  packets.push_back(std::make_shared<const std::string>(std::move(bytes)));
  connection->write(std::move(packets));
  connection->close_gracefully();
}

}  // namespace margay::bgp
