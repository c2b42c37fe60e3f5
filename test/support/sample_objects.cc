#include "test/support/sample_objects.h"

#include <utility>

namespace margay::test {

using json::Array;
using json::Object;
using json::Value;
using model::Kind;
using model::ObjectKey;

namespace {

constexpr const char* kCalico = "projectcalico.org/v3";

Value sample(const char* version, const ObjectKey& key, Object labels) {
  Object metadata{{"name", key.name}};
  if (!key.name_space.empty()) metadata["namespace"] = key.name_space;
  if (!labels.empty()) metadata["labels"] = std::move(labels);
  return Object{
      {"apiVersion", version}, {"kind", std::string(model::info(key.kind).name)}, {"metadata", std::move(metadata)}};
}

ObjectKey put(ObjectMap& into, ObjectKey key, Value value) {
  into[key] = std::move(value);
  return key;
}

}  // namespace

void put_namespace(ObjectMap& into, const std::string& name) {
  const ObjectKey key{Kind::kNamespace, "", name};
  put(into, key, sample("v1", key, {}));
}

ObjectKey put_pod(ObjectMap& into, const SamplePod& pod) {
  const ObjectKey key{Kind::kPod, pod.name_space, pod.name};
  const std::string address = pod.address.to_string();
  Value value = sample("v1", key, pod.labels);
  value["spec"] = Object{{"nodeName", pod.node}, {"containers", Array{Object{{"name", "c"}, {"image", "none"}}}}};
  value["status"] = Object{{"phase", "Running"}, {"podIP", address}, {"podIPs", Array{Object{{"ip", address}}}}};
  return put(into, key, std::move(value));
}

ObjectKey put_policy(ObjectMap& into, const std::string& name_space, const std::string& name, Object spec) {
  const ObjectKey key{name_space.empty() ? Kind::kGlobalNetworkPolicy : Kind::kNetworkPolicy, name_space, name};
  Value value = sample(kCalico, key, {});
  value["spec"] = std::move(spec);
  return put(into, key, std::move(value));
}

ObjectKey put_network_set(ObjectMap& into, const std::string& name, Object labels, Array nets) {
  const ObjectKey key{Kind::kGlobalNetworkSet, "", name};
  Value value = sample(kCalico, key, std::move(labels));
  value["spec"] = Object{{"nets", std::move(nets)}};
  return put(into, key, std::move(value));
}

Value policy_rule(const std::string& action, const std::string& protocol, const std::string& source_selector,
                  int destination_port) {
  Object rule{{"action", action}};
  if (!protocol.empty()) rule["protocol"] = protocol;
  if (!source_selector.empty()) rule["source"] = Object{{"selector", source_selector}};
  if (destination_port != 0) rule["destination"] = Object{{"ports", Array{Value(destination_port)}}};
  return rule;
}

}  // namespace margay::test
