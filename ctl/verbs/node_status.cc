// node status: how nodes fare. Exit code 3 when one of them does not fare well.
#include <algorithm>

#include "base/core/text.h"
#include "ctl/render/age.h"
#include "ctl/verbs/node_reports.h"
#include "ctl/verbs/show.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using node::NodeReport;
using node::PeerReport;
using render::Table;

using Reports = std::vector<NodeReport>;

std::string state_cell(const NodeReport& report) {
  if (!report.problem.empty()) return "no answer";
  const node::AspectReport* const ready = report.find("Ready");
  if (ready == nullptr) return "unknown";
  return ready->is_well ? "ready" : "not ready";
}

// "ok", or the reason.
std::string aspect_cell(const NodeReport& report, std::string_view type) {
  const node::AspectReport* const aspect = report.find(type);
  if (aspect == nullptr) return "-";
  if (aspect->is_well) return aspect->reason == "NotNeeded" ? "-" : "ok";
  return to_lower(aspect->reason);
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }
std::string number_cell(const std::optional<std::int64_t>& number) { return number ? concat(*number) : "-"; }

void show_node_rows(Session& session, const Reports& reports) {
  std::vector<Table::Row> rows;
  for (const NodeReport& report : reports) {
    const bool is_known = report.problem.empty();
    const std::string up = concat(report.peers_up(), "/", report.peers.size());
    rows.push_back({report.node, state_cell(report), is_known && report.bgp == "running" ? up : or_dash(report.bgp),
                    aspect_cell(report, "DataplaneReady"), aspect_cell(report, "TunnelsReady"),
                    or_dash(report.version)});
  }
  show_table(session, {"NODE", "STATE", "BGP UP", "DATAPLANE", "TUNNELS", "VERSION"}, rows);
}

// Those of many nodes only where something is wrong with them.
void show_peer_rows(Session& session, const Reports& reports) {
  const bool has_all = reports.size() == 1 || session.invocation().text("output") == "wide";
  std::vector<Table::Row> rows;
  for (const NodeReport& report : reports) {
    for (const PeerReport& peer : report.peers) {
      if (!has_all && peer.is_up()) continue;
      rows.push_back({report.node, peer.address, or_dash(peer.type), peer.state,
                      peer.since ? render::short_duration(*peer.since) : "-", number_cell(peer.asn),
                      number_cell(peer.received), number_cell(peer.accepted), number_cell(peer.sent),
                      or_dash(peer.problem)});
    }
  }
  if (rows.empty()) return;
  session.io().out("\n");
  show_table(session, {"NODE", "PEER", "TYPE", "STATE", "SINCE", "ASN", "RECEIVED", "ACCEPTED", "SENT", "REASON"},
             rows);
}

void tell_problems(Session& session, const Reports& reports) {
  for (const NodeReport& report : reports) {
    if (!report.problem.empty()) session.io().warning(concat(report.node, ": ", report.problem));
    if (!report.bgp_problem.empty()) {
      session.io().warning(concat(report.node, ": BGP: its configuration was not taken: ", report.bgp_problem));
    }
    for (const node::AspectReport& aspect : report.aspects) {
      if (!aspect.is_well) session.io().warning(concat(report.node, ": ", aspect.type, ": ", aspect.message));
    }
  }
}

// What is so although nothing is wrong, of one node.
void show_details(Session& session, const Reports& reports) {
  if (reports.size() != 1) return;
  std::string text;
  for (const node::AspectReport& aspect : reports.front().aspects) {
    if (aspect.is_well && !aspect.message.empty()) text += concat(aspect.type, ": ", aspect.message, "\n");
  }
  if (!text.empty()) session.io().out("\n" + text);
}

ExitCode show_reports(Session& session, const Reports& reports) {
  json::Array list;
  for (const NodeReport& report : reports) list.push_back(as_json(report));
  if (!show_value(session, json::Object{{"nodes", std::move(list)}})) {
    show_node_rows(session, reports);
    show_details(session, reports);
    show_peer_rows(session, reports);
  }
  tell_problems(session, reports);
  const bool is_well =
      std::all_of(reports.begin(), reports.end(), [](const NodeReport& report) { return report.is_well(); });
  return is_well ? ExitCode::kDone : ExitCode::kDegraded;
}

ExitCode show_socket(Session& session, const std::string& socket) {
  const auto report = node::read_agent(session.host(), socket);
  if (!report.ok()) return session.fail(report.error());
  return show_reports(session, {*report});
}

}  // namespace

ExitCode run_node_status(Session& session) {
  const command::Invocation& invocation = session.invocation();
  const auto wait = command::parse_timeout(invocation.text("wait"));
  if (!wait.ok()) return session.usage(concat("--wait: ", wait.error().message));
  std::vector<std::string> nodes = invocation.arguments;
  if (invocation.is_given("socket")) {
    if (!nodes.empty()) return session.usage("--socket asks one agent: NODE cannot be given with it");
    return show_socket(session, invocation.text("socket"));
  }
  if (!has_server(session) && nodes.empty()) return show_socket(session, std::string(kAgentSocket));
  const auto known = node_names(session);
  if (!known.ok()) return session.fail(known.error());
  for (const std::string& node : nodes) {
    if (!std::binary_search(known->begin(), known->end(), node))
      return session.fail(Error{ErrorCode::kNotFound, concat("there is no node ", quoted(node))});
  }
  if (nodes.empty()) nodes = *known;
  const auto reports = reports_by_api(session, nodes, *wait);
  return reports.ok() ? show_reports(session, *reports) : session.fail(reports.error());
}

}  // namespace margay::verbs
