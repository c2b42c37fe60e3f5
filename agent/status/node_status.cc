#include "agent/status/node_status.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "base/ip/prefix.h"
#include "datastore/codec/codec.h"
#include "datastore/model/peer_line.h"

namespace margay::status {
namespace {

constexpr Duration kWriteRetry = std::chrono::seconds(10);
constexpr std::int64_t kPeriodMaxSeconds = 86'400;
constexpr std::size_t kMessageMax = 32'768;  // of a condition, by its schema

kube::ResourceType node_statuses() {
  return {"projectcalico.org", "v3", "caliconodestatuses", "CalicoNodeStatus", false};
}

std::string text_of(const std::optional<WallTime>& time) { return time ? format_timestamp(*time) : std::string(); }

model::BgpDaemonStatus speaker_status(const NodeSnapshot::Speaker& speaker) {
  return {.state = speaker.is_running ? model::BgpDaemonState::kReady : model::BgpDaemonState::kNotReady,
          .version = speaker.version,
          .router_id = speaker.router_id,
          .last_boot_time = text_of(speaker.started),
          .last_reconfiguration_time = text_of(speaker.configured)};
}

bool is_established(const NodeSnapshot::Peer& peer) { return peer.state == model::BgpSessionState::kEstablished; }

model::NodeBgpStatus bgp_status(const std::vector<NodeSnapshot::Peer>& peers) {
  model::NodeBgpStatus status;
  for (const NodeSnapshot::Peer& peer : peers) {
    const bool is_up = is_established(peer);
    const bool is_v4 = peer.address.is_v4();
    auto& count = is_v4 ? (is_up ? status.number_established_v4 : status.number_not_established_v4)
                        : (is_up ? status.number_established_v6 : status.number_not_established_v6);
    ++count;
    (is_v4 ? status.peers_v4 : status.peers_v6)
        .push_back({peer.address.to_string(), peer.type, peer.state, text_of(peer.since)});
  }
  return status;
}

model::NodeRoutesStatus routes_status(const std::vector<model::NodeRoute>& routes) {
  std::vector<std::pair<IpPrefix, const model::NodeRoute*>> sorted;
  for (const model::NodeRoute& route : routes) {
    if (const auto prefix = IpPrefix::parse(route.destination); prefix.ok()) sorted.emplace_back(*prefix, &route);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  model::NodeRoutesStatus status;
  for (const auto& [prefix, route] : sorted) (prefix.is_v4() ? status.routes_v4 : status.routes_v6).push_back(*route);
  return status;
}

bool asks_for(const model::NodeStatusSpec& spec, model::NodeStatusClass wanted) {
  return std::find(spec.classes.begin(), spec.classes.end(), wanted) != spec.classes.end();
}

model::Condition condition_of(const NodeSnapshot::Aspect& aspect) {
  model::Condition out;
  out.type = aspect.type;
  out.status = aspect.is_well ? model::ConditionStatus::kTrue : model::ConditionStatus::kFalse;
  out.reason = aspect.reason;
  // A condition without a message is refused.
  out.message = aspect.message.empty() ? aspect.reason : aspect.message.substr(0, kMessageMax);
  return out;
}

NodeSnapshot::Aspect bgp_aspect(const NodeSnapshot& snapshot) {
  const NodeSnapshot::Speaker& speaker = snapshot.speaker;
  if (!speaker.problem.empty())
    return {.type = "BGPReady", .is_well = false, .reason = "Refused", .message = speaker.problem};
  if (!speaker.is_running) return {.type = "BGPReady", .is_well = false, .reason = "NotRunning"};
  const bool is_well = std::all_of(snapshot.peers.begin(), snapshot.peers.end(), is_established);
  return {.type = "BGPReady", .is_well = is_well, .reason = is_well ? "Established" : "NotEstablished"};
}

// Those without a session come first: they must not be among what is left out.
model::Condition bgp_condition(const NodeSnapshot& snapshot) {
  NodeSnapshot::Aspect aspect = bgp_aspect(snapshot);
  std::vector<NodeSnapshot::Peer> peers = snapshot.peers;
  std::stable_partition(peers.begin(), peers.end(), [](const auto& peer) { return !is_established(peer); });
  for (const NodeSnapshot::Peer& peer : peers) {
    const std::string line = to_string(
        model::PeerLine{peer.address.to_string(), peer.asn, peer.received, peer.accepted, peer.sent, peer.problem});
    if (aspect.message.size() + line.size() + 1 > kMessageMax) break;
    aspect.message.append(aspect.message.empty() ? "" : "\n").append(line);
  }
  return condition_of(aspect);
}

std::vector<model::Condition> conditions_of(const model::NodeStatusSpec& spec, const NodeSnapshot& snapshot,
                                            WallTime now, const std::vector<model::Condition>& before) {
  std::vector<model::Condition> out;
  if (asks_for(spec, model::NodeStatusClass::kAgent)) {
    for (const NodeSnapshot::Aspect& aspect : snapshot.aspects) out.push_back(condition_of(aspect));
  }
  if (asks_for(spec, model::NodeStatusClass::kBgp)) out.push_back(bgp_condition(snapshot));
  for (model::Condition& condition : out) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const model::Condition& old) {
      return old.type == condition.type && old.status == condition.status;
    });
    condition.last_transition_time =
        same == before.end() || !same->last_transition_time ? now : *same->last_transition_time;
  }
  return out;
}

}  // namespace

