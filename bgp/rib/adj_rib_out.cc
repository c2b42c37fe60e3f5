#include "bgp/rib/adj_rib_out.h"

#include <algorithm>

namespace margay::bgp::rib {
namespace {

constexpr Told kNothing;

bool is_same_path(const AdjRibOut::Entry& a, const AdjRibOut::Entry& b) {
  return a.told.source == b.told.source && a.source_path_id == b.source_path_id;
}

}  // namespace

void AdjRibOut::retain(const Told& told) {
  if (!told.exists()) return;
  tables_.attributes.retain(told.attributes);
  tables_.next_hops.retain(told.next_hop);
  count(told, 1);
}

void AdjRibOut::release(const Told& told) {
  if (!told.exists()) return;
  count(told, -1);
  tables_.attributes.release(told.attributes);
  tables_.next_hops.release(told.next_hop);
}

void AdjRibOut::count(const Told& told, int sign) {
  const auto step = static_cast<std::uint64_t>(sign);  // wraps as it should
  count_ += step;
  if (told.source != kLocalPeer) {
    if (by_source_.size() <= told.source) by_source_.resize(std::size_t{told.source} + 1);
    by_source_[told.source] += step;
  }
  if (!told.has_originator) return;
  const std::pair key(tables_.attributes[told.attributes].originator_id, told.source);
  const auto entry = by_originator_.try_emplace(key).first;
  entry->second += step;
  if (entry->second == 0) by_originator_.erase(entry);
}

std::uint64_t AdjRibOut::count_heard(PeerId peer) const {
  std::uint64_t count = count_;
  if (peer < by_source_.size()) count -= by_source_[peer];
  const std::uint32_t router_id = tables_.facts[peer].router_id.value();
  for (auto at = by_originator_.lower_bound({router_id, 0}); at != by_originator_.end(); ++at) {
    if (at->first.first != router_id) break;
    if (at->first.second != peer) count -= at->second;
  }
  return count;
}

const Told& AdjRibOut::told(PrefixId prefix) const { return prefix < told_.size() ? told_[prefix] : kNothing; }

void AdjRibOut::set_told(PrefixId prefix, const Told& told) {
  told_.reach(prefix);
  retain(told);
  const Told before = told_[prefix];
  told_[prefix] = told;
  if (told.exists() && !before.exists()) tables_.prefixes[family_].hold(prefix);
  release(before);
  if (!told.exists() && before.exists()) tables_.prefixes[family_].unhold(prefix);
}

void AdjRibOut::get(PrefixId prefix, std::vector<Entry>& out) const {
  out.clear();
  if (!has_path_ids_) {
    if (told(prefix).exists()) out.push_back({told(prefix)});
    return;
  }
  if (prefix >= chains_.size()) return;
  for (std::uint32_t at = chains_[prefix].first; at != kNoId; at = nodes_[at].next) out.push_back(nodes_[at].entry);
}

void AdjRibOut::set(PrefixId prefix, const std::vector<Entry>& entries) {
  if (!has_path_ids_) {
    set_told(prefix, entries.empty() ? kNothing : entries.front().told);
    return;
  }
  chains_.reach(prefix);
  for (const Entry& entry : entries) retain(entry.told);
  const std::uint32_t before = chains_[prefix].first;
  std::uint32_t first = kNoId;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) first = nodes_.add({*entry, first});
  chains_[prefix].first = first;
  if (first != kNoId && before == kNoId) tables_.prefixes[family_].hold(prefix);
  for (std::uint32_t at = before; at != kNoId;) {
    const Node node = nodes_[at];
    release(node.entry.told);
    nodes_.remove(at);
    at = node.next;
  }
  if (first == kNoId && before != kNoId) tables_.prefixes[family_].unhold(prefix);
}

void AdjRibOut::assign(const std::vector<Entry>& present, std::vector<Entry>& wanted) {
  for (Entry& entry : wanted) {
    const auto same =
        std::find_if(present.begin(), present.end(), [&](const Entry& other) { return is_same_path(entry, other); });
    entry.path_id = same != present.end() ? same->path_id : 0;
  }
  const auto is_taken = [&](std::uint32_t id) {
    return std::any_of(wanted.begin(), wanted.end(), [id](const Entry& entry) { return entry.path_id == id; });
  };
  std::uint32_t id = 1;
  for (Entry& entry : wanted) {
    if (entry.path_id != 0) continue;
    while (is_taken(id)) ++id;
    entry.path_id = id;
  }
  std::sort(wanted.begin(), wanted.end(), [](const Entry& a, const Entry& b) { return a.path_id < b.path_id; });
}

void AdjRibOut::clear() {
  std::vector<Entry> none;
  std::vector<Entry> present;
  for (PrefixId prefix = 0; prefix < limit(); ++prefix) {
    get(prefix, present);
    if (!present.empty()) set(prefix, none);
  }
  told_.clear();
  chains_.clear();
}

}  // namespace margay::bgp::rib
