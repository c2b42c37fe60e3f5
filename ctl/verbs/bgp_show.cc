// bgp peers, routes, neighbor: what the speaker of this machine says.
#include <algorithm>

#include "base/core/text.h"
#include "base/http/message.h"
#include "base/ip/prefix.h"
#include "ctl/render/age.h"
#include "ctl/render/cells.h"
#include "ctl/verbs/node_reports.h"
#include "ctl/verbs/show.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using json::Value;
using render::Table;

// Tables of routes can be large.
constexpr Duration kRoutesLimit = std::chrono::minutes(5);

std::string socket_of(Session& session) {
  if (session.invocation().is_given("socket")) return session.invocation().text("socket");
  const std::string agent(kAgentSocket);
  const std::string speaker(kSpeakerSocket);
  return !session.host().has_file(agent) && session.host().has_file(speaker) ? speaker : agent;
}

std::string field_cell(const Value& object, std::string_view name) {
  const Value* const value = object.find(name);
  const bool is_empty = value != nullptr && value->as_string() != nullptr && value->as_string()->empty();
  if (value != nullptr && value->as_array() != nullptr) return render::joined(value, "-");
  return is_empty ? "-" : render::cell_text(value, "-");
}

std::string age_cell(const Value& object, std::string_view name) {
  const Value* const value = object.find(name);
  if (value == nullptr || (value->as_double() == nullptr && value->as_integer() == nullptr)) return "-";
  const auto seconds =
      value->as_integer() != nullptr ? *value->as_integer() : static_cast<std::int64_t>(*value->as_double());
  return render::short_duration(std::chrono::seconds(seconds));
}

bool is_true(const Value& object, std::string_view name) {
  const Value* const value = object.find(name);
  return value != nullptr && value->as_bool() != nullptr && *value->as_bool();
}

const json::Array& elements(const Value& answer, std::string_view name, const json::Array& none) {
  const Value* const found = answer.find(name);
  return found != nullptr && found->as_array() != nullptr ? *found->as_array() : none;
}

// --- peers ---

void show_sessions(Session& session, const json::Array& peers) {
  std::vector<Table::Row> rows;
  for (const Value& peer : peers) {
    rows.push_back({field_cell(peer, "address"), field_cell(peer, "name"), field_cell(peer, "asNumber"),
                    field_cell(peer, "state"), age_cell(peer, "sinceSeconds"), field_cell(peer, "prefixesReceived"),
                    field_cell(peer, "prefixesAccepted"), field_cell(peer, "prefixesSent"),
                    field_cell(peer, "problem")});
  }
  show_table(session, {"PEER", "NAME", "ASN", "STATE", "SINCE", "RECEIVED", "ACCEPTED", "SENT", "REASON"}, rows);
}

// What the speaker itself cannot do; false when there is no speaker.
bool tell_speaker(Session& session, const Value& answer) {
  const json::Array none;
  if (const Value* const speaker = answer.find("speaker")) {
    for (const Value& problem : elements(*speaker, "problems", none)) {
      if (problem.as_string() != nullptr) session.io().warning(concat("tried again: ", *problem.as_string()));
    }
  }
  const std::string_view refused = answer.string_at({"refused"});
  if (!refused.empty()) session.io().warning(concat("the last configuration was refused: ", refused));
  // margay-bgpd does not say it: it would not be there.
  const bool is_running = answer.find("running") == nullptr || is_true(answer, "running");
  if (!is_running) session.io().warning("BGP is not running");
  return is_running && refused.empty();
}

// --- neighbor ---

std::string detail_lines(const Value& value, std::size_t indent);

std::string detail_line(const json::Member& member, std::size_t indent) {
  const std::string name = concat(std::string(indent, ' '), member.name, ":");
  if (member.value.as_object() != nullptr) return concat(name, "\n", detail_lines(member.value, indent + 2));
  if (member.value.as_array() != nullptr) return concat(name, " ", render::joined(&member.value, "-"), "\n");
  if (member.name.ends_with("Seconds") && !member.value.is_null()) {
    const std::string label = member.name.substr(0, member.name.size() - std::string_view("Seconds").size());
    const Value holder = json::Object{{"seconds", member.value}};
    return concat(std::string(indent, ' '), label, ": ", age_cell(holder, "seconds"), "\n");
  }
  const Value holder = json::Object{{"value", member.value}};
  return concat(name, " ", field_cell(holder, "value"), "\n");
}

std::string detail_lines(const Value& value, std::size_t indent) {
  std::string out;
  for (const json::Member& member : *value.as_object()) out += detail_line(member, indent);
  return out;
}

// --- routes ---

