// PolicyProgress: up to which version of the cluster's policies this node's kernel has them. Pure.
//
//   note(policy) ─▶ seen ─sent(batch)▶ on the way ─written(batch)▶ in_kernel()
//
// What no batch carries, as it is no business of this node, is there with the last batch before it. is_news() says
// whether something of it matters to others: a policy that is new or has another spec. Of what changed in metadata or
// status alone versions grow too, but that is no news (a status that is written because of a report must not bring
// about the next report).
// Thread: the control loop's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>

#include "datastore/model/key.h"
#include "datastore/model/meta.h"
#include "datastore/model/programmed_policies.h"

namespace margay::status {

class PolicyProgress {
 public:
  // A policy as the calculation has just got it; nullptr: gone.
  void note(const model::ObjectKey& key, const model::ObjectMeta* metadata);
  // All that was noted is in batches up to this one.
  void sent(std::uint64_t batch);
  // Batches up to this one are in the kernel, without a failure.
  void written(std::uint64_t batch);

  [[nodiscard]] const model::ProgrammedPolicies& in_kernel() const { return in_kernel_; }
  [[nodiscard]] bool is_news() const { return is_news_; }
  // Of in_kernel().
  void mark_told() { is_news_ = false; }

 private:
  struct Step {
    std::uint64_t batch = 0;
    model::ProgrammedPolicies versions;
    bool is_news = false;
  };

  std::map<model::ObjectKey, std::int64_t> generations_;
  model::ProgrammedPolicies seen_;
  bool has_seen_news_ = false;
  std::deque<Step> steps_;  // by batch, each once
  model::ProgrammedPolicies in_kernel_;
  bool is_news_ = false;
};

}  // namespace margay::status
