// UpdateGroup: peers that are told the same. One export, one Adj-RIB-Out, each UPDATE encoded once.
//
//   mark() ─▶ pending ─flush()▶ export ▶ compare with Adj-RIB-Out ▶ packets for the members
//                                              │
//                                              ├─ dump() ▶ packets for those who join, or ask again
//                                              └─ tell_difference() ▶ packets for those who come from another group
//
// Members are those who have been told all that is in Adj-RIB-Out; who joins is dumped to first. Changes to a prefix
// coalesce while it is pending. A member that does not read lags behind until it has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "bgp/rib/adj_rib_out.h"
#include "bgp/rib/export_policy.h"
#include "bgp/rib/laggard.h"
#include "bgp/rib/listeners.h"
#include "bgp/rib/loc_rib.h"
#include "bgp/rib/packer.h"
#include "bgp/rib/tables.h"

namespace margay::bgp::rib {

struct RibParts {
  Tables& tables;
  ExportMemo& memo;
  LocRib& loc_rib;
  Packer& packer;
};

class UpdateGroup {
 public:
  // To all of `peers` that belong to the audience.
  using Deliver = std::function<void(std::span<const PeerId> peers, const Audience& audience, const Packet& packet,
                                     std::size_t updates)>;

  // Everything is pending at first.
  UpdateGroup(RibParts parts, ExportKey key);
  ~UpdateGroup();
  UpdateGroup(const UpdateGroup&) = delete;
  UpdateGroup& operator=(const UpdateGroup&) = delete;

  [[nodiscard]] const ExportKey& key() const { return policy_.key(); }

  void add_member(PeerId peer) { members_.add(peer); }
  void remove_member(PeerId peer);
  // Those who do not lag.
  [[nodiscard]] const std::vector<PeerId>& members() const { return members_.peers(); }
  // From now on the member hears nothing, until end_lag() tells it at once what has changed meanwhile.
  void begin_lag(PeerId peer);
  void end_lag(PeerId peer, const Deliver& deliver);
  [[nodiscard]] bool has_laggards() const { return !laggards_.empty(); }

  void mark(Family family, PrefixId prefix);
  void mark_all();
  [[nodiscard]] bool has_pending() const;
  // Works off at most `steps` pending prefixes of each family. The number done.
  std::size_t flush(std::size_t steps, const Deliver& deliver);

  // All that `peers` hear; nothing must be pending. The peers are of one mind: none of them, or all, has been told.
  void dump(Family family, const Listeners& peers, const Deliver& deliver);
  // What `peers`, who know what `from` has told, must hear to be members here. Nothing must be pending in either.
  void tell_difference(Family family, const UpdateGroup& from, const Listeners& peers, const Deliver& deliver);

  // visit(entry) for what the peer was told of the prefix, ordered by path_id.
  template <class Visit>
  void visit_told(Family family, PeerId peer, PrefixId prefix, const Visit& visit) const {
    const AdjRibOut& out = out_of(family);
    if (prefix >= out.limit()) return;
    std::vector<AdjRibOut::Entry> entries;
    out.get(prefix, entries);
    for (const AdjRibOut::Entry& entry : entries) {
      if (hears(tables_, peer, entry.told)) visit(entry);
    }
  }
  // How much that is, at no cost.
  [[nodiscard]] std::uint64_t count_told(Family family, PeerId peer) const { return out_of(family).count_heard(peer); }
  // Why a path is told to the group or not; for people.
  ExportResult explain(Family family, PrefixId prefix, const Path& path);
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct PerFamilyState {
    std::unique_ptr<AdjRibOut> out;
    std::vector<PrefixId> pending;  // those before `done` have been worked off
    std::size_t done = 0;
    std::vector<bool> is_pending;
  };
  [[nodiscard]] const AdjRibOut& out_of(Family family) const { return *state_[family].out; }
  std::size_t flush_family(Family family, std::size_t steps, const Deliver& deliver);
  [[nodiscard]] Told told_of(const ExportResult& result, const Path& path) const;
  void work_off(Family family, PrefixId prefix);
  void work_off_paths(Family family, PrefixId prefix);
  void note(Family family, PrefixId prefix, std::span<const AdjRibOut::Entry> known);
  void tell_paths(const Listeners& peers, PrefixId prefix, std::span<const AdjRibOut::Entry> before,
                  std::span<const AdjRibOut::Entry> now);
  void send(Family family, const Listeners& peers, const Deliver& deliver);

  Tables& tables_;
  LocRib& loc_rib_;
  Packer& packer_;
  ExportPolicy policy_;
  PerFamily<PerFamilyState> state_;
  Listeners members_;
  std::vector<std::unique_ptr<Laggard>> laggards_;
  std::vector<AdjRibOut::Entry> before_, now_;  // scratch
};

}  // namespace margay::bgp::rib
