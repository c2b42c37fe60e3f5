// Parts of objects put into a whole one, so that they can be checked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json/value.h"
#include "datastore/model/key.h"

namespace margay::conformance {

struct WholeObject {
  model::Kind kind;
  json::Value object;
};

// `type` as the data names it: a kind ("IPPool"), its spec ("IPPoolSpec"), or a part ("Rule", "EntityRule", …). nullopt
// for a type that is not known.
std::optional<WholeObject> whole_object(std::string_view type, const json::Value& part);

}  // namespace margay::conformance
