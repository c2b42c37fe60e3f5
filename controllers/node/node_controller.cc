#include "controllers/node/node_controller.h"

#include <utility>

#include "base/core/text.h"

namespace margay::controllers {
namespace {

constexpr Duration kLeakGraceDefault = std::chrono::minutes(15);
constexpr std::string_view kReason = "HostEndpointNotHonoured";

}  // namespace

NodeController::NodeController(const WriterParts& parts, watch::ClusterWatch& cluster, EventGate& events)
    : events_(events),
      endpoints_(parts, QueueLimits{},
                 [this](const kube::ObjectName& name, const std::string& text) {
                   for (const auto& [node, names] : made_) {
                     if (names.contains(name.name)) tell(node, text);
                   }
                 }),
      departed_(parts, cluster) {
  cluster.add<model::Node>({}, {[this](const model::ObjectKey& key, const std::shared_ptr<const model::Node>& node) {
                             note(key.name, node);
                           }});
  // Ours, and those that Calico made.
  cluster.add<model::HostEndpoint>(
      {.label_selector = concat(kCreatedBy, "=", kCreator)},
      {[this](const model::ObjectKey& key, const std::shared_ptr<const model::HostEndpoint>& endpoint) {
        endpoints_.note({"", key.name}, endpoint);
      }});
  configure(nullptr);
}

void NodeController::configure(const model::NodeControllerConfig* config) {
  static const model::NodeControllerConfig kDefaults;
  const model::NodeControllerConfig& used = config == nullptr ? kDefaults : *config;
  const Duration grace = used.leak_grace_period.value_or(kLeakGraceDefault);
  departed_.set_wait(grace > Duration::zero() ? std::optional(grace) : std::nullopt);
  model::AutoHostEndpointConfig next = used.host_endpoint.value_or(model::AutoHostEndpointConfig{});
  if (next == config_) return;
  config_ = std::move(next);
  for (const auto& [name, node] : nodes_) plan(name);
}

void NodeController::configure(const Settings& settings) {
  const auto& node = settings.spec.controllers.node;
  configure(node ? &*node : nullptr);
}

void NodeController::note(const std::string& name, const std::shared_ptr<const model::Node>& node) {
  departed_.note_node(name, node != nullptr);
  if (node == nullptr) {
    nodes_.erase(name);
  } else {
    nodes_[name] = node;
  }
  plan(name);
}

void NodeController::plan(const std::string& name) {
  const auto found = nodes_.find(name);
  AutoHostEndpoints wanted;
  if (found != nodes_.end()) wanted = auto_host_endpoints(*found->second, config_);
  std::set<std::string>& made = made_[name];
  for (const std::string& each : made) {
    if (!wanted.endpoints.contains(each)) endpoints_.forget({"", each});
  }
  made.clear();
  for (auto& [each, endpoint] : wanted.endpoints) {
    made.insert(each);
    endpoints_.want({"", each}, std::move(endpoint));
  }
  if (made.empty()) made_.erase(name);
  if (wanted.problems.empty()) {
    events_.forget({model::Kind::kNode, "", name}, kReason);
  } else {
    tell(name, join(wanted.problems, "; "));
  }
}

void NodeController::tell(const std::string& node, const std::string& text) {
  const auto found = nodes_.find(node);
  if (found != nodes_.end()) events_.warn({model::Kind::kNode, "", node}, found->second->metadata, kReason, text);
}

void NodeController::on_turn(bool is_in_sync) {
  if (is_in_sync) endpoints_.allow_removal();
}

void NodeController::lead(bool is_leading) {
  endpoints_.lead(is_leading);
  departed_.lead(is_leading);
}

ControllerEntry node_controller() {
  return {"node", Section::kNode, [](const ControllerParts& parts, watch::ClusterWatch& cluster) {
            return std::make_unique<NodeController>(parts.writer, cluster, parts.events);
          }};
}

}  // namespace margay::controllers
