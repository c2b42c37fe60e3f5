#include "controllers/ipam/suspects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"
#include "cni/ipam/block.h"
#include "cni/ipam/names.h"

namespace margay::controllers {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const WallTime kNow{seconds(1'000'000)};

class SuspectsTest : public ::testing::Test {
 protected:
  SuspectsTest() {
    for (const char* node : {"n1", "n2"}) {
      auto object = std::make_shared<model::Node>();
      object->metadata.name = node;
      view_.set(node, std::shared_ptr<const model::Node>(object));
    }
    set_pool("10.0.0.0/16", false);
  }
  void set_pool(std::string_view cidr, bool is_deleted) {
    auto pool = std::make_shared<model::IpPool>();
    pool->metadata.name = "pool";
    pool->spec.cidr = IpPrefix::parse(cidr).value();
    if (is_deleted) pool->metadata.deletion_timestamp = kNow;
    view_.set("pool", std::shared_ptr<const model::IpPool>(pool));
  }
  static model::BlockOwner host(const std::string& node) { return {model::AffinityType::kHost, node}; }
  static model::IpamBlock block(std::string_view cidr, std::optional<model::BlockOwner> owner) {
    model::IpamBlock out;
    out.spec = ipam::make_block(IpPrefix::parse(cidr).value(), std::move(owner), std::nullopt);
    out.metadata.name = ipam::block_name(out.spec.cidr);
    out.metadata.resource_version = "7";
    return out;
  }
  static void give(model::IpamBlock& block, const std::string& handle, StringMap attributes, std::size_t count = 1) {
    ++block.spec.sequence_number;
    ASSERT_EQ(ipam::assign_any(block.spec, count, {handle, std::move(attributes)}, {}).size(), count);
  }
  void put(model::IpamBlock block, bool has_affinity = true) {
    if (has_affinity && block.spec.affinity) put_affinity(*block.spec.affinity, block.spec.cidr);
    auto shared = std::make_shared<const model::IpamBlock>(std::move(block));
    view_.set(shared->metadata.name, shared);
  }
  void put_affinity(const model::BlockOwner& owner, const IpPrefix& cidr,
                    model::BlockAffinityState state = model::BlockAffinityState::kConfirmed, bool is_deleted = false) {
    auto object = std::make_shared<model::BlockAffinity>();
    object->metadata.name = ipam::affinity_name(owner, cidr);
    object->spec = {state, owner.name, owner.type, cidr, is_deleted};
    view_.set(object->metadata.name, std::shared_ptr<const model::BlockAffinity>(object));
  }
  void put_handle(const std::string& handle, std::map<std::string, std::int32_t, std::less<>> blocks,
                  bool is_deleted = false) {
    auto object = std::make_shared<model::IpamHandle>();
    object->metadata.name = ipam::handle_name(handle);
    object->spec = {handle, std::move(blocks), is_deleted};
    view_.set(object->metadata.name, std::shared_ptr<const model::IpamHandle>(object));
  }
  // "kind: name, seconds or never"
  std::vector<std::string> look() {
    std::vector<std::string> out;
    for (const Suspect& each : look_at(view_, rules_, kNow).suspects) {
      const std::string wait =
          each.wait ? concat(std::chrono::duration_cast<seconds>(*each.wait).count()) : std::string("never");
      out.push_back(concat(to_string(each.kind), ": ", each.name, ", ", wait));
    }
    return out;
  }

