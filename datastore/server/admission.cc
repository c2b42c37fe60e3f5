#include "datastore/server/admission.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "datastore/codec/validate.h"
#include "datastore/model/key.h"
#include "datastore/server/kind_rules.h"
#include "datastore/server/metadata_rules.h"
#include "datastore/server/object.h"

namespace margay::server {
namespace {

// metadata.generation is kept for these; Kubernetes' own oldest kinds have none.
bool has_generation(const schema::ResourceInfo& resource) {
  return !resource.group.empty() && resource.group != "coordination.k8s.io" && resource.group != "events.k8s.io";
}

void copy_or_erase(const json::Value& from, json::Value& to, std::string_view field) {
  if (const json::Value* value = from.find(field))
    to[field] = *value;
  else
    to.make_object().erase(field);
}

void copy_labels(const json::Value& from, json::Value& to) {
  static const json::Value kNone = json::Object{};
  const json::Value* const metadata = from.find("metadata");
  for (const std::string_view field : {"labels", "annotations"})
    copy_or_erase(metadata == nullptr ? kNone : *metadata, metadata_of(to), field);
}

bool same_except_metadata_and_status(const json::Value& a, const json::Value& b, bool has_status) {
  const auto stripped = [&](json::Value value) {
    value.make_object().erase("metadata");
    if (has_status) value.make_object().erase("status");
    return value;
  };
  return stripped(a) == stripped(b);
}

Failure strict_decoding_error(const AdmissionContext& context, const FieldErrors& unknown) {
  std::vector<std::string> parts;
  for (const FieldError& error : unknown) parts.push_back(concat("unknown field ", quoted(error.path)));
  const schema::ResourceInfo& resource = context.resource;
  return bad_request(concat(resource.kind, " in version ", quoted(resource.version), " cannot be handled as a ",
                            resource.kind, ": strict decoding error: ", join(parts, ", ")));
}

// Removes what no schema declares and says so as far as it was asked to.
ApiStatus prune_unknown(const AdmissionContext& context, Admitted& admitted) {
  if (context.field_validation != FieldValidation::kIgnore) {
    const FieldErrors unknown = context.schema.unknown_fields(admitted.object);
    if (!unknown.empty() && context.field_validation == FieldValidation::kStrict)
      return strict_decoding_error(context, unknown);
    for (const FieldError& error : unknown) admitted.warnings.push_back(concat("unknown field ", quoted(error.path)));
  }
  context.schema.prune(admitted.object);
  return api_ok();
}

// What a schema cannot say. Only for objects that pass their schema, so that nothing is reported twice.
FieldErrors check_rules(const schema::ResourceInfo& resource, const json::Value& object) {
  const bool is_ours = resource.group == "projectcalico.org" || resource.plural.ends_with("networkpolicies");
  const auto kind = model::find_kind(resource.api_version(), resource.kind);
  return is_ours && kind ? codec::check(*kind, object) : FieldErrors{};
}

enum class Rules { kAll, kWithoutCodec };

ApiStatus check(const AdmissionContext& context, const json::Value* before, const json::Value& object,
                Rules rules = Rules::kAll) {
  FieldErrors errors = check_metadata(object, context.resource);
  const auto add = [&](const FieldErrors& more) { errors.insert(errors.end(), more.begin(), more.end()); };
  add(context.schema.validate(object));
  add(check_kind(context.resource, before, object));
  if (before != nullptr) add(context.schema.validate_change(*before, object));
  if (errors.empty() && rules == Rules::kAll) add(check_rules(context.resource, object));
  if (errors.empty()) return api_ok();
  return invalid_object(subject_of(context.resource, meta_string(object, "name")), errors);
}

FieldErrors check_new_finalizers(const json::Value& before, const json::Value& object) {
  if (!is_being_deleted(before)) return {};
  const json::Array* finalizers = meta_array(object, "finalizers");
  FieldErrors errors;
  for (const json::Value& finalizer : finalizers == nullptr ? json::Array{} : *finalizers)
    if (!has_finalizer(before, *finalizer.as_string()))
      errors.push_back({FieldError::Kind::kForbidden, "metadata.finalizers",
                        concat("Forbidden: no new finalizers can be added if the object is being deleted, found new "
                               "finalizers []string{",
                               quoted(*finalizer.as_string()), "}")});
  return errors;
}

ApiStatus check_shape(const json::Value& object) {
  if (const std::string problem = metadata_shape_problem(object); !problem.empty()) return bad_request(problem);
  return api_ok();
}

void keep_server_owned_metadata(const json::Value& before, json::Value& object) {
  const json::Value& old_metadata = *before.find("metadata");
  json::Value& metadata = metadata_of(object);
  for (const std::string_view field : {"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp",
                                       "deletionGracePeriodSeconds", "generation"})
    copy_or_erase(old_metadata, metadata, field);
  metadata.make_object().erase("selfLink");
}

void bump_generation(json::Value& object) {
  json::Value& generation = metadata_of(object)["generation"];
  generation = (generation.as_integer() == nullptr ? 0 : *generation.as_integer()) + 1;
}

}  // namespace

Subject subject_of(const schema::ResourceInfo& resource, std::string_view name) {
  return Subject{resource.group, resource.plural, resource.kind, std::string(name)};
}

bool is_builtin_group(std::string_view group) {
  constexpr std::string_view kGroups[] = {"",
                                          "apps",
                                          "batch",
                                          "policy",
                                          "coordination.k8s.io",
                                          "discovery.k8s.io",
                                          "events.k8s.io",
                                          "networking.k8s.io",
                                          "rbac.authorization.k8s.io"};
  return std::find(std::begin(kGroups), std::end(kGroups), group) != std::end(kGroups);
}

ApiResult<Admitted> admit_new(const AdmissionContext& context, json::Value object) {
  MARGAY_RETURN_IF_ERROR(check_shape(object));
  Admitted admitted{std::move(object), {}};
  MARGAY_RETURN_IF_ERROR(prune_unknown(context, admitted));
  json::Value& metadata = metadata_of(admitted.object);
  json::Object& members = metadata.make_object();
  for (const std::string_view field :
       {"resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"})
    members.erase(field);
  metadata["uid"] = make_uid(context.random);
  if (has_generation(context.resource)) metadata["generation"] = 1;
  metadata["creationTimestamp"] = format_timestamp(context.now);
  if (context.resource.has_status && !keeps_status_on_create(context.resource))
    admitted.object.make_object().erase("status");
  context.schema.apply_defaults(admitted.object);
  complete_new_kind(context.resource, context.now, admitted.object);
  MARGAY_RETURN_IF_ERROR(check(context, nullptr, admitted.object));
  return admitted;
}

ApiResult<Admitted> admit_change(const AdmissionContext& context, const json::Value& before, json::Value object) {
  MARGAY_RETURN_IF_ERROR(check_shape(object));
  Admitted admitted{std::move(object), {}};
  MARGAY_RETURN_IF_ERROR(prune_unknown(context, admitted));
  keep_server_owned_metadata(before, admitted.object);
  if (context.resource.has_status) copy_or_erase(before, admitted.object, "status");
  context.schema.apply_defaults(admitted.object);
  complete_changed_kind(context.resource, context.now, before, admitted.object);
  if (const FieldErrors errors = check_new_finalizers(before, admitted.object); !errors.empty())
    return invalid_object(subject_of(context.resource, meta_string(before, "name")), errors);
  MARGAY_RETURN_IF_ERROR(check(context, &before, admitted.object));
  if (has_generation(context.resource) &&
      !same_except_metadata_and_status(before, admitted.object, context.resource.has_status))
    bump_generation(admitted.object);
  return admitted;
}

ApiResult<Admitted> admit_status(const AdmissionContext& context, const json::Value& before,
                                 const json::Value& object) {
  MARGAY_RETURN_IF_ERROR(check_shape(object));
  Admitted admitted{before, {}};
  metadata_of(admitted.object).make_object().erase("resourceVersion");
  copy_or_erase(object, admitted.object, "status");
  if (takes_labels_with_status(context.resource)) copy_labels(object, admitted.object);
  MARGAY_RETURN_IF_ERROR(prune_unknown(context, admitted));
  context.schema.apply_defaults(admitted.object);
  MARGAY_RETURN_IF_ERROR(check(context, &before, admitted.object, Rules::kWithoutCodec));
  return admitted;
}

void mark_deleted(const AdmissionContext& context, json::Value& object) {
  json::Value& metadata = metadata_of(object);
  metadata["deletionTimestamp"] = format_timestamp(context.now);
  metadata["deletionGracePeriodSeconds"] = 0;
  if (has_generation(context.resource)) bump_generation(object);
}

}  // namespace margay::server
