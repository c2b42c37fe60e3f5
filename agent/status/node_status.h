// CalicoNodeStatus: writes this node's state into the objects that ask for it.
//
//   objects of our node, snapshots ─▶ fill ─▶ PATCH caliconodestatuses/NAME/status, every updatePeriodSeconds
//
// A class that is not asked for is empty. Both families are reported whether the other has peers or not; times are RFC
// 3339. Written when the object appears, when its spec changes and then each period (0: not again); jitter keeps the
// nodes of a cluster apart. Thread: the control loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/time.h"
#include "base/ip/address.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "datastore/kube/client.h"
#include "datastore/model/node_status.h"

namespace margay::status {

// What the node looks like now, taken when it is needed.
struct NodeSnapshot {
  struct Speaker {
    bool is_running = false;
    std::string version{};
    std::string router_id{};
    std::optional<WallTime> started{};
    std::optional<WallTime> configured{};
    std::string problem{};  // why the last configuration was not taken
  };
  struct Peer {
    IpAddress address;
    model::NodePeerType type = model::NodePeerType::kNodeMesh;
    model::BgpSessionState state = model::BgpSessionState::kIdle;
    std::optional<WallTime> since{};
    std::optional<std::uint32_t> asn{};
    std::uint64_t received = 0, accepted = 0, sent = 0;  // prefixes
    std::string problem{};                               // why there is no session
  };
  // A condition of the object, with class Agent.
  struct Aspect {
    std::string type;
    bool is_well = true;
    std::string reason;  // one CamelCase word
    std::string message{};
  };
  Speaker speaker{};
  std::vector<Peer> peers{};
  std::vector<model::NodeRoute> routes{};  // of both families
  std::vector<Aspect> aspects{};
};

// `before`: what stood there, whose conditions keep their times. Peers in order of address, routes of destination.
// Beside Calico's fields there are conditions: the snapshot's aspects (class Agent), and BGPReady, whose message has a
// line for each peer (datastore/model/peer_line.h; class BGP).
model::NodeStatusStatus fill(const model::NodeStatusSpec& spec, const NodeSnapshot& snapshot, WallTime now,
                             const model::NodeStatusStatus& before = {});

class NodeStatusReporter {
 public:
  struct Parts {
    loop::Loop& loop;
    Random& random;
    kube::Client& client;
    telemetry::Logger log{};
  };
  NodeStatusReporter(Parts parts, std::string node_name, std::function<NodeSnapshot()> snapshot);
  ~NodeStatusReporter();
  NodeStatusReporter(const NodeStatusReporter&) = delete;
  NodeStatusReporter& operator=(const NodeStatusReporter&) = delete;

  // As they are watched, those of other nodes as well; null: gone.
  void set_object(const std::string& name, std::shared_ptr<const model::CalicoNodeStatus> object);

 private:
  struct Entry;
  void report(const std::string& name);
  void on_answer(const std::string& name, const kube::ApiResult<json::Value>& answer);

  Parts parts_;
  std::string node_name_;
  std::function<NodeSnapshot()> snapshot_;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
};

}  // namespace margay::status
