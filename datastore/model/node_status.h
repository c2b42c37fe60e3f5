// CalicoNodeStatus (projectcalico.org/v3): a request for a node's agent to write its state into the object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "datastore/model/meta.h"

namespace margay::model {

enum class NodeStatusClass { kAgent, kBgp, kRoutes };
template <>
struct EnumText<NodeStatusClass> {
  static constexpr std::string_view kWords[] = {"Agent", "BGP", "Routes"};
};

struct NodeStatusSpec {
  std::string node;
  std::vector<NodeStatusClass> classes;
  std::optional<std::int64_t> update_period_seconds;  // 0: once

  friend bool operator==(const NodeStatusSpec&, const NodeStatusSpec&) = default;
};

enum class BgpDaemonState { kReady, kNotReady };
template <>
struct EnumText<BgpDaemonState> {
  static constexpr std::string_view kWords[] = {"Ready", "NotReady"};
};

// The speaker for one family; the field names are of a time when there was a daemon for each.
struct BgpDaemonStatus {
  std::optional<BgpDaemonState> state;
  std::string version;
  std::string router_id;
  std::string last_boot_time;
  std::string last_reconfiguration_time;

  friend bool operator==(const BgpDaemonStatus&, const BgpDaemonStatus&) = default;
};

struct NodeAgentStatus {
  BgpDaemonStatus bird_v4;
  BgpDaemonStatus bird_v6;

  friend bool operator==(const NodeAgentStatus&, const NodeAgentStatus&) = default;
};

enum class NodePeerType { kNodeMesh, kNodePeer, kGlobalPeer };
template <>
struct EnumText<NodePeerType> {
  static constexpr std::string_view kWords[] = {"NodeMesh", "NodePeer", "GlobalPeer"};
};

enum class BgpSessionState { kIdle, kConnect, kActive, kOpenSent, kOpenConfirm, kEstablished, kClose };
template <>
struct EnumText<BgpSessionState> {
  static constexpr std::string_view kWords[] = {"Idle",        "Connect",     "Active", "OpenSent",
                                                "OpenConfirm", "Established", "Close"};
};

struct NodePeerStatus {
  std::string peer_ip;
  std::optional<NodePeerType> type;
  std::optional<BgpSessionState> state;
  std::string since;

  friend bool operator==(const NodePeerStatus&, const NodePeerStatus&) = default;
};

struct NodeBgpStatus {
  std::int32_t number_established_v4 = 0;
  std::int32_t number_not_established_v4 = 0;
  std::int32_t number_established_v6 = 0;
  std::int32_t number_not_established_v6 = 0;
  std::vector<NodePeerStatus> peers_v4;
  std::vector<NodePeerStatus> peers_v6;

  friend bool operator==(const NodeBgpStatus&, const NodeBgpStatus&) = default;
};

enum class RouteTableKind { kFib, kRib };
template <>
struct EnumText<RouteTableKind> {
  static constexpr std::string_view kWords[] = {"FIB", "RIB"};
};

enum class RouteSourceType { kKernel, kStatic, kDirect, kNodeMesh, kBgpPeer };
template <>
struct EnumText<RouteSourceType> {
  static constexpr std::string_view kWords[] = {"Kernel", "Static", "Direct", "NodeMesh", "BGPPeer"};
};

struct RouteLearnedFrom {
  std::optional<RouteSourceType> source_type;
  std::string peer_ip;

  friend bool operator==(const RouteLearnedFrom&, const RouteLearnedFrom&) = default;
};

struct NodeRoute {
  std::optional<RouteTableKind> type;
  std::string destination;
  std::string gateway;
  std::string interface;
  RouteLearnedFrom learned_from;

  friend bool operator==(const NodeRoute&, const NodeRoute&) = default;
};

struct NodeRoutesStatus {
  std::vector<NodeRoute> routes_v4;
  std::vector<NodeRoute> routes_v6;

  friend bool operator==(const NodeRoutesStatus&, const NodeRoutesStatus&) = default;
};

struct NodeStatusStatus {
  std::vector<Condition> conditions;
  std::optional<WallTime> last_updated;
  NodeAgentStatus agent;
  NodeBgpStatus bgp;
  NodeRoutesStatus routes;

  friend bool operator==(const NodeStatusStatus&, const NodeStatusStatus&) = default;
};

struct CalicoNodeStatus {
  static constexpr Kind kKind = Kind::kCalicoNodeStatus;

  ObjectMeta metadata;
  NodeStatusSpec spec;
  NodeStatusStatus status;

  friend bool operator==(const CalicoNodeStatus&, const CalicoNodeStatus&) = default;
};

}  // namespace margay::model
