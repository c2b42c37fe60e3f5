#include "bgp/rib/update_group.h"

#include <algorithm>
#include <utility>

namespace margay::bgp::rib {
namespace {

constexpr std::size_t kKeptPending = 4096;

bool is_equal(std::span<const AdjRibOut::Entry> a, std::span<const AdjRibOut::Entry> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.told == other.told && one.path_id == other.path_id;
  });
}

}  // namespace

UpdateGroup::UpdateGroup(RibParts parts, ExportKey key)
    : tables_(parts.tables),
      loc_rib_(parts.loc_rib),
      packer_(parts.packer),
      policy_(parts.tables, parts.memo, std::move(key)),
      members_(parts.tables) {
  for (const Family family : kFamilies) {
    const bool has_path_ids = policy_.key().encode.add_path[family];
    state_[family].out = std::make_unique<AdjRibOut>(tables_, family, has_path_ids);
  }
  mark_all();
}

UpdateGroup::~UpdateGroup() {
  for (const Family family : kFamilies) {
    PerFamilyState& state = state_[family];
    for (std::size_t at = state.done; at < state.pending.size(); ++at) {
      tables_.prefixes[family].unhold(state.pending[at]);
    }
  }
}

void UpdateGroup::remove_member(PeerId peer) {
  members_.remove(peer);
  std::erase_if(laggards_, [peer](const auto& laggard) { return laggard->peer() == peer; });
}

void UpdateGroup::begin_lag(PeerId peer) {
  members_.remove(peer);
  laggards_.push_back(std::make_unique<Laggard>(tables_, peer));
}

void UpdateGroup::end_lag(PeerId peer, const Deliver& deliver) {
  const auto found =
      std::find_if(laggards_.begin(), laggards_.end(), [peer](const auto& laggard) { return laggard->peer() == peer; });
  const std::unique_ptr<Laggard> laggard = std::move(*found);
  laggards_.erase(found);
  Listeners one(tables_);
  one.add(peer);
  for (const Family family : kFamilies) {
    laggard->for_each(family, [&](PrefixId prefix, std::span<const AdjRibOut::Entry> known) {
      out_of(family).get(prefix, now_);
      tell_paths(one, prefix, known, now_);
    });
    send(family, one, deliver);
  }
  members_.add(peer);
}

void UpdateGroup::note(Family family, PrefixId prefix, std::span<const AdjRibOut::Entry> known) {
  for (const auto& laggard : laggards_) laggard->note(family, prefix, known);
}

void UpdateGroup::mark(Family family, PrefixId prefix) {
  if (!key().families[family]) return;
  PerFamilyState& state = state_[family];
  if (state.is_pending.size() <= prefix) state.is_pending.resize(std::size_t{prefix} * 5 / 4 + 64);
  if (state.is_pending[prefix]) return;
  state.is_pending[prefix] = true;
  state.pending.push_back(prefix);
  tables_.prefixes[family].hold(prefix);
}

void UpdateGroup::mark_all() {
  for (const Family family : kFamilies) {
    const PrefixTable& prefixes = tables_.prefixes[family];
    for (PrefixId prefix = 0; prefix < prefixes.limit(); ++prefix) {
      if (prefixes[prefix].is_used) mark(family, prefix);
    }
  }
}

bool UpdateGroup::has_pending() const {
  return std::any_of(kFamilies.begin(), kFamilies.end(),
                     [this](Family family) { return !state_[family].pending.empty(); });
}

std::size_t UpdateGroup::flush(std::size_t steps, const Deliver& deliver) {
  std::size_t count = 0;
  for (const Family family : kFamilies) count += flush_family(family, steps, deliver);
  policy_.forget();
  return count;
}

std::size_t UpdateGroup::flush_family(Family family, std::size_t steps, const Deliver& deliver) {
  PerFamilyState& state = state_[family];
  const std::size_t begin = state.done;
  const std::size_t end = begin + std::min(steps, state.pending.size() - begin);
  for (; state.done < end; ++state.done) {
    const PrefixId prefix = state.pending[state.done];
    state.is_pending[prefix] = false;
    // What waits to be decided comes again.
    if (!tables_.prefixes[family][prefix].is_dirty) work_off(family, prefix);
  }
  send(family, members_, deliver);
  // Only now may a prefix be forgotten that was withdrawn.
  for (std::size_t at = begin; at < end; ++at) tables_.prefixes[family].unhold(state.pending[at]);
  if (end == state.pending.size()) {
    state.done = 0;
    state.pending.clear();
    if (state.pending.capacity() > kKeptPending) std::vector<PrefixId>().swap(state.pending);
  }
  return end - begin;
}

