// AdjRibIn: what each peer has told us, as it was told and as import made it. Changes mark prefixes dirty.
//
// Besides routes that come and go: those that stay when a session has gone (RFC 4724), that get old (RFC 9494), and
// those that a refresh must name again (RFC 7313).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "bgp/rib/dirty_list.h"
#include "bgp/rib/import_policy.h"
#include "bgp/rib/peer_prefixes.h"
#include "bgp/rib/tables.h"
#include "bgp/wire/message.h"

namespace margay::bgp::rib {

struct InCounts {
  PerFamily<std::uint64_t> received, accepted;  // prefixes: all, and those with a usable path
  PerFamily<std::uint64_t> paths, stale;
  PerFamily<std::uint64_t> ignored;  // announcements of paths that are too many of one prefix
};

class AdjRibIn {
 public:
  AdjRibIn(Tables& tables, DirtyList& dirty) : tables_(tables), dirty_(dirty) {}
  ~AdjRibIn();
  AdjRibIn(const AdjRibIn&) = delete;
  AdjRibIn& operator=(const AdjRibIn&) = delete;

  void add_peer(PeerId peer);
  // What is there is judged again.
  void set_policy(PeerId peer, ImportPolicy policy);
  [[nodiscard]] const ImportPolicy& policy(PeerId peer) const { return peers_[peer].policy; }
  [[nodiscard]] const InCounts& counts(PeerId peer) const { return peers_[peer].counts; }

  void receive(PeerId peer, const Update& update);
  void begin_refresh(PeerId peer, Family family);
  void end_refresh(PeerId peer, Family family);

  // All of the family go.
  void drop(PeerId peer, Family family);
  // What is stale already goes, unless it is there for long: RFC 4724 §4.2, of consecutive restarts.
  void mark_stale(PeerId peer, Family family);
  void begin_long_lived(PeerId peer, Family family);
  void drop_stale(PeerId peer, Family family);
  // All prefixes that the peer tells of are to be exported again.
  void touch(PeerId peer);

  // Replaces our own routes.
  void set_local(const std::vector<LocalRoute>& routes);

  // Of what receive() ignored last.
  [[nodiscard]] const IpPrefix& last_ignored() const { return last_ignored_; }
  [[nodiscard]] std::size_t memory_bytes() const;
  // Prefixes looked at so far for what concerns all that a peer has told.
  [[nodiscard]] std::uint64_t prefixes_walked() const { return prefixes_walked_; }

 private:
  struct PeerIn {
    ImportPolicy policy;
    InCounts counts;
    PerFamily<PeerPrefixes> prefixes;
    PerFamily<bool> has_path_ids;           // a prefix may have several paths
    AttributeId recent_attributes = kNoId;  // of the last UPDATE; a reference
    NextHopId recent_next_hop = kNoId;      // likewise
  };
  // What an UPDATE says of its destinations.
  struct Arrival {
    PeerId peer = kNoPeer;
    Family family = Family::kIpv4Unicast;
    AttributeId received = kNoId;
    NextHopId next_hop = kNoId;
  };

  void receive_family(PeerId peer, Family family, const Update& update);
  void put(const Arrival& arrival, const Nlri& nlri, const ImportResult& result);
  void replace(const Arrival& arrival, PrefixId prefix, PathId id, const ImportResult& result);
  void withdraw(PeerId peer, Family family, const Nlri& nlri);
  struct Found {
    PathId path = kNoId;
    std::size_t others = 0;  // paths of the same peer that were passed on the way: all of them if it was not found
  };
  [[nodiscard]] Found find(Family family, PrefixId prefix, PeerId peer, std::uint32_t path_id) const;
  void add(const Arrival& arrival, PrefixId prefix, const Nlri& nlri, const ImportResult& result);
  void remove(Family family, PrefixId prefix, PathId id);
  void judge(Family family, PrefixId prefix, PathId id);
  void add_stale_community(PathId id);
  // `id`: its place, kNoId while it is in no chain.
  void count(Family family, PrefixId prefix, PathId id, const Path& path, int sign);
  [[nodiscard]] bool has_other_path(Family family, PrefixId prefix, PathId id, PeerId peer, bool must_be_usable) const;
  void forget_recent(PeerIn& peer);
  void put_local(const LocalRoute& route);
  AttributeId local_attributes(const LocalRoute& route);
  std::uint32_t interface_place(std::string_view name);
  // visit(prefix, path) for all of the peer's paths; it may remove them, but add none.
  template <class Visit>
  void for_each(PeerId peer, Family family, const Visit& visit);

  Tables& tables_;
  DirtyList& dirty_;
  std::vector<PeerIn> peers_;
  std::vector<LocalRoute> local_;
  IpPrefix last_ignored_;
  std::uint64_t prefixes_walked_ = 0;
};

}  // namespace margay::bgp::rib
