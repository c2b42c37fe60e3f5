// netctl lab status: processes, nodes, their BGP sessions and pods, at a glance. Exit code 3 when something that should
// be there is not.
#include <algorithm>
#include <optional>

#include "base/core/text.h"
#include "ctl/lab/lab_session.h"
#include "ctl/lab/routers.h"
#include "ctl/render/table.h"

namespace margay::lab {
namespace {

using command::ExitCode;
using json::Array;
using json::Object;
using json::Value;

struct NodeView {
  const LabNode* node = nullptr;
  std::string subnet;
  std::string state;        // "ready", "starting", "stopped"
  node::NodeReport report;  // empty unless the agent answers
  std::size_t pods = 0;
  [[nodiscard]] bool is_well() const { return state == "ready" && report.is_well(); }
};

NodeView look_at(verbs::Session& session, const Paths& paths, const LabState& state, const LabNode& node,
                 const std::vector<LabPod>& pods) {
  NodeView view{
      .node = &node, .subnet = state.topology.subnets[node.subnet].name, .state = "stopped", .report = {}, .pods = 0};
  view.pods = static_cast<std::size_t>(std::count_if(pods.begin(), pods.end(), [&](const LabPod& pod) {
    return pod.node == node.name && pod.is_running && !pod.is_going;
  }));
  const ProcessRecord* const process = state.find(agent_process(node.name));
  if (process == nullptr || !is_alive(*process)) return view;
  if (auto report = node::read_agent(session.host(), paths.node_socket(node.name)); report.ok())
    view.report = *std::move(report);
  view.state = is_ready(view.report) ? "ready" : "starting";
  return view;
}

std::string text_of_addresses(const LabNode& node) {
  std::vector<std::string> out;
  for (const IpAddress& address : node.addresses) out.push_back(address.to_string());
  return join(out, ",");
}

Value as_json(const Paths& paths, const LabState& state, const std::vector<NodeView>& views) {
  Array nodes;
  for (const NodeView& view : views) {
    nodes.push_back(Object{{"name", view.node->name},
                           {"subnet", view.subnet},
                           {"addresses", text_of_addresses(*view.node)},
                           {"state", view.state},
                           {"peers", static_cast<std::int64_t>(view.report.peers.size())},
                           {"peersEstablished", static_cast<std::int64_t>(view.report.peers_up())},
                           {"pods", static_cast<std::int64_t>(view.pods)}});
  }
  Array routers;
  for (const RouterPlan& plan : plan_routers(state.topology)) {
    routers.push_back(Object{{"name", plan.name},
                             {"kind", plan.router.speaks_bgp ? to_string(plan.router.kind) : "none"},
                             {"asNumber", std::int64_t{plan.router.as_number}}});
  }
  Array processes;
  for (const ProcessRecord& process : state.processes) {
    processes.push_back(Object{{"name", process.name},
                               {"pid", std::int64_t{process.pid}},
                               {"running", is_alive(process)},
                               {"log", paths.log(process.name)}});
  }
  return Object{{"name", paths.name()},      {"kubeconfig", paths.kubeconfig()}, {"apiserver", state.apiserver},
                {"nodes", std::move(nodes)}, {"routers", std::move(routers)},    {"processes", std::move(processes)}};
}

std::string as_table(const std::vector<NodeView>& views, bool has_colour) {
  std::vector<render::Table::Row> rows;
  for (const NodeView& view : views) {
    rows.push_back({view.node->name, view.subnet, text_of_addresses(*view.node), view.state,
                    concat(view.report.peers_up(), "/", view.report.peers.size()), concat(view.pods)});
  }
  render::Table table({"NODE", "SUBNET", "ADDRESS", "STATE", "BGP UP", "PODS"}, has_colour);
  const std::string head = table.header(rows);
  return head + table.lines(rows);
}

}  // namespace

ExitCode run_status(verbs::Session& session, const Paths& paths) {
  const auto state = read_state(paths);
  if (!state.ok()) return session.fail(state.error());
  const auto pods = read_pods(session);
  std::vector<NodeView> views;
  for (const LabNode& node : state->topology.nodes) {
    views.push_back(look_at(session, paths, *state, node, pods.ok() ? *pods : std::vector<LabPod>{}));
  }
  bool is_well = std::all_of(views.begin(), views.end(), [](const NodeView& view) { return view.is_well(); });
  if (session.invocation().text("output") == "json") {
    session.io().out(json::dump_pretty(as_json(paths, *state, views)));
  } else {
    session.io().out(as_table(views, session.io().out_has_colour()));
  }
  for (const NodeView& view : views) {
    for (const node::AspectReport& aspect : view.report.aspects) {
      if (!aspect.is_well) session.io().warning(concat(view.node->name, ": ", aspect.type, ": ", aspect.message));
    }
  }
  for (const ProcessRecord& process : state->processes) {
    if (is_alive(process)) continue;
    is_well = false;
    session.io().warning(concat(process.name, " does not run; its log is ", paths.log(process.name)));
  }
  if (!pods.ok()) session.io().warning(pods.error().message);
  return is_well && pods.ok() ? ExitCode::kDone : ExitCode::kDegraded;
}

}  // namespace margay::lab
