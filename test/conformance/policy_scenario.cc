#include "test/conformance/policy_scenario.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "base/core/text.h"
#include "base/json/view.h"
#include "datastore/codec/codec.h"
#include "policy/translate/translate.h"
#include "test/conformance/conformance_data.h"

namespace margay::conformance {
namespace {

using model::ObjectKey;

constexpr std::size_t kDifferencesMax = 20;

const json::Array& array(const json::Value& value) {
  static const json::Array kNone;
  return value.as_array() == nullptr ? kNone : *value.as_array();
}

std::vector<IpAddress> addresses(const json::Value& list) {
  std::vector<IpAddress> out;
  for (const json::Value& one : array(list)) out.push_back(IpAddress::parse(text(one)).value());
  return out;
}

Probe probe_of(const json::Value& row) {
  Probe out;
  out.packet.protocol = model::Protocol::parse(text(get(row, "protocol"))).value();
  out.packet.source_port = Port(40000);
  if (row.find("sport") != nullptr) out.packet.source_port = Port(number<std::uint16_t>(get(row, "sport")));
  out.packet.destination_port = Port(number<std::uint16_t>(get(row, "port")));
  if (row.find("type") != nullptr) out.packet.icmp_type = number<std::uint8_t>(get(row, "type"));
  if (row.find("code") != nullptr) out.packet.icmp_code = number<std::uint8_t>(get(row, "code"));
  if (number<int>(get(row, "family")) == 6) out.family = IpFamily::kV6;
  return out;
}

std::optional<IpAddress> address_of(const End& end, IpFamily family) {
  for (const IpAddress& address : end.addresses) {
    if (address.family() == family) return address;
  }
  return std::nullopt;
}

template <class T>
std::shared_ptr<const T> decoded_object(const json::Value& object) {
  json::Document parser;
  auto out = std::make_shared<T>();
  const FieldErrors errors = codec::decode(*parser.parse(json::dump(object)), *out);
  if (!errors.empty()) {
    std::printf("%s: %s\n", text(get(get(object, "metadata"), "name")).c_str(), to_string(errors).c_str());
  }
  return out;
}

template <class T>
void add(Objects& into, std::shared_ptr<const T> object) {
  const auto& meta = object->metadata;
  into[{.kind = T::kKind, .name_space = std::string(meta.name_space), .name = meta.name}] = std::move(object);
}

template <class T>
void add_decoded(Objects& into, const json::Value& object) {
  add(into, decoded_object<T>(object));
}

template <class T>
void add_translated(Objects& into, const json::Value& object) {
  auto translated = policy::from_kubernetes(*decoded_object<T>(object)).object;
  add(into, std::make_shared<const decltype(translated)>(std::move(translated)));
}

// The world as it is in one step.
json::Value world_in(const json::Value& step, json::Value world) {
  for (const char* part : {"namespaces", "pods", "nodes", "externals"}) {
    if (const json::Value* given = step.find(part)) world[part] = *given;
  }
  return world;
}

}  // namespace

Scenario::Scenario() {
  pair_.on_delta([this](const policy::Delta& delta) { wrong_ = rendered_.apply(delta); });
}

void ScenarioResult::add(const ScenarioResult& other) {
  cells += other.cells;
  rendered += other.rendered;
  naive += other.naive;
  open += other.open;
  local += other.local;
  contested += other.contested;
}

void ScenarioResult::print(const std::string& what, std::size_t scenarios) const {
  std::printf(
      "%s: %zu scenarios, %zu cells, %zu of them in iptables and %zu "
      "by the naive evaluator too; %zu with nothing to ask, "
      "%zu from a node to its own pods, where no policy is asked; %zu "
      "contested\n",
      what.c_str(), scenarios, cells, rendered, naive, open, local, contested);
}

StringMap string_map(const json::Value& object) {
  StringMap out;
  if (object.as_object() == nullptr) return out;
  for (const json::Member& member : *object.as_object()) out.set(member.name, text(member.value));
  return out;
}

void Scenario::add_namespace(const std::string& name, StringMap labels) {
  auto made = std::make_shared<model::Namespace>();
  made->metadata.name = name;
  labels.set("kubernetes.io/metadata.name", name);
  made->metadata.labels = std::move(labels);
  add<model::Namespace>(objects_, std::move(made));
}

void Scenario::add_service_account(const json::Value& row) {
  auto made = std::make_shared<model::ServiceAccount>();
  made->metadata.name = text(get(row, "name"));
  made->metadata.name_space = text(get(row, "namespace"));
  made->metadata.labels = string_map(get(row, "labels"));
  add<model::ServiceAccount>(objects_, std::move(made));
}

void Scenario::add_pod(const json::Value& row, const std::string& name_space, const std::string& name,
                       const std::string& key) {
  auto pod = std::make_shared<model::Pod>();
  pod->metadata.name = name;
  pod->metadata.name_space = SharedText(name_space);
  pod->metadata.labels = string_map(get(row, "labels"));
  const std::string node = text(get(row, "node"));
  pod->spec.node_name = SharedText(node.empty() ? "node" : node);
  pod->spec.service_account_name = SharedText(text(get(row, "serviceAccount")));
  const bool* host_network = get(row, "hostNetwork").as_bool();
  pod->spec.host_network = host_network != nullptr && *host_network;
  model::Container& container = pod->spec.containers.emplace_back();
  for (const json::Value& port : array(get(row, "ports"))) {
    container.ports.push_back({.name = SharedText(text(get(port, "name"))),
                               .protocol = model::Protocol::parse(text(get(port, "protocol"))).value(),
                               .container_port = Port(number<std::uint16_t>(get(port, "port"))),
                               .host_port = {},
                               .host_ip = {}});
  }
  pod->status.phase = model::PodPhase::kRunning;
  const std::vector<IpAddress> ips = addresses(get(row, "ips"));
  for (const IpAddress& ip : ips) pod->status.pod_ips.push_back({ip});
  if (!ips.empty()) pod->status.pod_ip = ips.front();
  ends_[key] = End{.addresses = ips, .node = node, .is_node = pod->spec.host_network};
  add<model::Pod>(objects_, std::move(pod));
}

void Scenario::add_outsiders(const json::Value& rows, const std::string& prefix) {
  for (const json::Value& row : array(rows)) {
    const std::string name = text(get(row, "name"));
    const bool is_node = prefix == "node/";
    ends_[prefix + name] =
        End{.addresses = addresses(get(row, "ips")), .node = is_node ? name : "", .is_node = is_node};
  }
}

void Scenario::add_node(const json::Value& row) {
  auto node = std::make_shared<model::Node>();
  node->metadata.name = text(get(row, "name"));
  node->metadata.labels = string_map(get(row, "labels"));
  for (const json::Value& ip : array(get(row, "ips"))) node->status.addresses.push_back({"InternalIP", text(ip)});
  add<model::Node>(objects_, std::move(node));
}

void Scenario::add_object(const json::Value& object) {
  static const std::map<model::Kind, void (*)(Objects&, const json::Value&)> kAdders = {
      {model::Kind::kTier, add_decoded<model::Tier>},
      {model::Kind::kNetworkPolicy, add_decoded<model::NetworkPolicy>},
      {model::Kind::kGlobalNetworkPolicy, add_decoded<model::GlobalNetworkPolicy>},
      {model::Kind::kStagedNetworkPolicy, add_decoded<model::StagedNetworkPolicy>},
      {model::Kind::kStagedGlobalNetworkPolicy, add_decoded<model::StagedGlobalNetworkPolicy>},
      {model::Kind::kNetworkSet, add_decoded<model::NetworkSet>},
      {model::Kind::kGlobalNetworkSet, add_decoded<model::GlobalNetworkSet>},
      {model::Kind::kStagedKubernetesNetworkPolicy, add_translated<model::StagedKubernetesNetworkPolicy>},
      {model::Kind::kKubernetesNetworkPolicy, add_translated<model::KubernetesNetworkPolicy>},
      {model::Kind::kClusterNetworkPolicy, add_translated<model::ClusterNetworkPolicy>},
      {model::Kind::kAdminNetworkPolicy, add_translated<model::AdminNetworkPolicy>},
      {model::Kind::kBaselineAdminNetworkPolicy, add_translated<model::BaselineAdminNetworkPolicy>},
  };
  const auto kind = model::find_kind(text(get(object, "apiVersion")), text(get(object, "kind")));
  MARGAY_CHECK(kind && kAdders.contains(*kind));
  kAdders.at (*kind)(objects_, object);
}

ScenarioResult Scenario::run(const json::Value& scenario, std::size_t naive_stride) {
  naive_stride_ = naive_stride;
  ScenarioResult result;
  int number = 0;
  for (const json::Value& step : array(get(scenario, "steps"))) {
    objects_.clear();
    ends_.clear();
    read_world(world_in(step, get(scenario, "world")));
    read_policies(step);
    probes_.clear();
    const json::Value& probes = get(step.find("probes") != nullptr ? step : scenario, "probes");
    for (const json::Value& row : array(probes)) probes_.push_back(probe_of(row));
    const std::string where = concat(text(get(scenario, "id")), " step ", number++);
    apply(where, result);
    check_step(step, where, result);
  }
  return result;
}

// What is no longer there goes, what is new or different comes, and the rest is
// not touched.
void Scenario::apply(const std::string& where, ScenarioResult& result) {
  for (const auto& [key, value] : applied_) {
    if (!objects_.contains(key)) pair_.put(key, std::monostate());
  }
  for (const auto& [key, value] : objects_) pair_.put(key, value);
  applied_ = objects_;
  const Status status = pair_.flush();
  if (!status.ok()) result.differences.push_back(concat(where, ": ", status.error().message));
  for (const std::string& wrong : wrong_) result.differences.push_back(concat(where, ": ", wrong));
}

void Scenario::check_step(const json::Value& step, const std::string& where, ScenarioResult& result) {
  for (const json::Member& from : *get(step, "expected").as_object()) {
    for (const json::Member& to : *from.value.as_object()) {
      check_pair(from.name, to.name, text(to.value), where, result);
    }
  }
}

void Scenario::check_pair(const std::string& from, const std::string& to, const std::string& expected,
                          const std::string& where, ScenarioResult& result) {
  MARGAY_CHECK(has_end(from) && has_end(to) && expected.size() == probes_.size());
  const End& source = ends_.at(from);
  const End& destination = ends_.at(to);
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    const auto source_address = address_of(source, probes_[i].family);
    const auto destination_address = address_of(destination, probes_[i].family);
    if (expected[i] == '?' || !source_address || !destination_address) {
      ++result.open;
      continue;
    }
    if (source.is_node && !destination.is_node && source.node == destination.node) {
      ++result.local;
      continue;
    }
    policy::Packet packet = probes_[i].packet;
    packet.source = *source_address;
    packet.destination = *destination_address;
    const policy::Verdict verdict = pair_.verdict(packet);
    const bool is_allowed = verdict.answer == policy::Answer::kAllow;
    check_rendered(packet, is_allowed, concat(where, ": ", from, " to ", to), result);
    const bool is_naive_asked = result.cells++ % naive_stride_ == 0;
    result.naive += is_naive_asked ? 1 : 0;
    const bool naive = is_naive_asked ? pair_.naive_allows(packet) : is_allowed;
    const bool is_expected = expected[i] == '.';
    if (is_allowed == is_expected && naive == is_expected) continue;
    if (is_contested(packet) && pair_.naive_allows(packet) == is_allowed) {
      ++result.contested;
      continue;
    }
    if (result.differences.size() >= kDifferencesMax) continue;
    result.differences.push_back(concat(where, ": ", from, " to ", to, " ", packet.protocol.to_string(), " ",
                                        packet.destination_port.value(), ": expected ", expected[i], ", engine ",
                                        is_allowed ? "." : "X", " (",
                                        verdict.decided_by ? verdict.decided_by->to_string() : "nobody", "), naive ",
                                        is_naive_asked ? (naive ? "." : "X") : "not asked"));
  }
}

void Scenario::check_rendered(const policy::Packet& packet, bool is_allowed, const std::string& where,
                              ScenarioResult& result) {
  const test::Walked walked =
      rendered_.walk(packet, pair_.endpoint_at(packet.source), pair_.endpoint_at(packet.destination));
  ++result.rendered;
  if (walked.passes() == is_allowed || result.differences.size() >= kDifferencesMax) return;
  result.differences.push_back(concat(where, ' ', packet.protocol.to_string(), ' ', packet.destination_port.value(),
                                      ": iptables says ", walked.passes() ? "." : "X", " (", walked.where, ")"));
}

}  // namespace margay::conformance