Told UpdateGroup::told_of(const ExportResult& result, const Path& path) const {
  const bool has_originator = tables_.attributes[result.attributes].has(AttributeRecord::kHasOriginator);
  return {result.attributes, result.next_hop, path.peer, has_originator};
}

void UpdateGroup::work_off(Family family, PrefixId prefix) {
  AdjRibOut& out = *state_[family].out;
  if (out.has_path_ids()) {
    work_off_paths(family, prefix);
    return;
  }
  Told now;
  if (const Path* best = tables_.best(tables_.prefixes[family][prefix])) {
    const ExportResult result = policy_.evaluate(family, prefix, *best);
    if (result.attributes != kNoId) now = told_of(result, *best);
  }
  const Told& before = out.told(prefix);
  if (before == now) return;
  if (has_laggards()) {
    const AdjRibOut::Entry known{before};
    note(family, prefix, std::span(&known, before.exists() ? 1 : 0));
  }
  members_.tell(packer_, before, now, {prefix, 0});
  out.set_told(prefix, now);
}

void UpdateGroup::work_off_paths(Family family, PrefixId prefix) {
  AdjRibOut& out = *state_[family].out;
  now_.clear();
  for (const PathId id : loc_rib_.ranked(family, prefix, key().send_paths_max)) {
    const Path& path = tables_.paths[id];
    const ExportResult result = policy_.evaluate(family, prefix, path);
    if (result.attributes == kNoId) continue;
    now_.push_back({told_of(result, path), path.path_id, 0});
    // The memo may drop them at the next question.
    tables_.attributes.retain(result.attributes);
    tables_.next_hops.retain(result.next_hop);
  }
  out.get(prefix, before_);
  AdjRibOut::assign(before_, now_);
  if (has_laggards() && !is_equal(before_, now_)) note(family, prefix, before_);
  tell_paths(members_, prefix, before_, now_);
  out.set(prefix, now_);
  for (const AdjRibOut::Entry& entry : now_) {
    tables_.attributes.release(entry.told.attributes);
    tables_.next_hops.release(entry.told.next_hop);
  }
}

// Both are ordered by path_id.
void UpdateGroup::tell_paths(const Listeners& peers, PrefixId prefix, std::span<const AdjRibOut::Entry> before,
                             std::span<const AdjRibOut::Entry> now) {
  auto old = before.begin();
  auto fresh = now.begin();
  while (old != before.end() || fresh != now.end()) {
    const bool takes_old = fresh == now.end() || (old != before.end() && old->path_id <= fresh->path_id);
    const bool takes_fresh = old == before.end() || (fresh != now.end() && fresh->path_id <= old->path_id);
    const std::uint32_t path_id = takes_old ? old->path_id : fresh->path_id;
    peers.tell(packer_, takes_old ? old->told : Told{}, takes_fresh ? fresh->told : Told{}, {prefix, path_id});
    if (takes_old) ++old;
    if (takes_fresh) ++fresh;
  }
}

void UpdateGroup::send(Family family, const Listeners& peers, const Deliver& deliver) {
  if (packer_.empty()) return;
  packer_.flush(family, key().encode, [&](const Audience& audience, const Packet& packet, std::size_t updates) {
    deliver(peers.peers(), audience, packet, updates);
  });
}

void UpdateGroup::dump(Family family, const Listeners& peers, const Deliver& deliver) {
  before_.clear();
  const AdjRibOut& out = out_of(family);
  for (PrefixId prefix = 0; prefix < out.limit(); ++prefix) {
    out.get(prefix, now_);
    if (!now_.empty()) tell_paths(peers, prefix, before_, now_);
  }
  send(family, peers, deliver);
}

void UpdateGroup::tell_difference(Family family, const UpdateGroup& from, const Listeners& peers,
                                  const Deliver& deliver) {
  const AdjRibOut &old = from.out_of(family), &fresh = out_of(family);
  for (PrefixId prefix = 0; prefix < std::max(old.limit(), fresh.limit()); ++prefix) {
    old.get(prefix, before_);
    fresh.get(prefix, now_);
    tell_paths(peers, prefix, before_, now_);
  }
  send(family, peers, deliver);
}

ExportResult UpdateGroup::explain(Family family, PrefixId prefix, const Path& path) {
  ExportResult result = policy_.evaluate(family, prefix, path);
  policy_.forget();
  return result;
}

std::size_t UpdateGroup::memory_bytes() const {
  std::size_t bytes = 0;
  for (const Family family : kFamilies) {
    const PerFamilyState& state = state_[family];
    bytes += state.out->memory_bytes() + state.pending.capacity() * sizeof(PrefixId) + state.is_pending.size() / 8;
  }
  for (const auto& laggard : laggards_) bytes += laggard->memory_bytes();
  return bytes;
}

}  // namespace margay::bgp::rib
