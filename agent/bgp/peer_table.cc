#include "agent/bgp/peer_table.h"

#include "base/core/text.h"
#include "bgp/speaker/config_change.h"

namespace margay::agent {
namespace {

bool is_written_for_address(const PeerRank& rank) { return rank.level <= PeerRank::Level::kGlobal; }

void merge(Problems& to, const Problems& from) {
  for (const auto& [object, errors] : from) {
    for (const FieldError& error : errors) add_problem(to, object, error);
  }
}

}  // namespace

void PeerTable::replace(const std::string& source, PeerMaker::Out out) {
  const auto before = asked_.find(source);
  if (before != asked_.end()) {
    for (const auto& [key, rank] : before->second) {
      const auto found = candidates_.find(key);
      if (found == candidates_.end()) continue;
      found->second.erase(rank);
      if (found->second.empty()) candidates_.erase(found);
      dirty_.insert(key);
    }
    asked_.erase(before);
  }
  problems_.erase(source);
  if (!out.problems.empty()) problems_[source] = std::move(out.problems);
  if (out.candidates.empty()) return;
  Keys& keys = asked_[source];
  for (PeerCandidate& candidate : out.candidates) {
    dirty_.insert(candidate.key);
    keys.emplace_back(candidate.key, candidate.rank);
    candidates_[candidate.key].insert_or_assign(candidate.rank, std::move(candidate));
  }
}

void PeerTable::flush(BgpDesired& desired, BgpDelta& delta) {
  std::set<IpAddress> addresses;
  for (const bgp::PeerKey& key : std::exchange(dirty_, {})) {
    choose(key, desired, delta);
    note_duplicates(key);
    addresses.insert(key.address);
  }
  for (const IpAddress& address : addresses) choose_route(address, desired, delta);
}

void PeerTable::choose(const bgp::PeerKey& key, BgpDesired& desired, BgpDelta& delta) {
  const auto found = candidates_.find(key);
  const auto before = desired.config.peers.find(key);
  if (found == candidates_.end()) {
    delta.origins_changed |= desired.origins.erase(key) > 0;
    if (before == desired.config.peers.end()) return;
    desired.config.peers.erase(before);
    delta.speaker.peers[key] = std::nullopt;
    return;
  }
  const PeerCandidate& chosen = found->second.begin()->second;
  PeerOrigin& origin = desired.origins[key];
  if (origin != chosen.origin || before == desired.config.peers.end()) {
    origin = chosen.origin;
    delta.origins_changed = true;
  }
  if (before != desired.config.peers.end()) {
    if (!bgp::compare(before->second, chosen.settings).any()) return;
    before->second = chosen.settings;
  } else {
    desired.config.peers.emplace(key, chosen.settings);
  }
  delta.speaker.peers[key] = chosen.settings;
}

void PeerTable::note_duplicates(const bgp::PeerKey& key) {
  duplicates_.erase(key);
  const auto found = candidates_.find(key);
  if (found == candidates_.end()) return;
  const auto& [first, chosen] = *found->second.begin();
  for (const auto& [rank, candidate] : found->second) {
    if (!is_written_for_address(rank) || rank.object == first.object) continue;
    add_problem(duplicates_[key], {model::Kind::kBgpPeer, "", rank.object},
                {FieldError::Kind::kDuplicate, "spec.peerIP",
                 concat(bgp::to_string(key), " is the address of BGPPeer ", first.object, " too, which is used")});
  }
}

void PeerTable::choose_route(const IpAddress& address, BgpDesired& desired, BgpDelta& delta) const {
  std::optional<IpAddress> gateway;
  for (auto at = candidates_.lower_bound({address, 0}); at != candidates_.end() && at->first.address == address; ++at) {
    const PeerCandidate& chosen = at->second.begin()->second;
    if (!gateway) gateway = chosen.reachable_by;
  }
  const IpPrefix prefix = IpPrefix::host(address);
  const auto before = desired.peer_routes.find(prefix);
  if (before == desired.peer_routes.end() ? !gateway : before->second == gateway) return;
  delta.peer_routes_changed = true;
  if (gateway) {
    desired.peer_routes.insert_or_assign(prefix, *gateway);
  } else {
    desired.peer_routes.erase(prefix);
  }
}

void PeerTable::add_problems(Problems& to) const {
  for (const auto& [source, problems] : problems_) merge(to, problems);
  for (const auto& [key, problems] : duplicates_) merge(to, problems);
}

}  // namespace margay::agent
