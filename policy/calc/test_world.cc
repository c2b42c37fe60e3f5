#include "policy/calc/test_world.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/json/view.h"
#include "base/json/yaml.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/readable.h"
#include "policy/calc/exchange_fields.h"
#include "policy/calc/normalise.h"

namespace margay::policy::test {
namespace {

template <class T>
bool try_decode(model::Kind kind, const json::Value& value, Input& out) {
  if (kind != T::kKind) return false;
  json::Document document;
  const std::string text = json::dump(value);
  const Result<json::View> view = document.parse(text);
  MARGAY_CHECK(view.ok());
  auto object = std::make_shared<T>();
  if constexpr (requires { object->spec.unread; }) {
    codec::decode_readable(*view, *object);
  } else {
    MARGAY_CHECK(codec::decode(*view, *object).empty());
  }
  out.key = {.kind = kind,
             .name_space = std::string(std::string_view(object->metadata.name_space)),
             .name = object->metadata.name};
  out.value = Shared<T>(std::move(object));
  return true;
}

template <class... T>
bool decode_any(model::Kind kind, const json::Value& value, Input& out,
                const std::variant<std::monostate, Shared<T>...>*) {
  return (try_decode<T>(kind, value, out) || ...);
}

void append_line(std::vector<std::string>& lines, const std::string& name, const json::Value& value) {
  lines.push_back(concat(name, " = ", json::dump(value)));
}

std::string refs_text(const std::vector<PolicyRef>& refs) {
  std::vector<std::string> out;
  for (const PolicyRef& ref : refs) out.push_back((ref.is_staged ? "~" : "") + exchange::text_of(ref.id));
  return join(out, ", ");
}

std::string endpoint_text(const Endpoint& endpoint) {
  const EndpointPolicy& policy = endpoint.policy;
  const std::string_view node = endpoint.host != nullptr ? endpoint.host->spec.node : endpoint.workload->spec.node;
  const std::string_view interface =
      endpoint.host != nullptr ? endpoint.host->spec.interface_name : endpoint.workload->spec.interface_name;
  return concat(node, " ", interface, " normal[", text_of(policy.normal), "] untracked[", text_of(policy.untracked),
                "] preDNAT[", text_of(policy.pre_dnat), "] forward[", text_of(policy.forward), "] profiles[",
                join(policy.profiles, ", "), "]");
}

}  // namespace

std::vector<Input> objects(std::string_view yaml) {
  const Result<std::vector<json::YamlDocument>> documents = json::parse_yaml(yaml);
  MARGAY_CHECK(documents.ok());
  std::vector<Input> out;
  for (const json::YamlDocument& document : *documents) {
    const json::Value& value = document.value;
    const std::optional<model::Kind> kind =
        model::find_kind(value.string_at({"apiVersion"}), value.string_at({"kind"}));
    MARGAY_CHECK(kind.has_value());
    Input input;
    MARGAY_CHECK(decode_any(*kind, value, input, static_cast<const ObjectValue*>(nullptr)));
    out.push_back(std::move(input));
  }
  return out;
}

Input object(std::string_view yaml) {
  std::vector<Input> all = objects(yaml);
  MARGAY_CHECK(all.size() == 1);
  return std::move(all.front());
}

Input absent(const ObjectKey& key) { return {.key = key, .value = {}}; }

ObjectKey key(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '/');
  MARGAY_CHECK(parts.size() == 3);
  const auto kinds = model::all_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& info) { return info.name == parts[0]; });
  MARGAY_CHECK(kind != kinds.end());
  return {.kind = kind->kind, .name_space = std::string(parts[1]), .name = std::string(parts[2])};
}

std::string text_of(const std::vector<TierPolicies>& tiers) {
  std::vector<std::string> out;
  for (const TierPolicies& tier : tiers) {
    out.push_back(concat(tier.tier, " ", model::to_string(tier.default_action), ": in ", refs_text(tier.ingress),
                         "; out ", refs_text(tier.egress)));
  }
  return join(out, " | ");
}

std::string text_of(const State& state) {
  std::vector<std::string> lines;
  for (const auto& [id, set] : state.ip_sets()) {
    std::string members;
    for (const IpSetMember& member : set.members()) members.append(" ").append(member.to_string());
    lines.push_back(concat("set ", id.view(), set.kind() == IpSetKind::kPorts ? " ports" : " nets", members));
  }
  ClusterUpdate rules;
  for (const auto& [id, policy] : state.policies()) {
    rules.policies[id] = std::make_shared<const RuleSet>(policy->rules);
    lines.push_back(concat("policy ", exchange::text_of(id), " ", policy->tier, policy->is_staged ? " staged" : "",
                           policy->do_not_track ? " untracked" : "", policy->pre_dnat ? " preDNAT" : "",
                           policy->apply_on_forward ? " forward" : "", " ", policy->selector));
  }
  for (const auto& [name, profile] : state.profiles()) {
    rules.profiles[name] = std::make_shared<const ProfileBody>(
        ProfileBody{.labels = {}, .is_missing = profile->is_missing, .rules = profile->rules});
  }
  append_line(lines, "rules", to_json(rules));
  for (const auto& [id, endpoint] : state.endpoints()) {
    lines.push_back(concat("endpoint ", id.to_string(), " ", endpoint_text(*endpoint)));
  }
  return join(lines, "\n");
}

SplitEngine::SplitEngine(Engine::Options options)
    : options_(std::move(options)),
      cluster_({.suppress_nested = options_.suppress_nested}),
      subscriber_(cluster_.subscribe()) {}

void SplitEngine::apply(const Input& input) {
  const auto is_ours = [this](const auto& endpoint) {
    return endpoint != nullptr && (!options_.node || endpoint->spec.node == *options_.node);
  };
  cluster_.apply(input);
  const model::Kind kind = input.key.kind;
  if (kind == model::Kind::kPod || kind == model::Kind::kWorkloadEndpoint) {
    const Shared<model::WorkloadEndpoint> workload = workload_of(input);
    node_.put_workload(input.key, is_ours(workload) ? workload : nullptr);
  }
  if (kind == model::Kind::kHostEndpoint) {
    const Shared<model::HostEndpoint> host = object_of<model::HostEndpoint>(input);
    node_.put_host(input.key, is_ours(host) ? host : nullptr);
  }
}

Delta SplitEngine::flush() {
  const auto through_text = [](const json::Value& value) { return json::parse(json::dump(value)).value(); };
  for (;;) {
    node_.apply(cluster_update_from_json(through_text(to_json(cluster_.take(subscriber_)))).value());
    const NodeDemand demand = demand_from_json(through_text(to_json(node_.take_demand()))).value();
    if (demand.empty()) return node_.take();
    cluster_.demand(subscriber_, demand);
  }
}

}  // namespace margay::policy::test
