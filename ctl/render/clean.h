// Taking out of an object what is not the user's, for --export and for comparing.
#pragma once

#include "base/json/value.h"

namespace margay::render {

// Without status, managedFields, uid, resourceVersion, generation, timestamps, selfLink, ownerReferences, finalizers
// and the annotation of apply: what is left can be applied to another cluster.
void strip_server_fields(json::Value& object);

// Without metadata.managedFields: noise that kubectl hides too.
void strip_managed_fields(json::Value& object);

}  // namespace margay::render
