// Rib::Impl: the parts of the RIB and how they work together.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "bgp/rib/adj_rib_in.h"
#include "bgp/rib/dirty_list.h"
#include "bgp/rib/kernel_routes.h"
#include "bgp/rib/loc_rib.h"
#include "bgp/rib/outbound.h"
#include "bgp/rib/rib.h"

namespace margay::bgp::rib {

class Rib::Impl {
 public:
  using Visit = std::function<void(const RouteView&)>;

  Impl(RibConfig config, Events events);

  void add_peer(PeerId peer, PeerPolicy policy);
  void remove_peer(PeerId peer);
  void set_policy(PeerId peer, PeerPolicy policy);
  void set_config(RibConfig config);
  void session_up(PeerId peer, const PeerSession& session);
  void session_down(PeerId peer, bool keep_stale);
  void begin_long_lived(PeerId peer, Family family) { in_.begin_long_lived(peer, family); }
  void drop_stale(PeerId peer, Family family) { in_.drop_stale(peer, family); }
  void receive(PeerId peer, const Update& update);
  void receive(PeerId peer, const RouteRefresh& refresh);
  void defer_end_of_rib(bool deferred);
  void set_local_routes(const std::vector<LocalRoute>& routes) { in_.set_local(routes); }
  bool run(std::size_t steps);
  void tell_routes_again();
  std::vector<Packet> take(PeerId peer, std::size_t bytes_max);
  [[nodiscard]] bool has_output(PeerId peer) const { return out_.has_output(peer); }

  [[nodiscard]] PeerCounts counts(PeerId peer) const;
  void visit_routes(const Visit& visit);
  void visit_received(PeerId peer, const Visit& visit);
  void visit_sent(PeerId peer, const Visit& visit);
  std::unique_ptr<RouteWalk> walk(RouteList list, PeerId peer);
  std::vector<RouteView> explain(const IpPrefix& prefix);
  [[nodiscard]] std::size_t memory_bytes() const {
    return tables_.memory_bytes() + in_.memory_bytes() + out_.memory_bytes();
  }

 private:
  struct Peer {
    PeerPolicy policy;
    std::optional<PeerSession> session;  // also of the last one, while its stale routes are judged by it
    bool is_up = false;
    bool is_over_limit = false;    // said so
    bool is_ignored_said = false;  // that paths of it were ignored
    PerFamily<bool> is_warned;
  };
  // References into these stay valid only until the next add_peer().
  [[nodiscard]] Peer* known(PeerId peer);
  void apply_import(PeerId peer);
  void receive_routes(PeerId peer, const Update& update);
  void check_limits(PeerId peer);
  void check_limit(PeerId peer, Family family);
  void tell_owner();
  class Walk;
  void add_views(Family family, PrefixId prefix, const Visit& visit);
  void add_received(PeerId peer, Family family, PrefixId prefix, const Visit& visit);
  void add_sent(PeerId peer, Family family, PrefixId prefix, const Visit& visit);
  [[nodiscard]] RouteView view(Family family, PrefixId prefix, const Path& path) const;
  void explain_rejection(Family family, PrefixId prefix, const Path& path, RouteView& view);

  RibConfig config_;
  Events events_;
  std::vector<Peer> peers_;
  Tables tables_;
  DirtyList dirty_{tables_};
  AdjRibIn in_{tables_, dirty_};
  LocRib loc_{tables_, config_};
  KernelRoutes kernel_{tables_};
  ExportMemo memo_{tables_};
  Packer packer_{tables_};
  Outbound out_{RibParts{tables_, memo_, loc_, packer_}, config_.queue_bytes};
};

}  // namespace margay::bgp::rib
