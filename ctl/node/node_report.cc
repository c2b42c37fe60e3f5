#include "ctl/node/node_report.h"

#include <algorithm>
#include <map>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "base/ip/address.h"
#include "ctl/node/host.h"
#include "datastore/model/peer_line.h"

namespace margay::node {
namespace {

using json::Value;

constexpr std::string_view kRunning = "running";

std::optional<std::int64_t> number_at(const Value& object, std::string_view name) {
  const Value* const found = object.find(name);
  if (found == nullptr || found->as_integer() == nullptr) return std::nullopt;
  return *found->as_integer();
}

std::optional<Duration> seconds_at(const Value& object, std::string_view name) {
  const Value* const found = object.find(name);
  if (found == nullptr || (found->as_double() == nullptr && found->as_integer() == nullptr)) return std::nullopt;
  const double seconds =
      found->as_double() != nullptr ? *found->as_double() : static_cast<double>(*found->as_integer());
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// calicoctl's words.
std::string type_text(std::string_view word) {
  if (word == "NodeMesh") return "node-to-node mesh";
  if (word == "NodePeer") return "node specific";
  if (word == "GlobalPeer") return "global";
  if (word == "LocalWorkload") return "local workload";
  return std::string(word);
}

AspectReport aspect_of(const Value& value) {
  return {.type = std::string(value.string_at({"type"})),
          .is_well = value.string_at({"status"}) == "True",
          .reason = std::string(value.string_at({"reason"})),
          .message = std::string(value.string_at({"message"}))};
}

// "margay-node 0.1.0 (abc)" of the aspect Ready.
std::string version_of(const NodeReport& report) {
  const AspectReport* const ready = report.find("Ready");
  if (ready == nullptr || !ready->is_well) return {};
  const auto words = split(ready->message, ' ');
  return words.size() > 1 ? std::string(words[1]) : std::string();
}

PeerReport agent_peer(const Value& value) {
  PeerReport peer;
  peer.address = value.string_at({"address"});
  peer.type = type_text(value.string_at({"source"}));
  peer.state = value.string_at({"state"});
  peer.since = seconds_at(value, "sinceSeconds");
  peer.asn = number_at(value, "asNumber");
  peer.received = number_at(value, "prefixesReceived");
  peer.accepted = number_at(value, "prefixesAccepted");
  peer.sent = number_at(value, "prefixesSent");
  peer.problem = value.string_at({"problem"});
  return peer;
}

using PeerLines = std::map<std::string, model::PeerLine, std::less<>>;

PeerLines peer_lines(std::string_view message) {
  PeerLines out;
  for (const std::string_view text : split(message, '\n')) {
    if (auto line = model::parse_peer_line(text)) out.emplace(line->peer, *line);
  }
  return out;
}

PeerReport object_peer(const Value& value, std::optional<WallTime> now, const PeerLines& lines) {
  PeerReport peer;
  peer.address = value.string_at({"peerIP"});
  peer.type = type_text(value.string_at({"type"}));
  peer.state = value.string_at({"state"});
  const auto since = parse_timestamp(value.string_at({"since"}));
  // Both times are the node's own: clocks may differ.
  if (since.ok() && now) peer.since = std::max(Duration(0), Duration(*now - *since));
  const auto line = lines.find(peer.address);
  if (line == lines.end()) return peer;
  if (line->second.asn) peer.asn = *line->second.asn;
  peer.received = static_cast<std::int64_t>(line->second.received);
  peer.accepted = static_cast<std::int64_t>(line->second.accepted);
  peer.sent = static_cast<std::int64_t>(line->second.sent);
  peer.problem = line->second.problem;
  return peer;
}

}  // namespace

const AspectReport* NodeReport::find(std::string_view aspect) const {
  const auto at =
      std::find_if(aspects.begin(), aspects.end(), [&](const AspectReport& each) { return each.type == aspect; });
  return at == aspects.end() ? nullptr : &*at;
}

std::size_t NodeReport::peers_up() const {
  return static_cast<std::size_t>(
      std::count_if(peers.begin(), peers.end(), [](const PeerReport& peer) { return peer.is_up(); }));
}

bool NodeReport::is_well() const {
  return problem.empty() && bgp_problem.empty() && peers_up() == peers.size() &&
         std::all_of(aspects.begin(), aspects.end(), [](const AspectReport& aspect) { return aspect.is_well; });
}

NodeReport report_of(const Value& status, const Value& peers) {
  NodeReport out;
  out.node = status.string_at({"node"});
  for (const Value& aspect : status.array_at({"aspects"})) out.aspects.push_back(aspect_of(aspect));
  out.version = status.string_at({"version"});
  out.router_id = peers.string_at({"speaker", "routerID"});
  const Value* const running = peers.find("running");
  const bool is_running = running != nullptr && running->as_bool() != nullptr && *running->as_bool();
  out.bgp = is_running ? kRunning : "not running";
  out.bgp_problem = peers.string_at({"refused"});
  for (const Value& peer : peers.array_at({"peers"})) out.peers.push_back(agent_peer(peer));
  return out;
}

NodeReport report_of(const Value& object) {
  NodeReport out;
  out.node = object.string_at({"spec", "node"});
  const Value* const status = object.find("status");
  if (status == nullptr) return out;
  out.router_id = status->string_at({"agent", "birdV4", "routerID"});
  const std::string_view speaker = status->string_at({"agent", "birdV4", "state"});
  if (!speaker.empty()) out.bgp = speaker == "Ready" ? kRunning : "not running";
  PeerLines lines;
  for (const Value& condition : status->array_at({"conditions"})) {
    AspectReport aspect = aspect_of(condition);
    if (aspect.type == "BGPReady") {
      lines = peer_lines(aspect.message);
      // Its first line, before those of peers.
      if (aspect.reason == "Refused") out.bgp_problem = split(aspect.message, '\n').front();
    } else {
      out.aspects.push_back(std::move(aspect));
    }
  }
  out.version = version_of(out);
  if (out.version.empty()) out.version = status->string_at({"agent", "birdV4", "version"});
  const auto updated = parse_timestamp(status->string_at({"lastUpdated"}));
  const std::optional<WallTime> now = updated.ok() ? std::optional<WallTime>(*updated) : std::nullopt;
  for (const std::string_view family : {"peersV4", "peersV6"}) {
    for (const Value& peer : status->array_at({"bgp", family})) out.peers.push_back(object_peer(peer, now, lines));
  }
  return out;
}

Value as_json(const NodeReport& report) {
  json::Object out{{"node", report.node}, {"healthy", report.is_well()}};
  if (!report.problem.empty()) {
    out["problem"] = report.problem;
    return out;
  }
  if (!report.version.empty()) out["version"] = report.version;
  if (!report.bgp.empty()) out["bgp"] = report.bgp;
  if (!report.bgp_problem.empty()) out["bgpProblem"] = report.bgp_problem;
  if (!report.router_id.empty()) out["routerID"] = report.router_id;
  json::Array aspects;
  for (const AspectReport& aspect : report.aspects) {
    aspects.emplace_back(json::Object{
        {"type", aspect.type}, {"healthy", aspect.is_well}, {"reason", aspect.reason}, {"message", aspect.message}});
  }
  out["aspects"] = std::move(aspects);
  json::Array peers;
  for (const PeerReport& peer : report.peers) {
    json::Object one{{"peer", peer.address}, {"type", peer.type}, {"state", peer.state}};
    if (peer.since) one["sinceSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(*peer.since).count();
    if (peer.asn) one["asNumber"] = *peer.asn;
    if (peer.received) one["prefixesReceived"] = *peer.received;
    if (peer.accepted) one["prefixesAccepted"] = *peer.accepted;
    if (peer.sent) one["prefixesSent"] = *peer.sent;
    if (!peer.problem.empty()) one["problem"] = peer.problem;
    peers.emplace_back(std::move(one));
  }
  out["peers"] = std::move(peers);
  return out;
}

Result<NodeReport> read_agent(Host& host, const std::string& socket) {
  MARGAY_ASSIGN_OR_RETURN(const Value status, ask(host, socket, "/status"));
  MARGAY_ASSIGN_OR_RETURN(const Value peers, ask(host, socket, "/peers"));
  return report_of(status, peers);
}

}  // namespace margay::node
