// For the tests of this folder: peers that hold a table made of the packets they were sent, and short ways to write
// attributes, routes and sessions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bgp/rib/rib.h"
#include "bgp/wire/decode.h"

namespace margay::bgp::rib {

inline constexpr Asn kOurAsn{64512};
inline constexpr Family kV4 = Family::kIpv4Unicast;

struct AttributeText {
  std::vector<std::uint32_t> path = {};
  std::optional<std::uint32_t> local_pref = {}, med = {};
  std::vector<std::uint32_t> communities = {};
  std::optional<std::uint32_t> originator = {};
  std::vector<std::uint32_t> clusters = {};  // nearest first
  Origin origin = Origin::kIgp;
};
std::string attributes_of(const AttributeText& text);
IpPrefix prefix_of(std::string_view text);
IpAddress address_of(std::string_view text);
Update announcement(const std::vector<Nlri>& nlri, const std::string& attributes, const IpAddress& next_hop);
Update withdrawal(const std::vector<Nlri>& nlri);
Update end_of_rib(Family family);

enum class Kind : std::uint8_t { kExternal, kInternal, kClient };

struct PeerSpec {
  PeerId id = 0;
  Kind kind = Kind::kExternal;
  bool add_path_send = false;
  bool add_path_receive = false;
  bool enhanced_refresh = true;
  std::uint32_t send_paths_max = 1;
  bool is_reflecting = false;  // towards it we have a cluster ID
};
inline constexpr PeerSpec kExternal0{.id = 0, .kind = Kind::kExternal};
inline constexpr PeerSpec kExternal1{.id = 1, .kind = Kind::kExternal};
// 10.0.0.<id + 1>, its router ID likewise; external ones have AS 65000 + id.
PeerSession session_of(const PeerSpec& spec);
PeerPolicy policy_of(const PeerSpec& spec);

// What a peer knows by what it was sent.
class PeerTable {
 public:
  using Key = std::pair<IpPrefix, std::uint32_t>;
  struct Route {
    std::string attributes;
    NextHop next_hop;
    friend bool operator==(const Route&, const Route&) = default;
  };

  explicit PeerTable(const PeerSpec& spec);
  // Reads messages; a wrong one, or the withdrawal of what it was not told, is a problem.
  void read(const std::string& packet, std::vector<std::string>& problems);

  std::map<Key, Route> routes;
  std::size_t updates = 0;  // End-of-RIB not among them
  std::size_t end_of_ribs = 0;
  std::size_t needless = 0;        // announcements of what it knew already
  std::vector<RefreshKind> marks;  // BoRR, EoRR

 private:
  void read_update(bytes::View message, std::vector<std::string>& problems);
  void read_refresh(bytes::View message, std::vector<std::string>& problems);

  DecodeContext context_;
};

// A RIB with peers, each with its table.
class World {
 public:
  explicit World(RibConfig config = default_config());
  static RibConfig default_config();

  void add(const PeerSpec& spec);
  void up(PeerId peer);
  void down(PeerId peer, bool keep_stale = false);
  // Until nothing is left, with everything read by the peers.
  void settle();
  void read(PeerId peer);
  void read(PeerId peer, const Packet& packet) { tables_.at(peer).read(*packet, problems); }

  Rib& rib() { return rib_; }
  PeerTable& table(PeerId peer) { return tables_.at(peer); }
  [[nodiscard]] std::map<IpPrefix, BestRoute>& kernel() { return kernel_; }
  std::size_t route_changes = 0;
  std::vector<std::pair<PeerId, Notification>> overruns;
  std::vector<std::uint64_t> warnings;
  std::vector<std::pair<PeerId, IpPrefix>> ignored;
  std::vector<PeerId> outputs;
  std::vector<std::string> problems;  // what no test may see

 private:
  std::map<PeerId, PeerSpec> specs_;
  std::map<PeerId, PeerTable> tables_;
  std::map<IpPrefix, BestRoute> kernel_;
  Rib rib_;
};

}  // namespace margay::bgp::rib
