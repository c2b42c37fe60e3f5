// What the lists of Kubernetes' own kinds are, for strategic merge patch and for server-side apply.
//
// One table serves all kinds: a list is known by the last names of its path ("spec.containers", also below
// spec.template), which is enough to tell the kinds apart that Margay reads. A list that is not in the table is atomic.
//
// Source: the x-kubernetes-patch-merge-key, -list-type and -map-type extensions in kube-apiserver's OpenAPI document.
#pragma once

#include <optional>
#include <string_view>

#include "datastore/patch/list_types.h"

namespace margay::patch {

class KubernetesLists final : public ListTypes {
 public:
  [[nodiscard]] ListType list_at(FieldPath path) const override;
  [[nodiscard]] bool is_atomic_object(FieldPath path) const override;
};

// How strategic merge patch treats the list there: nullopt replaces it; "" merges scalars; a name merges objects by
// that member.
std::optional<std::string_view> strategic_merge_key(FieldPath path);

}  // namespace margay::patch
