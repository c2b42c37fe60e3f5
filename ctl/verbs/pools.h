// IP pools must not overlap: an address would belong to two of them. API servers do not look, so netctl does: among the
// objects of the files, and before a pool is created among those of the server.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip/prefix.h"
#include "base/json/value.h"
#include "ctl/verbs/api.h"
#include "datastore/schema/registry.h"

namespace margay::verbs {

struct Pool {
  std::string name;
  IpPrefix cidr;
  std::string place;  // "pools.yaml:3:1", "on the server"
};

// nullopt for what is no pool, or has no CIDR that can be read: others tell of that.
std::optional<Pool> as_pool(const schema::ResourceInfo& resource, const json::Value& object, std::string place);

// What `pool` has in common with the first of another name: "10.0.0.0/16 overlaps with pool "b", 10.0.0.0/8
// (b.yaml:1:1)";
// "" when there is none.
std::string overlap_problem(const Pool& pool, const std::vector<Pool>& others);

// The same against the pools of the server. "" too when they cannot be listed: whoever may create need not see all.
std::string overlap_on_server(Api& api, const schema::ResourceInfo& resource, const json::Value& object);

}  // namespace margay::verbs
