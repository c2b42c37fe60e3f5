// What is particular to single kinds: Namespace (phase, finalizer), Node and Pod (status), CustomResourceDefinition
// (names, conditions). Everything else is said by schemas.
#pragma once

#include <string>

#include "base/core/field_error.h"
#include "base/core/time.h"
#include "base/json/value.h"
#include "datastore/schema/registry.h"

namespace margay::server {

inline constexpr std::string_view kCrdGroup = "apiextensions.k8s.io";
inline constexpr std::string_view kCrdPlural = "customresourcedefinitions";
inline constexpr std::string_view kCrdFinalizer = "customresourcecleanup.apiextensions.k8s.io";

bool is_crd(const schema::ResourceInfo& resource);
bool is_namespace(const schema::ResourceInfo& resource);

// Kubernetes lets a node be created with its status.
bool keeps_status_on_create(const schema::ResourceInfo& resource);
// A write of the status subresource changes labels and annotations too, as Kubernetes has it for kinds of its own (the
// kubelet and CNI plugins rely on it), but not for custom resources.
bool takes_labels_with_status(const schema::ResourceInfo& resource);
void complete_new_kind(const schema::ResourceInfo& resource, WallTime now, json::Value& object);
void complete_changed_kind(const schema::ResourceInfo& resource, WallTime now, const json::Value& before,
                           json::Value& object);
// `before` is null for a new object.
FieldErrors check_kind(const schema::ResourceInfo& resource, const json::Value* before, const json::Value& object);
// Why this object may never be deleted; "" when it may.
std::string deletion_refusal(const schema::ResourceInfo& resource, std::string_view name);
// The phase that goes with a deletionTimestamp.
void begin_namespace_deletion(json::Value& name_space);

}  // namespace margay::server
