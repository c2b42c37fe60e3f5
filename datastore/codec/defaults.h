// What an absent field of a new object becomes where that depends on other fields: the rest of the defaults is in the
// schemas (crds/). On JSON, so that a server can do it before it looks at anything; before the schema's own defaults.
#pragma once

#include "base/json/value.h"
#include "datastore/model/key.h"

namespace margay::codec {

// For create and replace. Leaves alone what has the wrong type: check() reports it.
//
//   IPPool                    cidr without bits after its length; blockSize 26 or 122; allowedUses Workload and Tunnel,
//                             without Tunnel when a namespaceSelector is given
//   Tier                      order and defaultAction of the built-in tiers
//   policies of Calico        tier default; types by the rules there are; not for stagedAction Delete
//   policies of Kubernetes    podSelector of all, policyTypes by the rules there are, protocol TCP of ports
void apply_defaults(model::Kind kind, json::Value& object);

}  // namespace margay::codec
