// Engine: both halves of the calculation in one process, as the agent and netctl use it: objects in, deltas out.
//
//   apply(Input)… ─▶ ClusterHalf ⇄ NodeHalf ─▶ flush(): Delta
//
// Pure, one thread. flush() costs what changed, not what is there.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/core/field_error.h"
#include "policy/calc/input.h"
#include "policy/desired/delta.h"

namespace margay::policy {

class Engine {
 public:
  struct Options {
    std::optional<std::string> node;  // nullopt: every endpoint is ours (netctl's questions about a whole cluster)
    bool suppress_nested = true;
  };

  explicit Engine(Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void apply(const Input& input);
  void mark_in_sync();
  Delta flush();

  // Objects that cannot be used as they are, and those that act otherwise than written, each with the fields
  // (cluster_half.h).
  [[nodiscard]] const std::map<ObjectKey, FieldErrors>& problems() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::policy
