// PoolConditions: the condition Exhausted on IPPools: True from when a workload was refused an address because its
// pools have none left, False from when there is one again.
//
// Every agent may write it; they agree through the pool itself: who sees that it is said already says nothing, and who
// takes it back waits for a time of its own first, so that of many agents the first one writes. Writes carry the
// version that was read; one that fails is tried again if it still says something new. Thread: the control loop's. What
// it refers to outlives it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/cni/cluster_facts.h"
#include "base/core/random.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "cni/ipam/pools.h"
#include "datastore/kube/client.h"

namespace margay::agent {

inline constexpr std::string_view kExhausted = "Exhausted";

class PoolConditions {
 public:
  static constexpr Duration kPeriod = std::chrono::seconds(5);
  static constexpr Duration kSpread = std::chrono::seconds(30);  // within which agents take it back

  struct Parts {
    loop::Loop& loop;
    Random& random;
    kube::Client& client;
    const ClusterFacts& facts;
    // As far as this node knows.
    std::function<bool(const ipam::PoolRange& pool)> has_room;
    telemetry::Logger log{};
  };

  explicit PoolConditions(Parts parts);

  // `who` ("default/web") was refused an address of these.
  void note_exhausted(const std::vector<ipam::PoolRange>& pools, const std::string& who);

 private:
  void look();
  void write(const model::IpPool& pool, bool is_exhausted, const std::string& message);

  Parts parts_;
  std::map<std::string, TimePoint> free_again_at_;  // by pool: when this agent says so
  std::map<std::string, kube::OperationPtr> writes_;
  std::unique_ptr<loop::Timer> timer_;
};

}  // namespace margay::agent
