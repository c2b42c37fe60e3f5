#include "test/conformance/scenario_world.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/core/text.h"
#include "base/json/view.h"
#include "datastore/codec/codec.h"
#include "policy/translate/translate.h"
#include "test/conformance/conformance_data.h"

namespace margay::conformance {
namespace {

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

StringMap string_map(const json::Value& object) {
  StringMap out;
  if (object.as_object() == nullptr) return out;
  for (const json::Member& member : *object.as_object()) out.set(member.name, text(member.value));
  return out;
}

// Some scenarios name a pod after what made it: "web[Deployment]", which no API server takes.
std::string valid_name(const std::string& name) {
  std::string out;
  for (const char letter : name) {
    const bool is_fine =
        (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' || letter == '.';
    const bool is_upper = letter >= 'A' && letter <= 'Z';
    out.push_back(is_fine ? letter : is_upper ? static_cast<char>(letter - 'A' + 'a') : 'x');
  }
  return out;
}

class WorldReader {
 public:
  explicit WorldReader(World& world) : world_(world) {}
  void read_kubernetes(const json::Value& world, const json::Value& step);
  void read_calico(const json::Value& world, const json::Value& step);

 private:
  void add_namespace(const std::string& name, StringMap labels);
  void add_service_account(const json::Value& row);
  void add_pod(const json::Value& row, const std::string& name_space, const std::string& name, const std::string& key);
  void add_outsiders(const json::Value& rows, const std::string& prefix);
  void add_node(const json::Value& row);
  void add_object(const json::Value& object);

  World& world_;
};

void WorldReader::add_namespace(const std::string& name, StringMap labels) {
  auto made = std::make_shared<model::Namespace>();
  made->metadata.name = name;
  labels.set("kubernetes.io/metadata.name", name);
  made->metadata.labels = std::move(labels);
  add<model::Namespace>(world_.objects, std::move(made));
}

void WorldReader::add_service_account(const json::Value& row) {
  auto made = std::make_shared<model::ServiceAccount>();
  made->metadata.name = text(get(row, "name"));
  made->metadata.name_space = text(get(row, "namespace"));
  made->metadata.labels = string_map(get(row, "labels"));
  add<model::ServiceAccount>(world_.objects, std::move(made));
}

void WorldReader::add_pod(const json::Value& row, const std::string& name_space, const std::string& given_name,
                          const std::string& key) {
  const std::string name = valid_name(given_name);
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
  world_.ends[key] =
      End{.addresses = ips, .node = node, .is_node = pod->spec.host_network, .name_space = name_space, .name = name};
  add<model::Pod>(world_.objects, std::move(pod));
}

void WorldReader::add_outsiders(const json::Value& rows, const std::string& prefix) {
  for (const json::Value& row : array(rows)) {
    const std::string name = text(get(row, "name"));
    const bool is_node = prefix == "node/";
    world_.ends[prefix + name] =
        End{.addresses = addresses(get(row, "ips")), .node = is_node ? name : "", .is_node = is_node};
  }
}

void WorldReader::add_node(const json::Value& row) {
  auto node = std::make_shared<model::Node>();
  node->metadata.name = text(get(row, "name"));
  node->metadata.labels = string_map(get(row, "labels"));
  for (const json::Value& ip : array(get(row, "ips"))) node->status.addresses.push_back({"InternalIP", text(ip)});
  add<model::Node>(world_.objects, std::move(node));
}

void WorldReader::add_object(const json::Value& object) {
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
  kAdders.at (*kind)(world_.objects, object);
}

void WorldReader::read_kubernetes(const json::Value& world, const json::Value& step) {
  for (const json::Member& one : *get(world, "namespaces").as_object()) {
    add_namespace(one.name, string_map(get(one.value, "labels")));
  }
  add_outsiders(get(world, "nodes"), "node/");
  for (const json::Value& node : array(get(world, "nodes"))) add_node(node);
  add_outsiders(get(world, "externals"), "ext/");
  for (const json::Value& pod : *get(world, "pods").as_array()) {
    const std::string name_space(pod.string_at({"namespace"}));
    const std::string name(pod.string_at({"name"}));
    add_pod(pod, name_space, name, concat(name_space, "/", name));
  }
  for (const json::Value& object : *get(step, "policies").as_array()) add_object(object);
}

void WorldReader::read_calico(const json::Value& world, const json::Value& step) {
  for (const json::Member& one : *get(world, "namespaces").as_object()) {
    add_namespace(one.name, string_map(one.value));
  }
  for (const json::Value& row : array(get(world, "serviceAccounts"))) add_service_account(row);
  add_outsiders(get(world, "externals"), "ext/");
  for (const json::Value& row : *get(world, "endpoints").as_array()) {
    const std::string key(row.string_at({"key"}));
    add_pod(row, std::string(row.string_at({"namespace"})), key.substr(key.rfind('/') + 1), key);
  }
  for (const json::Value& object : *get(step, "resources").as_array()) add_object(object);
}

}  // namespace

std::optional<IpAddress> address_of(const End& end, IpFamily family) {
  for (const IpAddress& address : end.addresses) {
    if (address.family() == family) return address;
  }
  return std::nullopt;
}

World read_world(Family family, const json::Value& scenario, const json::Value& step) {
  World out;
  const json::Value world = world_in(step, get(scenario, "world"));
  WorldReader reader(out);
  if (family == Family::kKubernetes) {
    reader.read_kubernetes(world, step);
  } else {
    reader.read_calico(world, step);
  }
  const json::Value& probes = get(step.find("probes") != nullptr ? step : scenario, "probes");
  for (const json::Value& row : array(probes)) out.probes.push_back(probe_of(row));
  return out;
}

// An address with two holders, an end and a network set around it. What a rule wants, does not want and names as port,
// Calico looks for in one holder (its tests have one IP set with the whole expression: conformance data, calc-states);
// some rows look for each in any holder.
bool is_contested(const World& world, const policy::Packet& packet) {
  for (const auto& [key, value] : world.objects) {
    const std::vector<IpPrefix>* nets = nullptr;
    if (const auto* set = std::get_if<policy::Shared<model::NetworkSet>>(&value)) nets = &(*set)->spec.nets;
    if (const auto* set = std::get_if<policy::Shared<model::GlobalNetworkSet>>(&value)) nets = &(*set)->spec.nets;
    if (nets == nullptr) continue;
    for (const IpPrefix& net : *nets) {
      if (net.contains(packet.source) || net.contains(packet.destination)) return true;
    }
  }
  return false;
}

}  // namespace margay::conformance
