// Objects without what must not leave the cluster: values of Secrets, environment variables, last-applied
// configurations (which hold both), and texts under names that say password, token or the like. References to Secrets
// stay: they say where, not what. Pure.
#pragma once

#include "base/json/value.h"

namespace margay::node {

void mask_secrets(json::Value& object);

}  // namespace margay::node
