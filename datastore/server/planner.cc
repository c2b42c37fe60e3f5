#include "datastore/server/planner.h"

#include <utility>

#include "base/core/text.h"
#include "datastore/patch/apply.h"
#include "datastore/server/kind_rules.h"
#include "datastore/server/metadata_rules.h"
#include "datastore/server/object.h"
#include "datastore/server/schema_lists.h"

namespace margay::server {
namespace {

constexpr std::string_view kForegroundFinalizer = "foregroundDeletion";
constexpr std::string_view kOrphanFinalizer = "orphan";

AdmissionContext admission(const PlanContext& context) {
  return {context.resource->info, context.resource->schema, context.now, *context.random, context.field_validation};
}

Plan put(const PlanContext& context, const json::Value& before, Admitted admitted) {
  Plan plan{Plan::Kind::kPut, std::move(admitted.object), std::move(admitted.warnings)};
  if (context.is_apply || context.field_manager.empty()) return plan;
  const patch::UpdateOptions options{context.field_manager, context.now, context.is_status ? "status" : ""};
  plan.object =
      patch::update_managed_fields(before, std::move(plan.object), options, *list_types_of(*context.resource));
  return plan;
}

// What holds an object back from being removed.
bool is_held(const PlanContext& context, const json::Value& object) {
  if (has_finalizers(object)) return true;
  if (!is_namespace(context.resource->info)) return false;
  const json::Value* finalizers = object.find({"spec", "finalizers"});
  return finalizers != nullptr && finalizers->as_array() != nullptr && !finalizers->as_array()->empty();
}

Plan put_or_remove(const PlanContext& context, const json::Value& before, Admitted admitted) {
  Plan plan = put(context, before, std::move(admitted));
  if (is_being_deleted(plan.object) && !is_held(context, plan.object)) plan.kind = Plan::Kind::kRemove;
  return plan;
}

ApiStatus check_revision(const PlanContext& context, const Current& current, const json::Value& object) {
  const std::string_view text = meta_string(object, "resourceVersion");
  if (text.empty()) {
    if (is_builtin_group(context.resource->info.group)) return api_ok();
    return invalid_object(context.subject(), {{FieldError::Kind::kInvalid, "metadata.resourceVersion",
                                               "Invalid value: 0x0: must be specified for an update"}});
  }
  MARGAY_ASSIGN_OR_RETURN(const auto revision, parse_resource_version(text));
  // Kubernetes takes 0 for "not given".
  if (revision != 0U && revision != current.revision) return modified(context.subject());
  return api_ok();
}

ApiStatus check_uid(const PlanContext& context, const Current& current, const json::Value& object) {
  const std::string_view uid = meta_string(object, "uid");
  const std::string_view present = meta_string(current.object, "uid");
  if (uid.empty() || uid == present) return api_ok();
  return conflict(context.subject(),
                  concat("Precondition failed: UID in precondition: ", uid, ", UID in object meta: ", present));
}

ApiResult<Plan> change(const PlanContext& context, const Current& current, json::Value object) {
  if (context.is_status) {
    MARGAY_ASSIGN_OR_RETURN(Admitted admitted, admit_status(admission(context), current.object, object));
    return put(context, current.object, std::move(admitted));
  }
  MARGAY_ASSIGN_OR_RETURN(Admitted admitted, admit_change(admission(context), current.object, std::move(object)));
  return put_or_remove(context, current.object, std::move(admitted));
}

ApiStatus check_preconditions(const PlanContext& context, const DeleteOptions& options, const Current& current) {
  Subject subject = context.subject();
  subject.plural = subject.kind;
  const std::string_view uid = meta_string(current.object, "uid");
  if (!options.uid.empty() && options.uid != uid)
    return conflict(subject,
                    concat("the UID in the precondition (", options.uid, ") does not match the UID in record (", uid,
                           "). The object might have been deleted and then recreated"));
  if (options.resource_version && *options.resource_version != current.revision)
    return conflict(subject, concat("the ResourceVersion in the precondition (", *options.resource_version,
                                    ") does not match the ResourceVersion in record (", current.revision,
                                    "). The object might have been modified"));
  return api_ok();
}

void set_propagation(Propagation propagation, json::Value& object) {
  if (propagation == Propagation::kUnset) return;
  remove_finalizer(object, kForegroundFinalizer);
  remove_finalizer(object, kOrphanFinalizer);
  if (propagation == Propagation::kForeground) add_finalizer(object, kForegroundFinalizer);
  if (propagation == Propagation::kOrphan) add_finalizer(object, kOrphanFinalizer);
}

ApiResult<Plan> remove(const PlanContext& context, const DeleteOptions& options,
                       const std::optional<Current>& current) {
  if (!current) return not_found(context.subject());
  MARGAY_RETURN_IF_ERROR(check_preconditions(context, options, *current));
  if (const std::string refusal = deletion_refusal(context.resource->info, context.name); !refusal.empty())
    return forbidden_because(context.subject(), refusal);
  Plan plan{Plan::Kind::kPut, current->object, {}};
  set_propagation(options.propagation, plan.object);
  if (!is_held(context, plan.object)) {
    plan.kind = Plan::Kind::kRemove;
    return plan;
  }
  if (!is_being_deleted(plan.object)) mark_deleted(admission(context), plan.object);
  if (is_namespace(context.resource->info)) begin_namespace_deletion(plan.object);
  return plan;
}

ApiStatus check_type(const schema::ResourceInfo& resource, const json::Value& object) {
  const std::string_view version = object.string_at({"apiVersion"});
  const std::string_view kind = object.string_at({"kind"});
  const auto unreadable = [&](std::string_view why) {
    return bad_request(concat(resource.kind, " in version ", quoted(resource.version), " cannot be handled as a ",
                              resource.kind, ": ", why));
  };
  const bool is_lenient = is_builtin_group(resource.group);
  if (version.empty() && !is_lenient) return unreadable("apiVersion is missing");
  if (kind.empty() && !is_lenient) return unreadable("kind is missing");
  if (!version.empty() && version != resource.api_version())
    return bad_request(concat("the API version in the data (", version, ") does not match the expected API version (",
                              resource.api_version(), ")"));
  if (!kind.empty() && kind != resource.kind) {
    const Subject subject{resource.group, resource.plural, std::string(kind), std::string(meta_string(object, "name"))};
    return invalid_object(subject, {{FieldError::Kind::kInvalid, "kind",
                                     concat("Invalid value: ", quoted(kind), ": must be ", resource.kind)}});
  }
  return api_ok();
}

}  // namespace

ApiStatus settle_identity(const PlanContext& context, json::Value& object) {
  const schema::ResourceInfo& resource = context.resource->info;
  if (object.as_object() == nullptr) return bad_request("the object is not an object");
  MARGAY_RETURN_IF_ERROR(check_type(resource, object));
  if (const std::string problem = metadata_shape_problem(object); !problem.empty())
    return bad_request(concat(resource.kind, " in version ", quoted(resource.version), " cannot be handled as a ",
                              resource.kind, ": ", problem));
  object["apiVersion"] = context.resource->api_version;
  object["kind"] = resource.kind;
  if (object.find("metadata") != nullptr && object.find("metadata")->is_null()) object["metadata"] = json::Object{};
  const std::string name_space(meta_string(object, "namespace"));
  if (!name_space.empty() && name_space != context.name_space)
    return bad_request("the namespace of the provided object does not match the namespace sent on the request");
  json::Value& metadata = metadata_of(object);
  if (!context.name_space.empty()) metadata["namespace"] = context.name_space;
  const std::string name(meta_string(object, "name"));
  if (!context.name.empty() && !name.empty() && name != context.name)
    return bad_request(
        concat("the name of the object (", name, ") does not match the name on the URL (", context.name, ")"));
  if (!context.name.empty()) metadata["name"] = context.name;
  return api_ok();
}

Planner plan_create(PlanContext context, json::Value object) {
  return [context = std::move(context),
          object = std::move(object)](const std::optional<Current>& current) -> ApiResult<Plan> {
    if (current) return already_exists(context.subject());
    MARGAY_ASSIGN_OR_RETURN(Admitted admitted, admit_new(admission(context), object));
    return put(context, json::Value(), std::move(admitted));
  };
}

Planner plan_replace(PlanContext context, json::Value object) {
  return [context = std::move(context),
          object = std::move(object)](const std::optional<Current>& current) -> ApiResult<Plan> {
    if (!current) return not_found(context.subject());
    MARGAY_RETURN_IF_ERROR(check_uid(context, *current, object));
    MARGAY_RETURN_IF_ERROR(check_revision(context, *current, object));
    return change(context, *current, object);
  };
}

Planner plan_patch(PlanContext context, Patcher patcher) {
  return [context = std::move(context),
          patcher = std::move(patcher)](const std::optional<Current>& current) -> ApiResult<Plan> {
    MARGAY_ASSIGN_OR_RETURN(json::Value object, patcher(current));
    MARGAY_RETURN_IF_ERROR(settle_identity(context, object));
    if (!current) {
      MARGAY_ASSIGN_OR_RETURN(Admitted admitted, admit_new(admission(context), std::move(object)));
      return put(context, json::Value(), std::move(admitted));
    }
    if (!meta_string(object, "resourceVersion").empty())
      MARGAY_RETURN_IF_ERROR(check_revision(context, *current, object));
    MARGAY_RETURN_IF_ERROR(check_uid(context, *current, object));
    return change(context, *current, std::move(object));
  };
}

Planner plan_delete(PlanContext context, DeleteOptions options) {
  return [context = std::move(context), options = std::move(options)](const std::optional<Current>& current) {
    return remove(context, options, current);
  };
}

Planner plan_remove_finalizer(PlanContext context, std::string finalizer) {
  return [context = std::move(context),
          finalizer = std::move(finalizer)](const std::optional<Current>& current) -> ApiResult<Plan> {
    if (!current) return not_found(context.subject());
    Plan plan{Plan::Kind::kPut, current->object, {}};
    remove_finalizer(plan.object, finalizer);
    if (is_being_deleted(plan.object) && !is_held(context, plan.object)) plan.kind = Plan::Kind::kRemove;
    return plan;
  };
}

}  // namespace margay::server
