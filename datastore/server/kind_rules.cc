#include "datastore/server/kind_rules.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "datastore/server/catalog.h"
#include "datastore/server/object.h"

namespace margay::server {
namespace {

constexpr std::string_view kNamespaceFinalizer = "kubernetes";

bool is_core(const schema::ResourceInfo& resource, std::string_view plural) {
  return resource.group.empty() && resource.plural == plural;
}

void complete_namespace(json::Value& object) {
  json::Array& finalizers = object["spec"]["finalizers"].make_array();
  if (finalizers.empty()) finalizers.push_back(kNamespaceFinalizer);
  object["status"]["phase"] = is_being_deleted(object) ? "Terminating" : "Active";
}

std::string lower_kind(const json::Value& names) { return to_lower(names.string_at({"kind"})); }

void complete_crd_names(json::Value& object) {
  json::Value* names = object.find("spec") == nullptr ? nullptr : object["spec"].find("names");
  if (names == nullptr || names->as_object() == nullptr) return;
  if (names->string_at({"singular"}).empty()) (*names)["singular"] = lower_kind(*names);
  if (names->string_at({"listKind"}).empty()) (*names)["listKind"] = concat(names->string_at({"kind"}), "List");
}

json::Value crd_condition(std::string_view type, WallTime now, std::string_view reason, std::string_view message) {
  json::Object condition{{"type", type}, {"status", "True"}};
  condition.append_new("lastTransitionTime", format_timestamp(now));
  condition.append_new("reason", reason);
  condition.append_new("message", message);
  return condition;
}

void complete_crd_status(json::Value& object, WallTime now) {
  json::Value& status = object["status"];
  status.make_object();
  if (status.find("conditions") == nullptr) {
    json::Array& conditions = status["conditions"].make_array();
    conditions.push_back(crd_condition("NamesAccepted", now, "NoConflicts", "no conflicts found"));
    conditions.push_back(
        crd_condition("Established", now, "InitialNamesAccepted", "the initial names have been accepted"));
  }
  if (const json::Value* names = std::as_const(object).find({"spec", "names"})) status["acceptedNames"] = *names;
  if (status.find("storedVersions") != nullptr) return;
  json::Array& stored = status["storedVersions"].make_array();
  const json::Value* versions = std::as_const(object).find({"spec", "versions"});
  if (versions == nullptr || versions->as_array() == nullptr) return;
  for (const json::Value& version : *versions->as_array()) {
    const json::Value* is_storage = version.find("storage");
    if (is_storage != nullptr && is_storage->as_bool() != nullptr && *is_storage->as_bool())
      stored.push_back(version.string_at({"name"}));
  }
}

FieldError invalid_value(std::string path, std::string_view found, std::string_view rule) {
  return {FieldError::Kind::kInvalid, std::move(path), concat("Invalid value: ", quoted(found), ": ", rule)};
}

FieldErrors check_crd(const json::Value* before, const json::Value& object) {
  FieldErrors errors;
  const std::string expected =
      concat(object.string_at({"spec", "names", "plural"}), ".", object.string_at({"spec", "group"}));
  if (meta_string(object, "name") != expected)
    errors.push_back(
        invalid_value("metadata.name", meta_string(object, "name"), "must be spec.names.plural+\".\"+spec.group"));
  if (before == nullptr) return errors;
  for (const std::string_view field : {"group", "scope"})
    if (before->string_at({"spec", field}) != object.string_at({"spec", field}))
      errors.push_back(invalid_value(concat("spec.", field), object.string_at({"spec", field}), "field is immutable"));
  return errors;
}

}  // namespace

bool is_crd(const schema::ResourceInfo& resource) {
  return resource.group == kCrdGroup && resource.plural == kCrdPlural;
}
bool is_namespace(const schema::ResourceInfo& resource) { return is_core(resource, "namespaces"); }

bool keeps_status_on_create(const schema::ResourceInfo& resource) { return is_core(resource, "nodes"); }

bool takes_labels_with_status(const schema::ResourceInfo& resource) {
  constexpr std::string_view kPlurals[] = {"namespaces", "nodes", "pods", "services"};
  return std::any_of(std::begin(kPlurals), std::end(kPlurals),
                     [&](std::string_view plural) { return is_core(resource, plural); });
}

void complete_new_kind(const schema::ResourceInfo& resource, WallTime now, json::Value& object) {
  if (is_namespace(resource)) complete_namespace(object);
  if (is_core(resource, "pods")) object["status"]["phase"] = "Pending";
  if (!is_crd(resource)) return;
  complete_crd_names(object);
  complete_crd_status(object, now);
  add_finalizer(object, kCrdFinalizer);
}

void complete_changed_kind(const schema::ResourceInfo& resource, WallTime now, const json::Value& before,
                           json::Value& object) {
  if (is_namespace(resource)) {
    if (const json::Value* finalizers = before.find({"spec", "finalizers"})) object["spec"]["finalizers"] = *finalizers;
    complete_namespace(object);
  }
  if (!is_crd(resource)) return;
  complete_crd_names(object);
  complete_crd_status(object, now);
}

FieldErrors check_kind(const schema::ResourceInfo& resource, const json::Value* before, const json::Value& object) {
  if (is_crd(resource)) return check_crd(before, object);
  return {};
}

std::string deletion_refusal(const schema::ResourceInfo& resource, std::string_view name) {
  if (is_namespace(resource) && (name == "default" || name == "kube-system" || name == "kube-public"))
    return "this namespace may not be deleted";
  return "";
}

void begin_namespace_deletion(json::Value& name_space) { name_space["status"]["phase"] = "Terminating"; }

}  // namespace margay::server
