#include "datastore/server/selection.h"

#include <algorithm>
#include <utility>

#include "base/core/string_map.h"
#include "base/core/text.h"

namespace margay::server {
namespace {

struct KindFields {
  std::string_view group;
  std::string_view plural;
  std::vector<std::string_view> fields;
};

// As kube-apiserver has them, beside metadata.name and metadata.namespace.
const std::vector<KindFields>& selectable_fields() {
  static const std::vector<KindFields> kFields{
      {"",
       "pods",
       {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.nominatedNodeName"}},
      {"",
       "events",
       {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type"}},
      {"", "secrets", {"type"}},
      {"", "namespaces", {"status.phase"}},
      {"", "nodes", {"spec.unschedulable"}},
      {"", "services", {"spec.clusterIP", "spec.type"}}};
  return kFields;
}

bool is_selectable(const schema::ResourceInfo& resource, std::string_view field) {
  if (field == "metadata.name" || (field == "metadata.namespace" && resource.is_namespaced)) return true;
  for (const KindFields& kind : selectable_fields())
    if (kind.group == resource.group && kind.plural == resource.plural)
      return std::find(kind.fields.begin(), kind.fields.end(), field) != kind.fields.end();
  return false;
}

std::string text_of(json::View view) {
  if (const auto text = view.string()) return std::string(*text);
  if (const auto truth = view.boolean()) return *truth ? "true" : "false";
  if (const auto number = view.integer()) return concat(*number);
  return "";
}

StringMap labels_of(json::View object) {
  std::vector<StringMap::Entry> labels;
  for (const auto [name, value] : object["metadata"]["labels"].members())
    labels.emplace_back(name, value.string().value_or(""));
  return StringMap::of(std::move(labels));
}

}  // namespace

json::View ParsedObjects::view(const store::Bytes& bytes) {
  for (Slot& slot : slots_)
    if (slot.bytes == bytes) return slot.view;
  Slot& slot = slots_[oldest_];
  oldest_ = 1 - oldest_;
  const auto parsed = slot.document.parse(*bytes);
  slot.bytes = bytes;
  slot.view = parsed ? parsed.value() : json::View();
  return slot.view;
}

ApiResult<Selection> Selection::make(const schema::ResourceInfo& resource, const ListOptions& options) {
  for (const selector::FieldRequirement& requirement : options.fields.requirements())
    if (!is_selectable(resource, requirement.field))
      return bad_request(concat("field label not supported: ", requirement.field));
  return Selection(options.labels, options.fields, resource.is_namespaced);
}

bool Selection::matches(ParsedObjects& parsed, std::string_view key, const store::Bytes& bytes) const {
  if (!fields_.matches([&](std::string_view field) { return field_value(parsed, key, bytes, field); })) return false;
  return labels_.matches_everything() || labels_.matches(labels_of(parsed.view(bytes)));
}

std::string Selection::field_value(ParsedObjects& parsed, std::string_view key, const store::Bytes& bytes,
                                   std::string_view field) const {
  const std::size_t slash = key.rfind('/');
  if (field == "metadata.name") return std::string(key.substr(slash + 1));
  if (field == "metadata.namespace" && is_namespaced_) {
    const std::string_view before = key.substr(0, slash);
    return std::string(before.substr(before.rfind('/') + 1));
  }
  json::View view = parsed.view(bytes);
  for (const std::string_view part : split(field, '.')) view = view[part];
  return text_of(view);
}

}  // namespace margay::server
