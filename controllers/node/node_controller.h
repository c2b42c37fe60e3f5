// NodeController: host endpoints that nodes get by themselves, kept as nodes and configuration say; objects of nodes
// that have gone, removed. What address management keeps of a node is controllers/ipam's.
//
// A node's labels are its host endpoints' labels, exactly: those that go there go here. Calico's own host endpoints of
// that kind are taken over. Thread: the loop's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "controllers/node/auto_host_endpoints.h"
#include "controllers/node/departed_nodes.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/kept_objects.h"

namespace margay::controllers {

template <>
inline constexpr bool kOwnsLabels<model::HostEndpoint> = true;

class NodeController final : public Controller {
 public:
  // Adds what it watches to `cluster`, which is not started yet and outlives this.
  NodeController(const WriterParts& parts, watch::ClusterWatch& cluster, EventGate& events);

  // controllers.node of KubeControllersConfiguration; nullptr: its defaults.
  void configure(const model::NodeControllerConfig* config);
  void configure(const Settings& settings) override;
  void on_turn(bool is_in_sync) override;
  void lead(bool is_leading) override;
  [[nodiscard]] bool is_settled() const override { return endpoints_.is_settled(); }
  [[nodiscard]] std::size_t wanted_count() const { return endpoints_.wanted_count(); }

 private:
  void note(const std::string& name, const std::shared_ptr<const model::Node>& node);
  void plan(const std::string& name);
  void tell(const std::string& node, const std::string& text);

  EventGate& events_;
  model::AutoHostEndpointConfig config_;
  std::map<std::string, std::shared_ptr<const model::Node>> nodes_;
  std::map<std::string, std::set<std::string>> made_;  // by node
  KeptObjects<model::HostEndpoint> endpoints_;
  DepartedNodes departed_;
};

ControllerEntry node_controller();

}  // namespace margay::controllers
