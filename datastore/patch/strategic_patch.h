// Strategic merge patch: a merge patch that knows Kubernetes' lists. Lists of containers, ports, conditions and the
// like are merged element by element, and directives say what a plain merge patch cannot:
//
//   $patch: replace | delete | merge     in an object, or in an element of a merged list
//   $retainKeys: [a, b]                  every other member of this object goes
//   $setElementOrder/list: […]           the order of a merged list
//   $deleteFromPrimitiveList/list: […]   these scalars go
//
// Pure. Lists without a strategy (see kubernetes_lists.h) are replaced. Members of the result are never null where the
// patch put them.
//
// Source: Kubernetes community, sig-api-machinery/strategic-merge-patch.md; kube-apiserver for what it leaves open.
#pragma once

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::patch {

// kInvalid, naming the place, for what is no such patch; the document is then as it was.
Result<json::Value> strategic_merge_patch(json::Value document, const json::Value& patch);

}  // namespace margay::patch
