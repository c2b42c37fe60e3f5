// The rules on one model::Rule, wherever it stands. For this folder's own .cc files.
#pragma once

#include "datastore/codec/rules.h"
#include "datastore/model/rule.h"

namespace margay::codec {

void check_rule(const At& at, const model::Rule& rule);

}  // namespace margay::codec
