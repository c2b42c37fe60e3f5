#include "datastore/patch/kubernetes_lists.h"

#include <algorithm>

#include "base/core/text.h"

namespace margay::patch {
namespace {

struct Row {
  // The last names of the path; with a dot before them, all names.
  std::string_view place;
  // Of strategic merge patch; "" means scalars.
  std::string_view merge_key;
  // Of server-side apply: where it is not the merge key alone. "-" makes the list atomic there.
  std::string_view apply_keys = "";
};

constexpr Row kLists[] = {
    {"metadata.finalizers", ""},
    {"metadata.ownerReferences", "uid"},
    {".secrets", "name"},
    {".webhooks", "name"},
    {"spec.containers", "name"},
    {"spec.initContainers", "name"},
    {"spec.ephemeralContainers", "name"},
    {"containers.ports", "containerPort", "containerPort,protocol"},
    {"initContainers.ports", "containerPort", "containerPort,protocol"},
    {"ephemeralContainers.ports", "containerPort", "containerPort,protocol"},
    {"env", "name"},
    {"volumeMounts", "mountPath"},
    {"volumeDevices", "devicePath"},
    {"spec.volumes", "name"},
    {"spec.imagePullSecrets", "name"},
    {"spec.hostAliases", "ip"},
    {"spec.schedulingGates", "name"},
    {"spec.resourceClaims", "name"},
    {"spec.topologySpreadConstraints", "topologyKey", "topologyKey,whenUnsatisfiable"},
    {"spec.ports", "port", "port,protocol"},
    {"spec.podCIDRs", ""},
    {"status.addresses", "type"},
    {"status.conditions", "type"},
    {"status.podIPs", "ip"},
    {"status.hostIPs", "ip", "-"},
};

// Selectors and references to another object: half a selector is another selector.
constexpr std::string_view kAtomicObjects[] = {
    "labelSelector",     "podSelector",
    "namespaceSelector", "objectSelector",
    "spec.selector",     "fieldRef",
    "resourceFieldRef",  "configMapKeyRef",
    "secretKeyRef",      "targetRef",
    "spec.nodeSelector", "spec.imagePullSecrets",
    ".secrets",          "metadata.ownerReferences",
};

bool matches(std::string_view place, FieldPath path) {
  const bool is_whole = place.starts_with('.');
  if (is_whole) place.remove_prefix(1);
  std::size_t at = path.size();
  while (at > 0) {
    const std::size_t dot = place.rfind('.');
    if (path[--at] != place.substr(dot + 1)) return false;  // npos + 1 is 0
    if (dot == std::string_view::npos) return !is_whole || at == 0;
    place = place.substr(0, dot);
  }
  return false;
}

const Row* find_row(FieldPath path) {
  const auto* row =
      std::find_if(std::begin(kLists), std::end(kLists), [&](const Row& r) { return matches(r.place, path); });
  return row == std::end(kLists) ? nullptr : row;
}

ListKey key_of(std::string_view name) {
  ListKey key{std::string(name), std::nullopt};
  if (name == "protocol") key.default_value = json::Value("TCP");
  return key;
}

}  // namespace

ListType KubernetesLists::list_at(FieldPath path) const {
  const Row* row = find_row(path);
  if (row == nullptr || row->apply_keys == "-") return {};
  if (row->merge_key.empty()) return {ListType::Kind::kSet, {}};
  ListType type{ListType::Kind::kMap, {}};
  for (const std::string_view name : split(row->apply_keys.empty() ? row->merge_key : row->apply_keys, ','))
    type.keys.push_back(key_of(name));
  return type;
}

bool KubernetesLists::is_atomic_object(FieldPath path) const {
  return std::any_of(std::begin(kAtomicObjects), std::end(kAtomicObjects),
                     [&](std::string_view place) { return matches(place, path); });
}

std::optional<std::string_view> strategic_merge_key(FieldPath path) {
  const Row* row = find_row(path);
  return row == nullptr ? std::nullopt : std::optional(row->merge_key);
}

}  // namespace margay::patch
