// RemovalGather: lets batches through to the dataplane, but for those in which endpoints go and nothing else happens:
// they wait a moment for each other.
//
// Pods are often deleted many at a time, and of each the kernel has to remove an interface, under its lock of
// interfaces. That lock waits for transactions of nftables (nf_tables_netdev_event), so removing the rules of one pod
// keeps the next one's interface from going, for ten milliseconds each. Rules of an interface that is gone do no harm.
// What comes with something that is to be done takes along what waits.
//
// Thread: the loop's.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "agent/dataplane/batch.h"
#include "base/core/task.h"
#include "base/loop/loop.h"

namespace margay::agent {

inline constexpr Duration kGatherRemovals = std::chrono::milliseconds(50);

class RemovalGather {
 public:
  RemovalGather(loop::Loop& loop, Callback<void(DataplaneBatch)> on_batch);
  RemovalGather(const RemovalGather&) = delete;
  RemovalGather& operator=(const RemovalGather&) = delete;

  void take(DataplaneBatch batch);

 private:
  void release();

  Callback<void(DataplaneBatch)> on_batch_;
  std::optional<DataplaneBatch> held_;
  std::unique_ptr<loop::Timer> timer_;
};

}  // namespace margay::agent
