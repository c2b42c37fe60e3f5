#include "cni/ipam/pools.h"

#include <algorithm>
#include <optional>

#include "base/core/text.h"
#include "cni/ipam/candidates.h"
#include "datastore/selector/selector.h"

namespace margay::ipam {
namespace {

constexpr std::uint64_t kBlocksMax = 65'536;

bool matches(const std::string& selector, const StringMap& labels) {
  if (selector.empty()) return true;
  const auto parsed = selector::Selector::parse(selector);
  return parsed.ok() && parsed->matches(labels);
}

bool is_named(const model::IpPool& pool, const std::string& request) {
  if (pool.metadata.name == request) return true;
  const auto cidr = IpPrefix::parse_containing(request);
  return cidr.ok() && cidr.value() == pool.spec.cidr;
}

// Clean-up says so, of all pools that overlap but one (controllers/ipam).
bool is_overlapped(const model::IpPool& pool) {
  const auto& all = pool.status.conditions;
  return std::any_of(all.begin(), all.end(), [](const model::Condition& each) {
    return each.type == "Allocatable" && each.status == model::ConditionStatus::kFalse && each.reason == "CIDROverlap";
  });
}

// Why a pool that is named cannot be used; empty: it can.
std::string problem_of(const model::IpPool& pool, const PoolQuery& query) {
  if (pool.spec.disabled || pool.metadata.deletion_timestamp) return "is disabled";
  if (is_overlapped(pool)) return "overlaps another pool";
  if (pool.spec.cidr.family() != query.family) return concat("is not of ", to_string(query.family));
  if (!allows(pool, query.use)) return concat("is not for the use ", model::to_string(query.use));
  return {};
}

Result<std::vector<PoolRange>> select_requested(const std::vector<const model::IpPool*>& pools,
                                                const PoolQuery& query) {
  std::vector<PoolRange> out;
  for (const std::string& request : query.requested) {
    const auto found = std::find_if(pools.begin(), pools.end(),
                                    [&request](const model::IpPool* pool) { return is_named(*pool, request); });
    if (found == pools.end()) return Error{ErrorCode::kNotFound, concat("there is no IP pool ", quoted(request))};
    const std::string problem = problem_of(**found, query);
    if (!problem.empty()) return invalid(concat("IP pool ", quoted(request), ' ', problem));
    out.push_back(PoolRange::of(**found));
  }
  return out;
}

}  // namespace

PoolRange PoolRange::of(const model::IpPool& pool) {
  return {pool.metadata.name, pool.spec.cidr, pool.spec.block_length()};
}

bool allows(const model::IpPool& pool, model::IpPoolUse use) {
  const auto& uses = pool.spec.allowed_uses;
  if (uses.empty()) return use != model::IpPoolUse::kLoadBalancer;
  return std::find(uses.begin(), uses.end(), use) != uses.end();
}

bool selects(const model::IpPool& pool, const StringMap& node_labels, const StringMap& namespace_labels) {
  return matches(pool.spec.node_selector, node_labels) && matches(pool.spec.namespace_selector, namespace_labels);
}

std::string why_not(const model::IpPool& pool, const PoolQuery& query) {
  if (std::string problem = problem_of(pool, query); !problem.empty()) return problem;
  if (!query.requested.empty()) {
    const bool is_asked_for = std::any_of(query.requested.begin(), query.requested.end(),
                                          [&pool](const std::string& request) { return is_named(pool, request); });
    return is_asked_for ? "" : "is not among those that are asked for";
  }
  if (pool.spec.assignment_mode != model::AssignmentMode::kAutomatic) return "is for who names it (assignmentMode)";
  if (!matches(pool.spec.node_selector, query.node_labels)) {
    return concat("does not select the node (nodeSelector ", pool.spec.node_selector, ')');
  }
  if (matches(pool.spec.namespace_selector, query.namespace_labels)) return {};
  return concat("does not select the namespace (namespaceSelector ", pool.spec.namespace_selector, ')');
}

Result<std::vector<PoolRange>> select_pools(const std::vector<const model::IpPool*>& pools, const PoolQuery& query) {
  if (!query.requested.empty()) return select_requested(pools, query);
  std::vector<PoolRange> out;
  for (const model::IpPool* pool : pools) {
    if (why_not(*pool, query).empty()) out.push_back(PoolRange::of(*pool));
  }
  return out;
}

Result<std::vector<IpPrefix>> blocks_within(const IpPrefix& cidr, int block_length) {
  if (cidr.length() > block_length) {
    return invalid(concat("The requested CIDR (", cidr.to_string(), ") is smaller than the minimum."));
  }
  const BlockOrder order(cidr, block_length, "");
  if (order.size() > kBlocksMax) {
    return Error{ErrorCode::kLimitExceeded,
                 concat(cidr.to_string(), " has more than ", kBlocksMax, " blocks of /", block_length)};
  }
  std::vector<IpPrefix> out;
  for (std::uint64_t i = 0; i < order.size(); ++i) out.push_back(order.at(i));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace margay::ipam
