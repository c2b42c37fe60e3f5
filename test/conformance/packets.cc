#include "test/conformance/packets.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <variant>

#include "base/core/text.h"
#include "datastore/codec/codec.h"
#include "test/conformance/conformance_data.h"

namespace margay::conformance {
namespace {

using test::ProbeAnswer;
using test::ProbeProtocol;
using test::ProbeQuestion;

constexpr std::size_t kPacketDifferencesMax = 20;

// Lists of networks are sets for a server, which refuses what is there twice; some scenarios have it.
void drop_repeated_networks(json::Value& value) {
  if (json::Array* list = value.as_array()) {
    for (json::Value& each : *list) drop_repeated_networks(each);
  }
  json::Object* const object = value.as_object();
  if (object == nullptr) return;
  for (auto& [name, field] : *object) {
    json::Array* const list = name == "nets" || name == "notNets" ? field.as_array() : nullptr;
    if (list == nullptr) {
      drop_repeated_networks(field);
      continue;
    }
    json::Array once;
    for (json::Value& each : *list) {
      if (std::find(once.begin(), once.end(), each) == once.end()) once.push_back(std::move(each));
    }
    *list = std::move(once);
  }
}

template <class T>
json::Value encoded(const T& object) {
  json::Value out;
  codec::encode(object, out);
  drop_repeated_networks(out);
  const bool needs_spec = out.string_at({"apiVersion"}) == "projectcalico.org/v3" && out.find("spec") == nullptr;
  if (needs_spec) out["spec"] = json::Object{};
  return out;
}

// A pod of policy's is on the agent's node. What the model leaves out is needed by a server.
json::Value encoded(const model::Pod& pod) {
  model::Pod here = pod;
  if (!pod.spec.host_network) here.spec.node_name = SharedText(test::OneNode::kName);
  json::Value out = encoded<model::Pod>(here);
  json::Value& container = out["spec"]["containers"].make_array().front();
  container["name"] = "c";
  container["image"] = "none";
  return out;
}

json::Value object_json(const policy::ObjectValue& value) {
  return std::visit(
      [](const auto& object) -> json::Value {
        if constexpr (std::is_same_v<std::decay_t<decltype(object)>, std::monostate>) {
          return {};
        } else {
          return encoded(*object);
        }
      },
      value);
}

std::optional<ProbeProtocol> protocol_of(const policy::Packet& packet) {
  const std::string name = packet.protocol.to_string();
  if (name == "TCP") return ProbeProtocol::kTcp;
  if (name == "UDP") return ProbeProtocol::kUdp;
  if (name == "SCTP") return ProbeProtocol::kSctp;
  const int type = packet.icmp_type.value_or(0);
  const bool is_echo = type == 8 || type == 128;
  return is_echo ? std::optional(ProbeProtocol::kIcmp) : std::nullopt;
}

// No host sends from such an address, or hears what is sent to it.
bool is_nobodys(const IpAddress& address) { return address.is_unspecified() || address == IpAddress::v4(0xffffffffU); }

std::string_view to_text(ProbeAnswer answer) {
  switch (answer) {
    case ProbeAnswer::kNothing: return "nothing arrived";
    case ProbeAnswer::kOneWay: return "its answer was lost";
    case ProbeAnswer::kAnswered: return "it passed";
  }
  return "";
}

void add_features(const json::Value& value, const std::string& path, std::set<std::string>& features) {
  static const std::set<std::string> kTold = {"action",      "protocol", "operator", "type",
                                              "policyTypes", "types",    "kind",     "defaultAction"};
  features.insert(path);
  if (const json::Array* list = value.as_array()) {
    for (const json::Value& one : *list) add_features(one, path, features);
    return;
  }
  if (const json::Object* object = value.as_object()) {
    for (const json::Member& member : *object) {
      if (member.name != "metadata" && member.name != "matchLabels") {
        add_features(member.value, concat(path, ".", member.name), features);
      }
    }
    return;
  }
  const std::string last = path.substr(path.rfind('.') + 1);
  if (kTold.contains(last) && value.as_string() != nullptr) features.insert(concat(path, "=", *value.as_string()));
}

}  // namespace

void PacketResult::print(const std::string& what) const {
  std::printf(
      "%s: %zu scenarios, %zu steps, %zu cells with packets (%zu allowed); %zu with nothing to ask, %zu from a node to "
      "its own pods, %zu contested; %zu differ\n",
      what.c_str(), scenarios, steps, cells, allowed, open, local, contested, differences.size());
  std::fflush(stdout);
}

const test::NetSpace& PacketScenarios::space_of(const End& end) {
  const bool is_outside = end.is_node || end.name.empty();
  return is_outside ? node_.outside() : node_.pod(end.name_space, end.name, end.addresses);
}

bool PacketScenarios::apply(const World& world, const std::string& where, PacketResult& result) {
  std::set<IpAddress> outside;
  for (const auto& [key, end] : world.ends) {
    if (&space_of(end) != &node_.outside()) continue;
    for (const IpAddress& address : end.addresses) {
      if (!is_nobodys(address)) outside.insert(address);
    }
  }
  node_.add_outside(outside);
  test::ObjectMap objects;
  for (const auto& [key, value] : world.objects) objects[key] = object_json(value);
  for (const std::string& refused : node_.bring_to(std::move(objects))) {
    result.differences.push_back(concat(where, ": refused: ", refused));
  }
  const std::string missing = node_.wait_for_kernel();
  if (!missing.empty()) result.differences.push_back(concat(where, ": not in the kernel: ", missing));
  return missing.empty();
}

void PacketScenarios::check(Family family, const World& world, const json::Value& step, const std::string& where,
                            PacketResult& result) {
  std::vector<ProbeQuestion> questions;
  std::vector<std::string> names;
  for (const json::Member& from : *get(step, "expected").as_object()) {
    const End& source = world.ends.at(from.name);
    for (const json::Member& to : *from.value.as_object()) {
      const End& destination = world.ends.at(to.name);
      const std::string expected = text(to.value);
      for (std::size_t i = 0; i < world.probes.size(); ++i) {
        const Probe& probe = world.probes[i];
        const auto here = address_of(source, probe.family), there = address_of(destination, probe.family);
        const auto protocol = protocol_of(probe.packet);
        const bool is_local = source.is_node && !destination.is_node && source.node == destination.node;
        const bool has_ends = here && there && !is_nobodys(*here) && !is_nobodys(*there);
        if (expected[i] == '?' || !has_ends || !protocol || is_local) {
          ++(is_local ? result.local : result.open);
          continue;
        }
        policy::Packet packet = probe.packet;
        packet.source = *here;
        packet.destination = *there;
        if (family == Family::kCalico && is_contested(world, packet)) {
          ++result.contested;
          continue;
        }
        constexpr std::uint16_t kAnyPort = 40000;  // what the data's reader puts for none
        const std::uint16_t source_port = packet.source_port.value();
        questions.push_back({.from = &space_of(source),
                             .to = &space_of(destination),
                             .source = *here,
                             .destination = *there,
                             .protocol = *protocol,
                             .destination_port = packet.destination_port.value(),
                             .source_port = source_port == kAnyPort ? std::uint16_t{0} : source_port,
                             .is_expected = expected[i] == '.'});
        names.push_back(concat(from.name, " to ", to.name, " ", packet.protocol.to_string(), " ",
                               packet.destination_port.value(), ": expected ", std::string(1, expected[i])));
      }
    }
  }
  const std::vector<ProbeAnswer> answers = prober_.ask(questions);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    ++result.cells;
    if (questions[i].is_expected) ++result.allowed;
    const ProbeAnswer wanted = questions[i].is_expected ? ProbeAnswer::kAnswered : ProbeAnswer::kNothing;
    if (answers[i] == wanted || result.differences.size() >= kPacketDifferencesMax) continue;
    result.differences.push_back(concat(where, ": ", names[i], ", ", to_text(answers[i])));
  }
}

void PacketScenarios::run(Family family, const json::Value& scenario, PacketResult& result) {
  ++result.scenarios;
  int number = 0;
  for (const json::Value& step : *get(scenario, "steps").as_array()) {
    const World world = read_world(family, scenario, step);
    const std::string where = concat(text(get(scenario, "id")), " step ", number++);
    ++result.steps;
    if (apply(world, where, result)) check(family, world, step, where, result);
  }
}

std::set<std::string> features_of(const json::Value& scenario) {
  std::set<std::string> features;
  add_features(get(get(scenario, "world"), "nodes"), "nodes", features);
  add_features(get(get(scenario, "world"), "externals"), "externals", features);
  add_features(get(scenario, "probes"), "probes", features);
  for (const json::Value& step : *get(scenario, "steps").as_array()) {
    for (const char* part : {"policies", "resources"}) add_features(get(step, part), part, features);
    for (const char* part : {"namespaces", "pods", "nodes", "externals", "probes"}) {
      if (step.find(part) != nullptr) features.insert(concat("changed ", part));
    }
  }
  return features;
}

}  // namespace margay::conformance