model::NodeStatusStatus fill(const model::NodeStatusSpec& spec, const NodeSnapshot& given, WallTime now,
                             const model::NodeStatusStatus& before) {
  NodeSnapshot snapshot = given;
  std::sort(snapshot.peers.begin(), snapshot.peers.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
  model::NodeStatusStatus status;
  status.last_updated = now;
  status.conditions = conditions_of(spec, snapshot, now, before.conditions);
  if (asks_for(spec, model::NodeStatusClass::kAgent)) {
    status.agent.bird_v4 = status.agent.bird_v6 = speaker_status(snapshot.speaker);
  }
  if (asks_for(spec, model::NodeStatusClass::kBgp)) status.bgp = bgp_status(snapshot.peers);
  if (asks_for(spec, model::NodeStatusClass::kRoutes)) status.routes = routes_status(snapshot.routes);
  return status;
}

struct NodeStatusReporter::Entry {
  std::shared_ptr<const model::CalicoNodeStatus> object;
  std::unique_ptr<loop::Timer> timer;
  kube::OperationPtr under_way;
};

NodeStatusReporter::NodeStatusReporter(Parts parts, std::string node_name, std::function<NodeSnapshot()> snapshot)
    : parts_(std::move(parts)), node_name_(std::move(node_name)), snapshot_(std::move(snapshot)) {}
NodeStatusReporter::~NodeStatusReporter() = default;

void NodeStatusReporter::set_object(const std::string& name, std::shared_ptr<const model::CalicoNodeStatus> object) {
  if (object == nullptr || object->spec.node != node_name_) {
    entries_.erase(name);
    return;
  }
  auto& entry = entries_[name];
  const bool is_news = entry == nullptr || entry->object->spec != object->spec;
  if (entry == nullptr) {
    entry = std::make_unique<Entry>();
    entry->timer = parts_.loop.make_timer([this, name] { report(name); });
  }
  entry->object = std::move(object);  // our own writing comes back like this
  if (is_news) entry->timer->arm(Duration(0));
}

void NodeStatusReporter::report(const std::string& name) {
  Entry& entry = *entries_.at(name);
  model::CalicoNodeStatus object = *entry.object;
  object.status = fill(object.spec, snapshot_(), parts_.loop.wall_now(), object.status);
  json::Value whole;
  codec::encode(object, whole);
  const json::Value* status = whole.find("status");
  // All of it at once, so that what was there before and is empty now goes (RFC 6902 section 4.1).
  json::Object add;
  add["op"] = "add";
  add["path"] = "/status";
  add["value"] = status == nullptr ? json::Value(json::Object()) : *status;
  entry.under_way =
      parts_.client.patch(node_statuses(), {"", name}, "status", kube::PatchType::kJson,
                          json::dump(json::Value(json::Array{std::move(add)})), {.field_manager = "margay-node"},
                          [this, name](const kube::ApiResult<json::Value>& answer) { on_answer(name, answer); });
}

void NodeStatusReporter::on_answer(const std::string& name, const kube::ApiResult<json::Value>& answer) {
  Entry& entry = *entries_.at(name);
  const kube::OperationPtr ended = std::move(entry.under_way);
  if (!answer.ok()) {
    parts_.log.warn("the node's status could not be written; it is tried again",
                    {{"object", name}, {"error", answer.error().message}});
    return entry.timer->arm(kWriteRetry);
  }
  const std::int64_t seconds =
      std::clamp<std::int64_t>(entry.object->spec.update_period_seconds.value_or(0), 0, kPeriodMaxSeconds);
  if (seconds == 0) return;
  const Duration period = std::chrono::seconds(seconds);
  const auto jitter = parts_.random.below(static_cast<std::uint64_t>(period.count() / 10));
  entry.timer->arm(period - Duration(static_cast<std::int64_t>(jitter)));
}

}  // namespace margay::status
