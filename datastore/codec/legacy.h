// Objects in the form that Calico had before version 3 (apiVersion v1, kinds such as bgpPeer, settings in metadata):
// nobody reads them any more, but books and old files have them.
#pragma once

#include <optional>

#include "base/core/field_error.h"
#include "base/json/value.h"

namespace margay::codec {

// For an object in an old form: errors whose message shows, as YAML, what to write instead, filled with the object's
// own values. nullopt for everything else. The YAML may need a look: it is not checked.
std::optional<FieldErrors> explain_legacy(const json::Value& object);

}  // namespace margay::codec
