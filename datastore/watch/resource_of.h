// Where the API server keeps each kind: group, version and plural. Source: the CRDs of crds/, Kubernetes API reference.
#pragma once

#include "datastore/kube/client.h"
#include "datastore/model/key.h"

namespace margay::watch {

kube::ResourceType resource_of(model::Kind kind);

}  // namespace margay::watch
