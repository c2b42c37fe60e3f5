// PeerTable: all candidates for peers, by what asked for them, and the one of each address that is used. Pure; costs
// what changed.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/bgp/bgp_calculation.h"
#include "agent/bgp/peer_maker.h"

namespace margay::agent {

class PeerTable {
 public:
  // Everything that `source` asks for now; replaces what it asked for before.
  void replace(const std::string& source, PeerMaker::Out out);

  // Brings `desired` up to date and says in `delta` what changed.
  void flush(BgpDesired& desired, BgpDelta& delta);

  void add_problems(Problems& to) const;

 private:
  using Keys = std::vector<std::pair<bgp::PeerKey, PeerRank>>;
  using Candidates = std::map<bgp::PeerKey, std::map<PeerRank, PeerCandidate>>;

  void choose(const bgp::PeerKey& key, BgpDesired& desired, BgpDelta& delta);
  void note_duplicates(const bgp::PeerKey& key);
  void choose_route(const IpAddress& address, BgpDesired& desired, BgpDelta& delta) const;

  Candidates candidates_;
  // By source; none that asked for nothing.
  std::map<std::string, Keys> asked_;
  std::map<std::string, Problems> problems_;
  std::set<bgp::PeerKey> dirty_;
  std::map<bgp::PeerKey, Problems> duplicates_;
};

}  // namespace margay::agent
