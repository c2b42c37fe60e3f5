// Subscriber: what one node half has been told, as far as the cluster half must know it to tell the rest.
#pragma once

#include <set>
#include <string>

#include "policy/calc/exchange.h"
#include "policy/calc/set_uses.h"

namespace margay::policy {

struct Subscriber {
  explicit Subscriber(SetIndex& index) : sets(index) {}

  // Whose present value is to be told.
  std::set<std::string> tiers;
  std::set<ObjectKey> heads;
  std::set<ObjectKey> policies;
  std::set<std::string> profiles;
  // What it demands.
  std::set<ObjectKey> demanded_policies;
  std::set<std::string> demanded_profiles;
  SetUses sets;
};

}  // namespace margay::policy
