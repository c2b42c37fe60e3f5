// What is allowed in metadata, for every kind. Source: Kubernetes documentation, "Object Names and IDs", "Labels and
// Selectors", "Annotations"; wording as kube-apiserver's.
#pragma once

#include <string>
#include <string_view>

#include "base/core/field_error.h"
#include "base/json/value.h"
#include "datastore/schema/registry.h"

namespace margay::server {

// The first thing that has the wrong type, for a 400: "metadata.labels.a: expected a string, found 1"; "" when fine.
std::string metadata_shape_problem(const json::Value& object);
// Names, labels, annotations, finalizers and owner references of an object whose metadata has the right shape.
FieldErrors check_metadata(const json::Value& object, const schema::ResourceInfo& resource);

}  // namespace margay::server
