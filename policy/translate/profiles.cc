// Namespaces and service accounts as profiles, from which pods inherit labels and what holds without policy.
#include <utility>

#include "base/core/text.h"
#include "policy/translate/names.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

StringMap prefixed(const StringMap& labels, std::string_view prefix, std::string_view name) {
  std::vector<std::pair<std::string, std::string_view>> all;
  for (const auto& [key, value] : labels) all.emplace_back(concat(prefix, key), value);
  all.emplace_back(concat(prefix, kNameLabel), name);  // last: counts whatever the labels say
  std::vector<StringMap::Entry> entries;
  entries.reserve(all.size());
  for (const auto& [key, value] : all) entries.emplace_back(key, value);
  return StringMap::of(std::move(entries));
}

model::Profile profile(const model::ObjectMeta& from, std::string name) {
  model::Profile out;
  out.metadata.name = std::move(name);
  out.metadata.uid = derived_uid(from.uid);
  out.metadata.creation_timestamp = from.creation_timestamp;
  return out;
}

}  // namespace

model::Profile profile_of(const model::Namespace& name_space) {
  const model::ObjectMeta& metadata = name_space.metadata;
  model::Profile out = profile(metadata, concat(kNamespaceProfilePrefix, metadata.name));
  model::Rule allow;
  allow.action = model::RuleAction::kAllow;
  out.spec.ingress = {allow};
  out.spec.egress = {allow};
  out.spec.labels_to_apply = prefixed(metadata.labels, kNamespaceLabelPrefix, metadata.name);
  return out;
}

model::Profile profile_of(const model::ServiceAccount& account) {
  const model::ObjectMeta& metadata = account.metadata;
  const std::string_view name_space = metadata.name_space.empty() ? "default" : std::string_view(metadata.name_space);
  model::Profile out = profile(metadata, concat(kServiceAccountProfilePrefix, name_space, '.', metadata.name));
  out.spec.labels_to_apply = prefixed(metadata.labels, kServiceAccountLabelPrefix, metadata.name);
  return out;
}

}  // namespace margay::policy