// ">" best, "*" used beside it, "s" stale, "x" filtered.
std::string path_marks(const Value& route) {
  std::string out;
  if (is_true(route, "best")) out += '>';
  if (is_true(route, "multipath")) out += '*';
  if (is_true(route, "stale")) out += 's';
  if (is_true(route, "filtered")) out += 'x';
  return out;
}

Result<std::string> routes_target(const command::Invocation& invocation) {
  std::vector<std::string> parts;
  const bool is_in = invocation.is_on("received"), is_out = invocation.is_on("advertised");
  if (is_in && is_out) return invalid("--received and --advertised exclude each other");
  if ((is_in || is_out) && !invocation.is_given("peer")) return invalid("--received and --advertised need --peer");
  if (invocation.is_given("peer")) {
    const auto peer = IpAddress::parse(invocation.text("peer"));
    if (!peer.ok()) return peer.error().within("--peer");
    parts.push_back(concat("peer=", peer->to_string()));
  }
  if (is_in) parts.emplace_back("in");
  if (is_out) parts.emplace_back("out");
  if (invocation.arguments.empty() && invocation.is_on("longer")) return invalid("--longer needs a PREFIX");
  if (!invocation.arguments.empty()) {
    const std::string& text = invocation.arguments.front();
    const auto prefix = IpPrefix::parse_cidr_or_address(text);
    if (!prefix.ok()) return prefix.error();
    const bool is_address = text.find('/') == std::string::npos;
    if (is_address && invocation.is_on("longer")) return invalid("--longer needs a PREFIX, not an address");
    parts.push_back(concat("prefix=", http::percent_encode(prefix->to_string())));
    if (is_address) parts.emplace_back("match=holding");
    if (invocation.is_on("longer")) parts.emplace_back("match=inside");
  }
  return parts.empty() ? std::string("/routes") : concat("/routes?", join(parts, "&"));
}

void show_paths(Session& session, const json::Array& routes) {
  std::vector<Table::Row> rows;
  for (const Value& route : routes) {
    rows.push_back({path_marks(route), field_cell(route, "prefix"), field_cell(route, "nextHop"),
                    field_cell(route, "peer"), field_cell(route, "localPref"), field_cell(route, "med"),
                    field_cell(route, "asPath"), field_cell(route, "communities"), field_cell(route, "reason")});
  }
  show_table(session, {"", "PREFIX", "NEXT HOP", "PEER", "LOCAL PREF", "MED", "AS PATH", "COMMUNITIES", "REASON"},
             rows);
}

}  // namespace

ExitCode run_bgp_peers(Session& session) {
  const auto answer = node::ask(session.host(), socket_of(session), "/peers");
  if (!answer.ok()) return session.fail(answer.error());
  const json::Array none;
  const json::Array& peers = elements(*answer, "peers", none);
  if (!show_value(session, *answer)) show_sessions(session, peers);
  const bool is_speaker_well = tell_speaker(session, *answer);
  const bool is_well = std::all_of(peers.begin(), peers.end(),
                                   [](const Value& peer) { return peer.string_at({"state"}) == "Established"; });
  return is_speaker_well && is_well ? ExitCode::kDone : ExitCode::kDegraded;
}

ExitCode run_bgp_neighbor(Session& session) {
  const auto wanted = IpAddress::parse(session.invocation().arguments.front());
  if (!wanted.ok()) return session.usage(wanted.error().message);
  const auto answer = node::ask(session.host(), socket_of(session), "/peers");
  if (!answer.ok()) return session.fail(answer.error());
  const json::Array none;
  bool is_found = false;
  for (const Value& peer : elements(*answer, "peers", none)) {
    if (peer.string_at({"address"}) != wanted->to_string()) continue;
    // A peer may be there by several ports.
    if (std::exchange(is_found, true)) session.io().out("\n");
    if (!show_value(session, peer)) session.io().out(detail_lines(peer, 0));
  }
  if (is_found) return ExitCode::kDone;
  return session.fail(Error{ErrorCode::kNotFound, concat("there is no peer ", wanted->to_string())});
}

ExitCode run_bgp_routes(Session& session) {
  const auto target = routes_target(session.invocation());
  if (!target.ok()) return session.usage(target.error().message);
  const auto answer = node::ask(session.host(), socket_of(session), *target, kRoutesLimit);
  if (!answer.ok()) return session.fail(answer.error());
  const json::Array none;
  const json::Array& routes = elements(*answer, "routes", none);
  if (!show_value(session, *answer)) show_paths(session, routes);
  const bool is_asked_for = !session.invocation().arguments.empty();
  return routes.empty() && is_asked_for
             ? session.fail(Error{ErrorCode::kNotFound,
                                  concat("there is no route for ", session.invocation().arguments.front())})
             : ExitCode::kDone;
}

}  // namespace margay::verbs
