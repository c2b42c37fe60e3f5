// The list types of a kind, for server-side apply: from its schema, or Kubernetes' own table for its own kinds.
#pragma once

#include <memory>

#include "datastore/patch/list_types.h"
#include "datastore/server/catalog.h"

namespace margay::server {

// The resource outlives what is returned.
std::unique_ptr<patch::ListTypes> list_types_of(const Resource& resource);

}  // namespace margay::server
