#include "ctl/verbs/pools.h"

#include "base/core/text.h"

namespace margay::verbs {

std::optional<Pool> as_pool(const schema::ResourceInfo& resource, const json::Value& object, std::string place) {
  if (resource.kind != "IPPool" || resource.group != "projectcalico.org") return std::nullopt;
  const auto cidr = IpPrefix::parse(object.string_at({"spec", "cidr"}));
  if (!cidr.ok()) return std::nullopt;
  return Pool{std::string(object.string_at({"metadata", "name"})), *cidr, std::move(place)};
}

std::string overlap_problem(const Pool& pool, const std::vector<Pool>& others) {
  for (const Pool& other : others) {
    if (other.name == pool.name || !pool.cidr.overlaps(other.cidr)) continue;
    return concat(pool.cidr.to_string(), " overlaps with pool ", quoted(other.name), ", ", other.cidr.to_string(), " (",
                  other.place, ')');
  }
  return {};
}

std::string overlap_on_server(Api& api, const schema::ResourceInfo& resource, const json::Value& object) {
  const std::optional<Pool> pool = as_pool(resource, object, "");
  if (!pool) return {};
  const auto listed = api.list(resource, "", {});
  if (!listed.ok()) return {};
  std::vector<Pool> others;
  for (const json::Value& item : listed->items) {
    if (auto other = as_pool(resource, item, "on the server")) others.push_back(*std::move(other));
  }
  return overlap_problem(*pool, others);
}

}  // namespace margay::verbs
