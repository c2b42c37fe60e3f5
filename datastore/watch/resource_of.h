// Where the API server keeps each kind: group, version and plural. Source: the CRDs of crds/, Kubernetes API reference.
#pragma once

#include <string>

#include "datastore/kube/client.h"
#include "datastore/model/key.h"

namespace margay::watch {

kube::ResourceType resource_of(model::Kind kind);
// The version in which older servers have it ("v1beta1"); "" when there is none that we read.
std::string old_version_of(model::Kind kind);

}  // namespace margay::watch
