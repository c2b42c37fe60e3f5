// Address management against the rows taken from Calico's own tests.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "cni/ipam/block.h"
#include "cni/ipam/candidates.h"
#include "cni/ipam/fake_store.h"
#include "cni/ipam/names.h"
#include "cni/ipam/pools.h"
#include "cni/ipam/reserved.h"
#include "cni/ipam/utilization.h"
#include "gtest/gtest.h"
#include "test/conformance/conformance_data.h"

namespace margay::conformance {
namespace {

using namespace ipam;

std::int64_t integer(const json::Value& value) { return value.as_integer() == nullptr ? 0 : *value.as_integer(); }
bool flag(const json::Value& value) { return value.as_bool() != nullptr && *value.as_bool(); }
const json::Array& list(const json::Value& value) {
  static const json::Array kNone;
  return value.as_array() == nullptr ? kNone : *value.as_array();
}
std::vector<std::string> texts(const json::Value& value) {
  std::vector<std::string> out;
  for (const json::Value& each : list(value)) out.push_back(text(each));
  return out;
}
std::vector<IpPrefix> prefixes(const json::Value& value) {
  std::vector<IpPrefix> out;
  for (const std::string& each : texts(value)) out.push_back(IpPrefix::parse_containing(each).value());
  return out;
}
StringMap labels(const json::Value& value) {
  StringMap out;
  if (value.as_object() == nullptr) return out;
  for (const json::Member& member : *value.as_object()) out.set(member.name, text(member.value));
  return out;
}
model::BlockOwner host(const std::string& name) { return {model::AffinityType::kHost, name}; }

class Ipam : public testing::Test {
 protected:
  void SetUp() override {
    auto data = load("ipam/ipam.json");
    if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
    data_ = std::move(*data);
  }
  const json::Array& cases(std::string_view table) {
    const json::Array& out = list(get(get(data_, table), "cases"));
    EXPECT_FALSE(out.empty()) << table;
    return out;
  }

