// model::NodeNetworking from and to the annotations of a Node.
#pragma once

#include "base/core/field_error.h"
#include "base/core/string_map.h"
#include "datastore/model/node_networking.h"

namespace margay::codec {

// Each error has the path of its annotation, "metadata.annotations[projectcalico.org/IPv4Address]"; what was wrong is
// absent in `out`.
FieldErrors read_node_annotations(const StringMap& annotations, model::NodeNetworking& out);

// Sets and removes our annotations; those of others, and texts that say the same, stay.
void write_node_annotations(const model::NodeNetworking& node, StringMap& annotations);

}  // namespace margay::codec