  IpamView view_;
  CollectRules rules_;
};

const StringMap kWeb = {{"namespace", "shop"}, {"pod", "web"}, {"node", "n1"}};

TEST_F(SuspectsTest, AddressesOfOneContainerGoTogether) {
  model::IpamBlock four = block("10.0.0.0/29", host("n1")), six = block("10.0.1.0/29", host("n1"));
  give(four, "net.a", kWeb);
  give(six, "net.a", kWeb);
  put(four);
  put(six);
  put_handle("net.a", {{"10.0.0.0/29", 1}, {"10.0.1.0/29", 1}});
  EXPECT_THAT(look(), ElementsAre("leaked addresses: net.a, 900"));
  auto pod = std::make_shared<model::Pod>();
  pod->spec.node_name = "n1";
  pod->status.pod_ip = IpAddress::parse("10.0.1.0").value();
  view_.set_pod("shop", "web", pod);
  EXPECT_THAT(look(), IsEmpty()) << "one is used";
}

TEST_F(SuspectsTest, TunnelsGoOneByOne) {
  const StringMap tunnel = {{"type", "ipipTunnelAddress"}, {"node", "n1"}};
  model::IpamBlock own = block("10.0.0.0/29", host("n1"));
  give(own, "ipip-tunnel-addr-n1", tunnel, 2);
  put(own);
  put_handle("ipip-tunnel-addr-n1", {{"10.0.0.0/29", 2}});
  auto node = std::make_shared<model::Node>();
  node->metadata.name = "n1";
  node->metadata.annotations.set("projectcalico.org/IPv4IPIPTunnelAddr", "10.0.0.1");
  view_.set("n1", std::shared_ptr<const model::Node>(node));
  EXPECT_THAT(look(), ElementsAre("leaked addresses: address 10.0.0.0, 900"));
}

TEST_F(SuspectsTest, NobodyElsesAddressesAreSuspected) {
  model::IpamBlock own = block("10.0.0.0/29", host("n1"));
  give(own, "vm-1", {{"node", "n1"}});
  give(own, "lb-1", {{"type", "loadBalancer"}});
  give(own, "windows-reserved-ipam-handle", {});
  put(own);
  put_handle("vm-1", {{"10.0.0.0/29", 1}});
  put_handle("lb-1", {{"10.0.0.0/29", 1}});
  put_handle("windows-reserved-ipam-handle", {{"10.0.0.0/29", 1}});
  put_handle("theirs", {});
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SuspectsTest, HandlesSayWhatBlocksSay) {
  model::IpamBlock own = block("10.0.0.0/29", host("n1"));
  auto pod = std::make_shared<model::Pod>();
  pod->spec.node_name = "n1";
  view_.set_pod("shop", "web", pod);
  give(own, "net.few", kWeb);
  give(own, "net.missing", kWeb);
  give(own, "net.right", kWeb);
  give(own, "net.Upper", kWeb);
  put(own);
  put_handle("net.few", {{"10.0.0.0/29", 2}});
  put_handle("net.right", {{"10.0.0.0/29", 1}});
  put_handle("net.Upper", {{"10.0.0.0/29", 1}});
  put_handle("net.empty", {{"10.0.9.0/29", 1}});
  put_handle("net.half", {}, /*is_deleted=*/true);
  EXPECT_THAT(look(), ElementsAre("wrong handle: net.empty, 900", "wrong handle: net.few, 900",
                                  "wrong handle: net.half, 900", "wrong handle: net.missing, 900"));
}

TEST_F(SuspectsTest, OfANodeThatIsGoneEverythingIsSuspectedAtOnce) {
  model::IpamBlock used = block("10.0.0.0/29", host("old")), empty = block("10.0.1.0/29", host("old"));
  give(used, "net.a", {{"namespace", "shop"}, {"pod", "web"}, {"node", "old"}});
  put(used);
  put(empty);
  put_handle("net.a", {{"10.0.0.0/29", 1}});
  put_affinity(host("old"), IpPrefix::parse("10.0.2.0/29").value(), model::BlockAffinityState::kPending);
  rules_.grace = std::nullopt;
  EXPECT_THAT(look(), ElementsAre("owner gone: old 10.0.1.0/29, 0", "leaked addresses: net.a, 0",
                                  "owner gone: old 10.0.2.0/29, 0"))
      << "a block goes after its addresses";
  for (const char* node : {"n1", "n2"}) view_.set(node, std::shared_ptr<const model::Node>());
  EXPECT_THAT(look(), ElementsAre("leaked addresses: net.a, never")) << "no node at all is no view";
}

TEST_F(SuspectsTest, ABlockThatItsNodeDoesNotNeedIsIdle) {
  put(block("10.0.0.0/28", host("n1")));
  EXPECT_THAT(look(), IsEmpty()) << "the last one stays";
  model::IpamBlock full = block("10.0.1.0/28", host("n1"));
  give(full, "vm-1", {}, 10);
  put_handle("vm-1", {{"10.0.1.0/28", 10}});
  put(full);
  EXPECT_THAT(look(), IsEmpty()) << "it would soon be claimed again";
  put(block("10.0.2.0/28", host("n1")));
  EXPECT_THAT(look(), ElementsAre("idle block: n1 10.0.2.0/28, 900")) << "one at a time";
  set_pool("10.0.0.0/16", /*is_deleted=*/true);
  EXPECT_THAT(look(), ElementsAre("idle block: n1 10.0.0.0/28, 0", "idle block: n1 10.0.2.0/28, 0"));
  set_pool("10.1.0.0/16", false);
  EXPECT_THAT(look(), ElementsAre("idle block: n1 10.0.0.0/28, 900", "idle block: n1 10.0.2.0/28, 900"));
}

TEST_F(SuspectsTest, AffinitiesWithoutBlocksAndWhatIsHalfDeleted) {
  put_affinity(host("n1"), IpPrefix::parse("10.0.0.0/29").value());
  put_affinity(host("n2"), IpPrefix::parse("10.0.1.0/29").value(), model::BlockAffinityState::kConfirmed, true);
  put_affinity({model::AffinityType::kVirtual, "load-balancer"}, IpPrefix::parse("10.0.2.0/29").value());
  put(block("10.0.3.0/29", host("n1")));
  put_affinity(host("n2"), IpPrefix::parse("10.0.3.0/29").value());
  model::IpamBlock half = block("10.0.4.0/29", host("n2"));
  half.spec.deleted = true;
  put(half, /*has_affinity=*/false);
  put(block("10.0.5.0/29", std::nullopt));
  model::IpamBlock returning = block("10.0.6.0/29", host("n2"));
  put(returning, false);
  put_affinity(host("n2"), returning.spec.cidr, model::BlockAffinityState::kPendingDeletion);
  EXPECT_THAT(look(), ElementsAre("half deleted: block 10-0-4-0-29, 900", "idle block: n1 10.0.0.0/29, 900",
                                  "half deleted: affinity n2-10-0-1-0-29, 900", "idle block: n2 10.0.3.0/29, 900",
                                  "idle block: n2 10.0.6.0/29, 900", "ownerless block: 10-0-5-0-29, 900"));
}

TEST_F(SuspectsTest, SlotsCoolForTheirTimeAndAMinute) {
  rules_.cooldown = minutes(5);
  model::IpamBlock own = block("10.0.0.0/29", host("n1"));
  give(own, "net.a", kWeb);
  ASSERT_EQ(ipam::release_handle(own.spec, "net.a", std::nullopt, {rules_.cooldown, kNow - minutes(7)}), 1);
  put(own);
  EXPECT_THAT(look(), ElementsAre("cooled: 10-0-0-0-29, 0"));
  rules_.cooldown = minutes(7);
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SuspectsTest, ABlockThatContradictsItselfIsLeftAlone) {
  model::IpamBlock odd = block("10.0.0.0/29", host("n1"));
  give(odd, "net.a", kWeb);
  odd.spec.unallocated.push_back(0);
  put(odd);
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(SuspectsTest, WhatIsThereIsCountedByNodeAndPool) {
  model::IpamBlock own = block("10.0.0.0/29", host("n1")), far = block("10.9.0.0/29", std::nullopt);
  give(own, "net.a", kWeb);
  give(own, "net.b", {{"namespace", "shop"}, {"pod", "web"}, {"node", "n2"}});
  give(own, "odd", {});
  give(far, "net.c", kWeb);
  put(own);
  put(far);
  set_pool("10.0.0.0/24", false);
  const Tally tally = look_at(view_, rules_, kNow).tally;
  EXPECT_EQ(tally.blocks.at({"n1", "pool"}).blocks, 1U);
  EXPECT_EQ(tally.blocks.at({"no_affinity", "no_ippool"}).blocks, 1U);
  EXPECT_EQ(tally.addresses.at({"n1", "pool"}).borrowed, 0U);
  EXPECT_EQ(tally.addresses.at({"n2", "pool"}).borrowed, 1U);
  EXPECT_EQ(tally.addresses.at({"unknown_node", "pool"}).suspects, 0U);
  EXPECT_EQ(tally.addresses.at({"n1", "no_ippool"}).suspects, 1U);
}

}  // namespace
}  // namespace margay::controllers
