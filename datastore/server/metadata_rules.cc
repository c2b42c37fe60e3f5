#include "datastore/server/metadata_rules.h"

#include <algorithm>

#include "base/core/text.h"
#include "datastore/selector/label_selector.h"
#include "datastore/server/object.h"

namespace margay::server {
namespace {

constexpr std::size_t kSubdomainMax = 253;
constexpr std::size_t kLabelMax = 63;
constexpr std::size_t kAnnotationBytesMax = 256 * 1024;

constexpr std::string_view kSubdomainRule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kLabelRule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kDnsLabelRule =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')";

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_label(std::string_view text) {
  if (text.empty() || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_subdomain(std::string_view text) {
  const auto parts = split(text, '.');
  return std::all_of(parts.begin(), parts.end(), is_label);
}

void add(FieldErrors& errors, FieldError::Kind kind, std::string path, std::string message) {
  errors.push_back(FieldError{kind, std::move(path), std::move(message)});
}

void add_invalid(FieldErrors& errors, std::string path, std::string_view found, std::string_view rule) {
  add(errors, FieldError::Kind::kInvalid, std::move(path), concat("Invalid value: ", quoted(found), ": ", rule));
}

// Which of the three forms a kind's names take; custom resources and most others are subdomains.
enum class NameForm { kSubdomain, kLabel, kDnsLabel };

NameForm name_form(const schema::ResourceInfo& resource) {
  if (!resource.group.empty()) return NameForm::kSubdomain;
  if (resource.plural == "namespaces") return NameForm::kLabel;
  return resource.plural == "services" ? NameForm::kDnsLabel : NameForm::kSubdomain;
}

void check_name(const json::Value& object, const schema::ResourceInfo& resource, FieldErrors& errors) {
  const std::string_view name = meta_string(object, "name");
  if (name.empty()) {
    add(errors, FieldError::Kind::kRequired, "metadata.name", "Required value: name or generateName is required");
    return;
  }
  const NameForm form = name_form(resource);
  const std::size_t size_max = form == NameForm::kSubdomain ? kSubdomainMax : kLabelMax;
  if (name.size() > size_max)
    add_invalid(errors, "metadata.name", name, concat("must be no more than ", size_max, " characters"));
  if (form == NameForm::kSubdomain && !is_subdomain(name)) add_invalid(errors, "metadata.name", name, kSubdomainRule);
  if (form == NameForm::kLabel && !is_label(name)) add_invalid(errors, "metadata.name", name, kLabelRule);
  if (form == NameForm::kDnsLabel && (!is_label(name) || name.front() < 'a'))
    add_invalid(errors, "metadata.name", name, kDnsLabelRule);
}

const json::Object* meta_object(const json::Value& object, std::string_view field) {
  const json::Value* value = object.find({"metadata", field});
  return value == nullptr ? nullptr : value->as_object();
}

void check_labels(const json::Value& object, FieldErrors& errors) {
  const json::Object* labels = meta_object(object, "labels");
  if (labels == nullptr) return;
  for (const json::Member& label : *labels) {
    if (const std::string problem = selector::label_key_problem(label.name); !problem.empty())
      add_invalid(errors, "metadata.labels", label.name, problem);
    const std::string& value = *label.value.as_string();
    if (const std::string problem = selector::label_value_problem(value); !problem.empty())
      add_invalid(errors, "metadata.labels", value, problem);
  }
}

void check_annotations(const json::Value& object, FieldErrors& errors) {
  const json::Object* annotations = meta_object(object, "annotations");
  if (annotations == nullptr) return;
  std::size_t bytes = 0;
  for (const json::Member& annotation : *annotations) {
    bytes += annotation.name.size() + annotation.value.as_string()->size();
    if (const std::string problem = selector::label_key_problem(to_lower(annotation.name)); !problem.empty())
      add_invalid(errors, "metadata.annotations", annotation.name, problem);
  }
  if (bytes > kAnnotationBytesMax)
    add(errors, FieldError::Kind::kTooLong, "metadata.annotations",
        concat("Too long: must have at most ", kAnnotationBytesMax, " bytes"));
}

void check_finalizers(const json::Value& object, FieldErrors& errors) {
  const json::Array* finalizers = meta_array(object, "finalizers");
  if (finalizers == nullptr) return;
  for (const json::Value& finalizer : *finalizers)
    if (const std::string problem = selector::label_key_problem(*finalizer.as_string()); !problem.empty())
      add_invalid(errors, "metadata.finalizers", *finalizer.as_string(), problem);
}

void check_owners(const json::Value& object, FieldErrors& errors) {
  const json::Array* owners = meta_array(object, "ownerReferences");
  if (owners == nullptr) return;
  int controllers = 0;
  for (std::size_t i = 0; i < owners->size(); ++i) {
    const json::Value& owner = (*owners)[i];
    for (const std::string_view field : {"apiVersion", "kind", "name", "uid"})
      if (owner.string_at({field}).empty())
        add_invalid(errors, concat("metadata.ownerReferences[", i, "].", field), "", "must not be empty");
    const json::Value* controller = owner.find("controller");
    if (controller != nullptr && controller->as_bool() != nullptr && *controller->as_bool()) ++controllers;
  }
  if (controllers > 1)
    add(errors, FieldError::Kind::kInvalid, "metadata.ownerReferences",
        "Invalid value: only one reference can have controller set to true");
}

std::string wrong(std::string_view path, std::string_view expected, const json::Value& found) {
  return concat("metadata.", path, ": expected ", expected, ", found ", json::to_string(found.type()));
}

std::string string_map_problem(const json::Value& metadata, std::string_view field) {
  const json::Value* map = metadata.find(field);
  if (map == nullptr || map->is_null()) return "";
  if (map->as_object() == nullptr) return wrong(field, "an object of strings", *map);
  for (const json::Member& member : *map->as_object())
    if (member.value.as_string() == nullptr) return wrong(concat(field, ".", member.name), "a string", member.value);
  return "";
}

template <class Accept>
std::string list_problem(const json::Value& metadata, std::string_view field, std::string_view expected,
                         Accept accept) {
  const json::Value* list = metadata.find(field);
  if (list == nullptr || list->is_null()) return "";
  if (list->as_array() == nullptr) return wrong(field, "an array", *list);
  for (const json::Value& element : *list->as_array())
    if (!accept(element)) return wrong(field, expected, element);
  return "";
}

}  // namespace

std::string metadata_shape_problem(const json::Value& object) {
  const json::Value* metadata = object.find("metadata");
  if (metadata == nullptr || metadata->is_null()) return "";
  if (metadata->as_object() == nullptr)
    return concat("metadata: expected an object, found ", json::to_string(metadata->type()));
  for (const std::string_view field : {"name", "generateName", "namespace", "uid", "resourceVersion",
                                       "creationTimestamp", "deletionTimestamp", "selfLink"}) {
    const json::Value* value = metadata->find(field);
    if (value != nullptr && !value->is_null() && value->as_string() == nullptr) return wrong(field, "a string", *value);
  }
  for (const std::string_view field : {"labels", "annotations"})
    if (std::string problem = string_map_problem(*metadata, field); !problem.empty()) return problem;
  const auto is_string = [](const json::Value& value) { return value.as_string() != nullptr; };
  const auto is_object = [](const json::Value& value) { return value.as_object() != nullptr; };
  if (std::string problem = list_problem(*metadata, "finalizers", "strings", is_string); !problem.empty())
    return problem;
  if (std::string problem = list_problem(*metadata, "ownerReferences", "objects", is_object); !problem.empty())
    return problem;
  return list_problem(*metadata, "managedFields", "objects", is_object);
}

FieldErrors check_metadata(const json::Value& object, const schema::ResourceInfo& resource) {
  FieldErrors errors;
  check_name(object, resource, errors);
  check_labels(object, errors);
  check_annotations(object, errors);
  check_finalizers(object, errors);
  check_owners(object, errors);
  return errors;
}

}  // namespace margay::server