  json::Value data_;
};

// Pools as objects, or as CIDRs with the default block sizes.
std::vector<model::IpPool> pools_of(const json::Value& value) {
  std::vector<model::IpPool> out;
  for (const json::Value& each : list(value)) {
    model::IpPool pool;
    const bool is_text = each.as_string() != nullptr;
    pool.spec.cidr = IpPrefix::parse_containing(is_text ? text(each) : text(get(each, "cidr"))).value();
    pool.metadata.name = block_name(pool.spec.cidr);
    if (!is_text) {
      pool.spec.block_size = static_cast<std::int32_t>(integer(get(each, "blockSize")));
      pool.spec.disabled = !flag(get(each, "enabled"));
      for (const std::string& use : texts(get(each, "allowedUses"))) {
        pool.spec.allowed_uses.push_back(*model::parse_enum<model::IpPoolUse>(use));
      }
    }
    out.push_back(std::move(pool));
  }
  return out;
}

std::vector<const model::IpPool*> pointers(const std::vector<model::IpPool>& pools) {
  std::vector<const model::IpPool*> out;
  for (const model::IpPool& pool : pools) out.push_back(&pool);
  return out;
}

std::vector<PoolRange> ranges(const std::vector<model::IpPool>& pools, IpFamily family,
                              std::vector<std::string> requested = {}, bool is_tunnel = false) {
  const auto use = is_tunnel ? model::IpPoolUse::kTunnel : model::IpPoolUse::kWorkload;
  const auto found = select_pools(pointers(pools), {.family = family, .use = use, .requested = std::move(requested)});
  return found.ok() ? found.value() : std::vector<PoolRange>{};
}

void expect_got(const json::Value& want, const Got* got) {
  if (want.as_object() == nullptr) return;
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(static_cast<std::int64_t>(got->addresses.size()), integer(get(want, "count")));
  EXPECT_EQ(got->messages, texts(get(want, "messages")));
}

std::string error_name(const AssignDone& done) {
  for (const Got& got : done.got) {
    if (!got.error) continue;
    if (got.error->code == ErrorCode::kLimitExceeded) return "ErrBlockLimit";
    if (got.error->code == ErrorCode::kNotFound) return "ErrNoQualifiedPool";
    return got.error->message;
  }
  return "";
}

TEST_F(Ipam, AutoAssign) {
  FakeStore store;
  int row_number = 0;
  for (const json::Value& row : cases("auto_assign")) {
    SCOPED_TRACE(text(get(row, "description")));
    if (flag(get(row, "start_clean"))) store = FakeStore();
    const auto pools = pools_of(get(row, "pools"));
    const json::Value& request = get(row, "request");
    AllocatorConfig config;
    config.rules.owner = host(text(get(row, "host")));
    config.rules.strict_affinity = flag(get(request, "strict_affinity"));
    DirectAllocator node(store, config);
    const bool is_tunnel = text(get(request, "use")) == "tunnel";
    const auto v4 = static_cast<std::size_t>(integer(get(request, "v4")));
    const auto v6 = static_cast<std::size_t>(integer(get(request, "v6")));
    const auto pools4 = ranges(pools, IpFamily::kV4, texts(get(request, "v4_pools")), is_tunnel);
    const auto pools6 = ranges(pools, IpFamily::kV6, {}, is_tunnel);
    std::vector<Demand> demands;
    if (v4 > 0) demands.push_back({.family = IpFamily::kV4, .count = v4, .pools = pools4});
    if (v6 > 0) demands.push_back({.family = IpFamily::kV6, .count = v6, .pools = pools6});
    const AssignDone done = node.assign({concat("h", ++row_number), {}}, std::move(demands),
                                        static_cast<int>(integer(get(request, "max_blocks_per_host"))));
    const json::Value& expect = get(row, "expect");
    EXPECT_EQ(error_name(done), text(get(expect, "error")));
    ASSERT_EQ(done.got.size(), (v4 > 0 ? 1U : 0U) + (v6 > 0 ? 1U : 0U));
    expect_got(get(expect, "v4"), v4 > 0 ? &done.got.front() : nullptr);
    expect_got(get(expect, "v6"), v6 > 0 ? &done.got.back() : nullptr);
  }
}

Got assign_ip(FakeStore& store, const std::string& node, const std::vector<model::IpPool>& pools,
              const std::string& ip) {
  const IpAddress address = IpAddress::parse(ip).value();
  DirectAllocator allocator(store, {.rules = {.owner = host(node)}});
  const Demand demand{.family = address.family(), .pools = ranges(pools, address.family()), .address = address};
  return allocator.assign({concat("handle-", ip), {}}, {demand}).got.at(0);
}

TEST_F(Ipam, AssignIp) {
  FakeStore store;
  for (const json::Value& row : cases("assign_ip")) {
    SCOPED_TRACE(text(get(row, "description")));
    if (flag(get(row, "start_clean"))) store = FakeStore();
    // A second owner, as the same handle may ask again.
    const std::string ip = text(get(row, "ip"));
    const auto pools = pools_of(get(row, "pools"));
    DirectAllocator allocator(store, {.rules = {.owner = host(text(get(row, "host")))}});
    const IpAddress address = IpAddress::parse(ip).value();
    const Demand demand{.family = address.family(), .pools = ranges(pools, address.family()), .address = address};
    const Got got = allocator.assign({concat("handle-", store.writes()), {}}, {demand}).got.at(0);
    const std::string want = text(get(row, "error"));
    EXPECT_EQ(got.error.has_value(), !want.empty());
    if (!got.error) {
      EXPECT_EQ(got.addresses, std::vector<IpAddress>{address});
      continue;
    }
    const std::size_t colon = want.find(": ");
    EXPECT_EQ(got.error->message.find(colon == std::string::npos ? want : want.substr(colon + 2)), 0U);
  }
}

// The block that has the address, with its addresses given as a row says.
TEST_F(Ipam, ReleaseOptions) {
  for (const json::Value& row : cases("release_options")) {
    SCOPED_TRACE(text(get(row, "description")));
    auto block = make_block(IpPrefix::parse("192.168.0.0/26").value(), host("a"), std::nullopt);
    for (const std::string& ip : texts(get(row, "allocate"))) {
      ASSERT_TRUE(assign_one(block, *ordinal_of(block, IpAddress::parse(ip).value()), {"handle", {}}).ok());
    }
    for (const json::Value& each : list(get(row, "release"))) {
      ReleaseWish wish{IpAddress::parse(text(get(each, "address"))).value(), text(get(each, "handle"))};
      if (const auto* sequence = get(each, "sequence_number").as_integer()) wish.sequence = *sequence;
      EXPECT_EQ(!release(block, {wish}, {}).ok(), flag(get(each, "error")));
    }
  }
}

// As netctl does: block by block, what no block has is not given.
std::vector<IpAddress> release_ips(FakeStore& store, std::vector<IpAddress> addresses) {
  std::vector<IpAddress> not_given;
  for (const IpAddress& address : addresses) {
    bool is_found = false;
    for (auto& [key, object] : store.objects()) {
      auto* block = std::get_if<model::IpamBlock>(&object);
      if (block == nullptr || !block->spec.cidr.contains(address)) continue;
      const auto released = release(block->spec, {{address}}, {});
      is_found = released.ok() && released->not_given.empty();
    }
    if (!is_found) not_given.push_back(address);
  }
  return not_given;
}

TEST_F(Ipam, ReleaseIps) {
  FakeStore store;
  for (const json::Value& row : cases("release_ips")) {
    SCOPED_TRACE(text(get(row, "description")));
    if (flag(get(row, "start_clean"))) store = FakeStore();
    const auto pools = pools_of(get(row, "pools"));
    std::vector<IpAddress> addresses;
    if (const std::string ip = text(get(row, "assign_ip")); !ip.empty()) {
      addresses = assign_ip(store, "a", pools, ip).addresses;
      EXPECT_EQ(addresses.size(), 1U);
    }
    if (const auto count = static_cast<std::size_t>(integer(get(row, "auto_assign_v4"))); count > 0) {
      DirectAllocator node(store, {.rules = {.owner = host("a")}});
      const Demand demand{.family = IpFamily::kV4, .count = count, .pools = ranges(pools, IpFamily::kV4)};
      addresses = node.assign({"h", {}}, {demand}).got.at(0).addresses;
      EXPECT_EQ(addresses.size(), count);
    }
    if (addresses.empty()) addresses.push_back(IpAddress::parse(text(get(row, "ip"))).value());
    std::vector<IpAddress> want;
    for (const std::string& ip : texts(get(row, "expect_unallocated"))) want.push_back(IpAddress::parse(ip).value());
    EXPECT_EQ(release_ips(store, addresses), want);
  }
}

TEST_F(Ipam, ClaimAffinity) {
  FakeStore store;
  for (const json::Value& row : cases("claim_affinity")) {
    SCOPED_TRACE(text(get(row, "description")));
    if (flag(get(row, "start_clean"))) store = FakeStore();
    const auto pools = pools_of(get(row, "pools"));
    if (const std::string ip = text(get(row, "assign_ip")); !ip.empty()) (void)assign_ip(store, "host-a", pools, ip);
    const auto blocks = blocks_within(IpPrefix::parse(text(get(row, "cidr"))).value(), 26);
    EXPECT_EQ(blocks.ok() ? "" : blocks.error().message, text(get(row, "error")));
    int claimed = 0, failed = 0;
    for (const IpPrefix& cidr : blocks.value_or({})) {
      BlockClaim claim({host(text(get(row, "host"))), cidr, {}});
      std::optional<Call> next = claim.start();
      while (next) next = claim.step(store.execute(*next));
      ++(claim.outcome() == BlockClaim::Outcome::kClaimed ? claimed : failed);
    }
    EXPECT_EQ(claimed, integer(get(row, "expect_claimed")));
    EXPECT_EQ(failed, integer(get(row, "expect_failed")));
  }
}

TEST_F(Ipam, DeterminePools) {
  for (const json::Value& row : cases("determine_pools")) {
    SCOPED_TRACE(concat(text(get(row, "description")), " family ", integer(get(row, "family"))));
    const bool is_v4 = integer(get(row, "family")) == 4;
    const std::vector<std::string> cidrs =
        is_v4 ? std::vector<std::string>{"10.0.0.1/24", "20.0.0.0/24"}
              : std::vector<std::string>{"5001:0000:0000:001a:0000:0000:0000:0000/64", "5001:0:0:1b::/64"};
    std::vector<model::IpPool> pools(2);
    std::vector<std::string> requested;
    for (std::size_t i = 0; i < 2; ++i) {
      const std::string name = concat("pool", i + 1);
      pools[i].metadata.name = name;
      pools[i].spec.cidr = IpPrefix::parse_containing(cidrs[i]).value();
      pools[i].spec.disabled = !flag(get(get(row, name), "enabled"));
      pools[i].spec.node_selector = text(get(get(row, name), "nodeSelector"));
      if (flag(get(row, concat("request_", name)))) requested.push_back(cidrs[i]);
    }
    const auto found = select_pools(
        pointers(pools),
        {.family = is_v4 ? IpFamily::kV4 : IpFamily::kV6, .node_labels = {{"foo", "bar"}}, .requested = requested});
    EXPECT_EQ(!found.ok(), flag(get(row, "expect_error")));
    std::vector<IpPrefix> got;
    for (const PoolRange& range : found.value_or({})) got.push_back(range.cidr);
    EXPECT_EQ(got, prefixes(get(row, "expect_pools")));
  }
}

TEST_F(Ipam, NamespaceSelectors) {
  for (const json::Value& row : cases("namespace_selectors")) {
    model::IpPool pool;
    pool.spec.node_selector = text(get(row, "nodeSelector"));
    pool.spec.namespace_selector = text(get(row, "namespaceSelector"));
    EXPECT_EQ(selects(pool, labels(get(row, "node_labels")), labels(get(row, "namespace_labels"))),
              flag(get(row, "expect_match")))
        << text(get(row, "description"));
  }
}

Usage usage(const json::Value& row) {
  const auto member = [&row](std::string_view name) { return static_cast<std::uint64_t>(integer(get(row, name))); };
  return {member("capacity"), member("inUse"), member("reserved"), member("available")};
}

TEST_F(Ipam, UtilizationWithReservations) {
  for (const json::Value& row : cases("utilization_with_reservations")) {
    SCOPED_TRACE(text(get(row, "description")));
    auto block = make_block(IpPrefix::parse("10.0.0.0/26").value(), host("a"), std::nullopt);
    ASSERT_TRUE(assign_one(block, 5, {"h", {}}).ok());
    const AddressSet reserved(prefixes(get(row, "reserved")));
    EXPECT_EQ(usage_of(block, reserved), usage(get(row, "block")));
    EXPECT_EQ(usage_of(IpPrefix::parse("10.0.0.0/24").value(), reserved, {&block}), usage(get(row, "pool")));
  }
}

TEST_F(Ipam, CidrFilter) {
  for (const json::Value& row : cases("cidr_filter")) {
    const AddressSet set(prefixes(get(row, "FilterCIDRs")));
    for (const IpPrefix& each : prefixes(get(row, "CIDRsMatch"))) EXPECT_TRUE(set.contains(each)) << each.to_string();
    for (const IpPrefix& each : prefixes(get(row, "CIDRsNoMatch")))
      EXPECT_FALSE(set.contains(each)) << each.to_string();
    for (const std::string& ip : texts(get(row, "IPsMatch"))) EXPECT_TRUE(set.contains(IpAddress::parse(ip).value()));
    for (const std::string& ip : texts(get(row, "IPsNoMatch")))
      EXPECT_FALSE(set.contains(IpAddress::parse(ip).value()));
  }
}

TEST_F(Ipam, CidrDedup) {
  for (const json::Value& row : cases("cidr_dedup")) {
    EXPECT_EQ(without_contained(prefixes(get(row, "CIDRs"))), prefixes(get(row, "Expected")));
  }
}

TEST_F(Ipam, RandomBlocks) {
  for (const json::Value& row : cases("random_blocks")) {
    const IpPrefix pool = IpPrefix::parse(text(get(row, "pool"))).value();
    const BlockOrder order(pool, static_cast<int>(integer(get(row, "blockSize"))), "host");
    std::set<IpPrefix> seen;
    for (std::uint64_t i = 0; i < order.size(); ++i) seen.insert(order.at(i));
    EXPECT_EQ(static_cast<std::int64_t>(seen.size()), integer(get(row, "blocks"))) << pool.to_string();
  }
}

TEST_F(Ipam, CountPoolSpace) {
  const auto count = [](const json::Value& value) {
    return value.as_object() != nullptr ? kCountMax : static_cast<std::uint64_t>(integer(value));
  };
  for (const json::Value& row : cases("count_pool_space")) {
    SCOPED_TRACE(text(get(row, "name")));
    const PoolSpace space = space_of(IpPrefix::parse(text(get(row, "pool"))).value(),
                                     AddressSet(prefixes(get(row, "reservations"))), prefixes(get(row, "blocks")));
    EXPECT_EQ(space.capacity, count(get(row, "wantCapacity")));
    EXPECT_EQ(space.reserved, count(get(row, "wantReserved")));
    EXPECT_EQ(space.available_outside_blocks, count(get(row, "wantAvailableOutsideBlock")));
  }
}

TEST_F(Ipam, ReservedCidrs) {
  for (const json::Value& row : cases("reserved_cidrs")) {
    EXPECT_EQ(parse_reserved(texts(get(row, "reserved"))), prefixes(get(row, "want"))) << text(get(row, "name"));
  }
}

std::vector<Ordinal> ordinals_left(const model::IpamBlockSpec& block) {
  std::vector<Ordinal> out;
  for (std::size_t i = 0; i < block.allocations.size(); ++i) {
    if (block.allocations[i]) out.push_back(static_cast<Ordinal>(i));
  }
  return out;
}

std::vector<Ordinal> ordinals(const json::Value& value) {
  std::vector<Ordinal> out;
  for (const json::Value& each : list(value)) out.push_back(static_cast<Ordinal>(integer(each)));
  return out;
}

std::vector<std::string> to_texts(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> out;
  for (const IpAddress& address : addresses) out.push_back(address.to_string());
  return out;
}

void release_by_row(const json::Value& row, model::IpamBlockSpec& block) {
  if (list(get(row, "release")).empty()) return;
  std::vector<ReleaseWish> wishes;
  for (const json::Value& each : list(get(row, "release"))) {
    ReleaseWish wish{IpAddress::parse(text(get(each, "address"))).value(), text(get(each, "handle"))};
    if (const auto* sequence = get(each, "sequence_number").as_integer()) wish.sequence = *sequence;
    wishes.push_back(wish);
  }
  // Rows with three addresses count them together.
  const auto released = release(block, wishes, {});
  EXPECT_EQ(!released.ok(), flag(get(row, "error")));
  if (!released.ok()) return;
  if (get(row, "unallocated").as_array() != nullptr) {
    EXPECT_EQ(to_texts(released->not_given), texts(get(row, "unallocated")));
  }
  if (get(row, "count_by_handle").as_object() == nullptr) return;
  std::map<std::string, std::int32_t, std::less<>> want;
  for (const json::Member& member : *get(row, "count_by_handle").as_object()) {
    want[member.name] = static_cast<std::int32_t>(integer(member.value));
  }
  EXPECT_EQ(released->by_handle, want);
}

void release_handle_by_row(const json::Value& row, model::IpamBlockSpec& block) {
  const std::string handle = text(get(row, "release_handle"));
  if (handle.empty()) return;
  std::optional<std::int64_t> sequence;
  if (const auto* given = get(row, "release_sequence").as_integer()) sequence = *given;
  EXPECT_EQ(release_handle(block, handle, sequence, {}), integer(get(row, "released")));
  const std::vector<Ordinal> tail = ordinals(get(row, "tail_of_free_list"));
  ASSERT_LE(tail.size(), block.unallocated.size());
  EXPECT_EQ(
      std::vector<Ordinal>(block.unallocated.end() - static_cast<std::ptrdiff_t>(tail.size()), block.unallocated.end()),
      tail);
}

TEST_F(Ipam, BlockRules) {
  for (const json::Value& row : cases("block_rules")) {
    SCOPED_TRACE(json::dump(row));
    auto block = make_block(IpPrefix::parse("100.64.0.0/24").value(), host("a"), std::nullopt);
    for (const json::Value& each : list(get(row, "allocate"))) {
      for (const Ordinal ordinal : ordinals(get(each, "ordinals"))) {
        ASSERT_TRUE(assign_one(block, ordinal, {text(get(each, "handle")), {}}).ok());
      }
    }
    if (const auto* sequences = get(row, "sequence").as_object()) {
      for (const json::Member& member : *sequences) {
        block.sequence_number_for_allocation[*parse_number<Ordinal>(member.name)] = integer(member.value);
      }
    }
    const AddressSet reserved(prefixes(get(row, "reservations")));
    if (const auto* empty = get(row, "empty").as_bool()) {
      EXPECT_EQ(is_empty(block), *empty);
    }
    if (get(row, "in_use").as_array() != nullptr) {
      EXPECT_EQ(to_texts(addresses_in_use(block)), texts(get(row, "in_use")));
    }
    if (const auto* free = get(row, "free").as_integer()) {
      EXPECT_EQ(static_cast<std::int64_t>(usage_of(block, reserved).available), *free);
      EXPECT_EQ(static_cast<std::int64_t>(usage_of(block, reserved).reserved), integer(get(row, "reserved")));
    }
    if (const auto* handles = get(row, "by_handle").as_object()) {
      for (const json::Member& member : *handles) {
        EXPECT_EQ(to_texts(addresses_of(block, member.name)), texts(member.value)) << member.name;
      }
    }
    release_by_row(row, block);
    release_handle_by_row(row, block);
    if (get(row, "left").as_array() != nullptr) {
      EXPECT_EQ(ordinals_left(block), ordinals(get(row, "left")));
    }
    EXPECT_TRUE(check_block(block).ok());
  }
}

}  // namespace
}  // namespace margay::conformance
