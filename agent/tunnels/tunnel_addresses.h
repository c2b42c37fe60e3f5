// TunnelAddresses: the addresses of this node's tunnel devices: taken from pools, kept in the annotations of its Node
// object, given back when no pool wants them.
//
//   pools, our Node, what we hold ─▶ look() ─▶ assign, release (AddressSource); patch of annotations
//                                      ▲                  │ done
//                                      └──────────────────┘
// Level-based: it compares and does the next step of each kind, one at a time; a crash at any point leaves what the
// next life goes on from, as handles name kind and node (ipam::tunnel_handle). An address is released `linger` after
// the last pool that wants it has gone: other nodes hear of the pool later than we do (D-035).
// Thread: the control loop's. What it refers to outlives it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/task.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "cni/ipam/names.h"
#include "cni/ipam/requests.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/node_networking.h"

namespace margay::agent {

// This node's address management, as needed here.
class AddressSource {
 public:
  virtual ~AddressSource() = default;
  // What is held is known.
  [[nodiscard]] virtual bool is_ready() const = 0;
  [[nodiscard]] virtual std::vector<IpAddress> held(const std::string& handle) const = 0;
  virtual void assign(ipam::Holder holder, ipam::Demand demand, Callback<void(ipam::Got)> done) = 0;
  virtual void release(const std::string& handle, Callback<void(Status)> done) = 0;
  [[nodiscard]] virtual std::vector<const model::IpPool*> pools() const = 0;
};

class TunnelAddresses {
 public:
  struct Parts {
    loop::Loop& loop;
    AddressSource& source;
    std::string node;
    // A merge patch of our Node object.
    std::function<void(std::string patch, Callback<void(Status)> done)> patch_node;
    telemetry::Logger log{};
    // Whether packets of that tunnel can be taken: only then others are told.
    std::function<bool(ipam::TunnelKind)> is_there = [](ipam::TunnelKind) { return true; };
    Duration linger = std::chrono::minutes(5);
  };
  explicit TunnelAddresses(Parts parts);
  ~TunnelAddresses();
  TunnelAddresses(const TunnelAddresses&) = delete;
  TunnelAddresses& operator=(const TunnelAddresses&) = delete;

  // As watched; null: gone.
  void set_node(std::shared_ptr<const model::Node> node);
  // Pools, settings or addresses may be others than before.
  void look();

  // What stands in the way, by kind ("ipip-tunnel-addr-node-1"); empty: nothing.
  [[nodiscard]] const std::map<std::string, std::string>& problems() const { return problems_; }

 private:
  struct State {
    bool is_busy = false;
    std::optional<TimePoint> unwanted_since;
    std::optional<IpAddress> refused;  // was not to be had again
    std::optional<TimePoint> try_again_at;
    Duration backoff = std::chrono::seconds(1);
  };

  [[nodiscard]] bool is_used(ipam::TunnelKind kind) const;
  bool must_wait(const State& state);
  [[nodiscard]] std::vector<ipam::PoolRange> pools_for(ipam::TunnelKind kind) const;
  // The address the annotation should have; nullopt: none.
  std::optional<IpAddress> decide(ipam::TunnelKind kind, const std::optional<IpAddress>& noted);
  std::optional<IpAddress> decide_unwanted(ipam::TunnelKind kind, State& state, const std::optional<IpAddress>& noted);
  void assign(ipam::TunnelKind kind, std::vector<ipam::PoolRange> pools, const std::optional<IpAddress>& noted);
  void release(ipam::TunnelKind kind);
  void fail(ipam::TunnelKind kind, const std::string& message);
  void succeed(ipam::TunnelKind kind);
  void send_patch(const model::NodeNetworking& wanted);
  void look_at(TimePoint when);

  Parts parts_;
  std::shared_ptr<const model::Node> node_;
  std::map<ipam::TunnelKind, State> states_;
  std::map<std::string, std::string> problems_;
  bool is_patching_ = false;
  std::string patched_version_;  // of the Node that the last patch was made for
  std::optional<TimePoint> patch_again_at_;
  std::optional<TimePoint> next_look_;
  std::unique_ptr<loop::Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace margay::agent
