// PeerPrefixes: the prefixes of one family that one peer has paths of, so that what concerns all of them costs no more
// than there are. Four bytes each. A prefix that the peer takes back stays in the list until there are as many of those
// as of the others, or somebody asks for the list; until then its number may stand for another prefix.
#pragma once

#include <cstddef>
#include <vector>

#include "bgp/rib/tables.h"

namespace margay::bgp::rib {

class PeerPrefixes {
 public:
  // The peer, which has no path of this prefix, gets one.
  void add(Tables& tables, Family family, PeerId peer, PrefixId prefix);
  // A path of the peer has been taken out of the prefix's chain.
  void path_removed(const Tables& tables, Family family, PeerId peer, PrefixId prefix);
  // visit(prefix) for each of them, in no order; it may remove paths, but add none.
  template <class Visit>
  void for_each(Tables& tables, Family family, PeerId peer, const Visit& visit) {
    tidy(tables, family, peer);
    std::vector<PrefixId> ids;
    ids.swap(ids_);
    for (const PrefixId prefix : ids) visit(prefix);
    if (count_ > 0) ids_.swap(ids);
  }
  // That the peer has paths of.
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t memory_bytes() const { return ids_.capacity() * sizeof(PrefixId); }

 private:
  void tidy(Tables& tables, Family family, PeerId peer);

  std::vector<PrefixId> ids_;
  std::size_t count_ = 0;
};

}  // namespace margay::bgp::rib
