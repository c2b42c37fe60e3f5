#include "policy/calc/engine.h"

#include <utility>

#include "policy/calc/cluster_half.h"
#include "policy/calc/node_half.h"
#include "policy/calc/normalise.h"

namespace margay::policy {

class Engine::Impl {
 public:
  explicit Impl(Options options)
      : node_name_(std::move(options.node)),
        cluster_({.suppress_nested = options.suppress_nested}),
        subscriber_(cluster_.subscribe()) {}

  void apply(const Input& input) {
    const model::Kind kind = input.key.kind;
    if (kind == model::Kind::kPod || kind == model::Kind::kWorkloadEndpoint) {
      return apply_workload(input.key, workload_of(input));
    }
    if (kind == model::Kind::kHostEndpoint) {
      const Shared<model::HostEndpoint> host = object_of<model::HostEndpoint>(input);
      node_.put_host(input.key, is_ours(host) ? host : nullptr);
    }
    cluster_.apply(input);
  }

  void mark_in_sync() { cluster_.mark_in_sync(); }

  // Each round tells the node half what it asked for; what it learns may make it ask for more. It ends: a profile can
  // bring labels, these can bring policies, and policies bring nothing that asks.
  Delta flush() {
    for (;;) {
      node_.apply(cluster_.take(subscriber_));
      const NodeDemand demand = node_.take_demand();
      if (demand.empty()) return node_.take();
      cluster_.demand(subscriber_, demand);
    }
  }

  [[nodiscard]] const std::map<ObjectKey, FieldErrors>& problems() const { return cluster_.problems(); }

 private:
  template <class T>
  [[nodiscard]] bool is_ours(const Shared<T>& endpoint) const {
    return endpoint != nullptr && (!node_name_ || endpoint->spec.node == *node_name_);
  }

  void apply_workload(const ObjectKey& key, const Shared<model::WorkloadEndpoint>& endpoint) {
    node_.put_workload(key, is_ours(endpoint) ? endpoint : nullptr);
    Input translated{.key = key, .value = {}};
    if (endpoint != nullptr) translated.value = endpoint;
    cluster_.apply(translated);
  }

  std::optional<std::string> node_name_;
  ClusterHalf cluster_;
  SubscriberId subscriber_;
  NodeHalf node_;
};

Engine::Engine(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Engine::~Engine() = default;
void Engine::apply(const Input& input) { impl_->apply(input); }
void Engine::mark_in_sync() { impl_->mark_in_sync(); }
Delta Engine::flush() { return impl_->flush(); }
const std::map<ObjectKey, FieldErrors>& Engine::problems() const { return impl_->problems(); }

}  // namespace margay::policy
