// PoolKeeper: writes on IPPools what plan_pools() says: the condition Allocatable, and the finalizer that keeps a pool
// until its blocks are gone, which is found out by a live list. Every write names the version it was made for.
// Thread: the loop's.
#pragma once

#include <map>
#include <set>
#include <string>

#include "controllers/ipam/pool_plan.h"
#include "controllers/runtime/event_gate.h"
#include "controllers/runtime/key_queue.h"
#include "controllers/runtime/object_writer.h"

namespace margay::controllers {

class PoolKeeper {
 public:
  PoolKeeper(const WriterParts& parts, EventGate& events);

  void note(const std::string& name, const std::shared_ptr<const model::IpPool>& pool);
  // A block of the pools' range has gone.
  void note_block_gone();
  // What has changed is looked at, once all pools are known.
  void on_turn(bool is_in_sync);
  void lead(bool is_leading);
  [[nodiscard]] bool is_settled() const { return queue_.is_idle() && !is_changed_; }

 private:
  using Done = std::function<void(Verdict)>;
  void work(const std::string& name, const Done& done);
  void set_finalizer(const model::IpPool& pool, bool is_wanted, const Done& done);
  void set_condition(const model::IpPool& pool, model::Condition condition, const Done& done);
  void look_for_blocks(const model::IpPool& pool, const Done& done);
  void patch(const model::IpPool& pool, std::string_view subresource, const json::Value& body, const Done& done);

  WriterParts parts_;
  EventGate& events_;
  PoolsByName pools_;
  std::map<std::string, PoolPlan> plans_;
  bool is_changed_ = false;
  std::map<std::string, kube::OperationPtr> operations_;
  KeyQueue<std::string> queue_;
};

}  // namespace margay::controllers
