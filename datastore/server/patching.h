// Patching: the four kinds of PATCH as a function of an object's present state (datastore/patch does the work).
#pragma once

#include "datastore/server/call.h"
#include "datastore/server/options.h"
#include "datastore/server/planner.h"

namespace margay::server {

struct Patching {
  Patcher patcher;
  bool may_create = false;  // server-side apply
};

// 415 for a content type that is no patch, 400 for a body that is none.
ApiResult<Patching> make_patcher(const Call& call, const WriteOptions& options);

}  // namespace margay::server
