// Versions of Kubernetes' own kinds that servers have which do not have KindInfo::api_version yet, and which are read
// in the same way. Source: Kubernetes' deprecated API migration guide (EndpointSlice is v1 from 1.21 on).
#pragma once

#include <string_view>

#include "datastore/model/key.h"

namespace margay::model {

// "discovery.k8s.io/v1beta1"; "" when there is none. find_kind knows it, too.
std::string_view old_api_version(Kind kind);

}  // namespace margay::model
