#include "policy/index/set_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/core/random.h"
#include "base/core/text.h"
#include "policy/index/test_selectors.h"

namespace margay::policy {
namespace {

using test::parsed;

IpPrefix net(const std::string& text) { return IpPrefix::parse_cidr_or_address(text).value(); }

SelectorSource picked_by(std::string_view text) { return {.selector = parsed(text)}; }

NamedPortSource port_of(std::string_view text, const std::string& name, model::Protocol protocol) {
  return {.selector = parsed(text), .protocol = protocol, .port_name = name};
}

SetItem item(const StringMap& labels, const std::vector<std::string>& nets) {
  SetItem out{.labels = labels, .parents = {}, .nets = {}, .ports = {}};
  for (const std::string& text : nets) out.nets.push_back(net(text));
  return out;
}

std::vector<std::string> texts(const std::vector<IpSetMember>& members) {
  std::vector<std::string> out;
  for (const IpSetMember& member : members) out.push_back(member.to_string());
  return out;
}

using Texts = std::vector<std::string>;

// An index, and what its deltas add up to; every delta is checked against that.
class Taken {
 public:
  explicit Taken(bool suppress_nested = true) : index(SetIndex::Options{.suppress_nested = suppress_nested}) {}
  SetIndex index;
  std::map<IpSetId, std::set<IpSetMember>> sets;
  std::map<IpSetId, IpSetDelta> last;

  IpSetId add(const SetSource& source) {
    IpSetId id = id_of(source);
    index.add_set(id, source);
    return id;
  }

  void take() {
    last = index.take();
    for (const auto& [id, delta] : last) apply(id, delta);
    for (const auto& [id, members] : sets) {
      EXPECT_EQ(std::vector<IpSetMember>(members.begin(), members.end()), index.members_of(id)) << id.view();
    }
  }

  Texts members(const IpSetId& id) { return texts({sets.at(id).begin(), sets.at(id).end()}); }

 private:
  void apply(const IpSetId& id, const IpSetDelta& delta) {
    EXPECT_EQ(sets.contains(id), delta.what != IpSetDelta::What::kCreate) << id.view();
    EXPECT_TRUE(std::is_sorted(delta.added.begin(), delta.added.end()));
    EXPECT_TRUE(std::is_sorted(delta.removed.begin(), delta.removed.end()));
    if (delta.what == IpSetDelta::What::kRemove) {
      EXPECT_TRUE(delta.added.empty() && delta.removed.empty());
      sets.erase(id);
      return;
    }
    std::set<IpSetMember>& members = sets[id];
    for (const IpSetMember& member : delta.removed) EXPECT_EQ(members.erase(member), 1U) << member.to_string();
    for (const IpSetMember& member : delta.added) EXPECT_TRUE(members.insert(member).second) << member.to_string();
  }
};

TEST(SetIndex, SetsAreNamedAsCalicoNamesThem) {
  EXPECT_EQ(id_of(picked_by("all()")), "s:5y5I3VdRZfDU01O--xXAPx2yxCQQqMf0M6IWug");
  EXPECT_EQ(id_of(picked_by(" b=='b' ")), "s:8Fb8HeM2GAxsfgNYVjbNrgSZ2H4cZJI8ODNBVg");
  EXPECT_EQ(id_of(port_of("all()", "tcpport", model::kProtocolTcp)), "n:RMAIMXhhyW5sWWm_0o9euzK6TlyAbtjf6Ta9Jw");
  EXPECT_EQ(id_of(port_of("all()", "tcpport", model::kProtocolUdp)), "n:n6NSsy-5cVPLsTOu4wsCJL5m39DV8Hv4oMYapQ");
  EXPECT_EQ(id_of(ServiceSource{"default", "svc", true}), "svc:Jhwii46PCMT5NlhWsUqZmv7al8TeHFbNQMhoVg");
  EXPECT_EQ(id_of(ServiceSource{"default", "svc", false}), "svcnoport:T03S_6hogdrGKrNFBcbKTFsH_uKwDHEo8JddOg");
}

TEST(SetIndex, AMemberLeavesWithTheLastItemThatGivesIt) {
  Taken taken;
  const IpSetId id = taken.add(picked_by("has(a)"));
  taken.index.put_item(ItemId(0), item({{"a", "1"}}, {"10.0.0.1", "10.0.0.2", "10.0.0.1"}));
  taken.index.put_item(ItemId(1), item({{"a", "1"}}, {"10.0.0.2"}));
  taken.index.put_item(ItemId(2), item({{"b", "1"}}, {"10.0.0.3"}));
  taken.take();
  EXPECT_EQ(taken.members(id), (Texts{"10.0.0.1/32", "10.0.0.2/32"}));
  taken.index.remove_item(ItemId(0));
  taken.take();
  EXPECT_EQ(taken.members(id), (Texts{"10.0.0.2/32"}));
  taken.index.remove_item(ItemId(1));
  taken.take();
  EXPECT_TRUE(taken.members(id).empty());
}

TEST(SetIndex, WhatCameAndWentBetweenIsNotTold) {
  Taken taken;
  taken.add(picked_by("has(a)"));
  taken.index.put_item(ItemId(0), item({{"a", "1"}}, {"10.0.0.1"}));
  taken.take();
  taken.index.remove_item(ItemId(0));
  taken.index.put_item(ItemId(1), item({{"a", "1"}}, {"10.0.0.1"}));
  taken.index.put_item(ItemId(2), item({{"a", "1"}}, {"10.0.0.2"}));
  taken.index.remove_item(ItemId(2));
  taken.take();
  EXPECT_TRUE(taken.last.empty());
}

TEST(SetIndex, ASetThatIsRemovedAndAddedAgainOnlyChanges) {
  Taken taken;
  const SetSource source = picked_by("has(a)");
  const IpSetId id = taken.add(source);
  taken.add(source);
  taken.index.remove_set(id);
  taken.take();
  taken.index.remove_set(id);
  taken.index.put_item(ItemId(0), item({{"a", "1"}}, {"10.0.0.1"}));
  taken.add(source);
  taken.take();
  EXPECT_EQ(taken.last.at(id).what, IpSetDelta::What::kUpdate);
  taken.index.remove_set(id);
  EXPECT_TRUE(taken.index.members_of(id).empty());
  taken.take();
  EXPECT_TRUE(taken.sets.empty());
  taken.add(source);
  taken.index.remove_set(id);
  taken.take();
  EXPECT_TRUE(taken.last.empty()) << "what nobody saw need not go";
}

TEST(SetIndex, NamedPortsByNameAndProtocol) {
  Taken taken;
  const IpSetId tcp = taken.add(port_of("all()", "web", model::kProtocolTcp));
  const IpSetId udp = taken.add(port_of("all()", "web", model::kProtocolUdp));
  taken.take();
  SetItem one = item({}, {"10.0.0.1", "fd00::1"});
  one.ports = {{"web", model::kProtocolTcp, Port(80)},
               {"web", model::kProtocolTcp, Port(81)},
               {"dns", model::kProtocolUdp, Port(53)},
               {"web", model::kProtocolUdp, Port(443)}};
  taken.index.put_item(ItemId(0), one);
  SetItem two = item({}, {"10.0.0.1"});
  two.ports = {{"web", model::kProtocolTcp, Port(80)}};
  taken.index.put_item(ItemId(1), two);
  taken.take();
  EXPECT_EQ(taken.members(tcp), (Texts{"10.0.0.1,tcp:80", "10.0.0.1,tcp:81", "fd00::1,tcp:80", "fd00::1,tcp:81"}));
  EXPECT_EQ(taken.members(udp), (Texts{"10.0.0.1,udp:443", "fd00::1,udp:443"}));
  taken.index.remove_item(ItemId(0));
  taken.take();
  EXPECT_EQ(taken.members(tcp), (Texts{"10.0.0.1,tcp:80"}));
}

TEST(SetIndex, NestedNetsWaitUntilWhatContainsThemGoes) {
  for (const auto& [wide, inner, host] : {std::tuple("10.65.0.0/16", "10.65.1.0/24", "10.65.1.5/32"),
                                          std::tuple("fd00::/16", "fd00:1::/32", "fd00:1::5/128")}) {
    Taken taken;
    const IpSetId id = taken.add(picked_by("has(a)"));
    taken.index.put_item(ItemId(0), item({{"a", "1"}}, {host}));
    taken.take();
    EXPECT_EQ(taken.members(id), (Texts{host}));
    taken.index.put_item(ItemId(1), item({{"a", "1"}}, {wide, inner}));
    taken.take();
    EXPECT_EQ(taken.members(id), (Texts{wide}));
    taken.index.put_item(ItemId(2), item({{"a", "1"}}, {wide}));
    taken.index.put_item(ItemId(1), item({{"a", "1"}}, {inner}));
    taken.take();
    EXPECT_EQ(taken.members(id), (Texts{wide})) << "another item gives it still";
    taken.index.remove_item(ItemId(2));
    taken.take();
    EXPECT_EQ(taken.members(id), (Texts{inner}));
    taken.index.remove_item(ItemId(1));
    taken.take();
    EXPECT_EQ(taken.members(id), (Texts{host}));
  }
}

TEST(SetIndex, NestingIsByMembersOfTheSameSet) {
  Taken taken;
  const IpSetId a = taken.add(picked_by("has(a)"));
  taken.take();
  taken.index.put_item(ItemId(0), item({{"b", "1"}}, {"0.0.0.0/0"}));
  taken.index.put_item(ItemId(1), item({{"a", "1"}}, {"10.0.0.1"}));
  taken.take();
  EXPECT_EQ(taken.members(a), (Texts{"10.0.0.1/32"}));
}

TEST(SetIndex, NestedNetsStayWhereAsked) {
  Taken taken(false);
  const IpSetId id = taken.add(picked_by("has(a)"));
  taken.take();
  taken.index.put_item(ItemId(0), item({{"a", "1"}}, {"10.0.0.0/8", "10.1.0.0/16"}));
  taken.take();
  EXPECT_EQ(taken.members(id), (Texts{"10.0.0.0/8", "10.1.0.0/16"}));
}

model::EndpointSlice slice(std::string_view service, const std::vector<std::string>& addresses) {
  model::EndpointSlice out;
  out.metadata.name_space = "default";
  out.metadata.labels = {{model::kServiceNameLabel, service}};
  for (const std::string& address : addresses) out.endpoints.emplace_back().addresses = {address};
  out.ports.push_back({.name = "", .protocol = std::nullopt, .port = Port(80)});
  return out;
}

TEST(SetIndex, ServicesFromTheirSlices) {
  Taken taken;
  const IpSetId ports = taken.add(ServiceSource{"default", "svc", true});
  const IpSetId addresses = taken.add(ServiceSource{"default", "svc", false});
  taken.index.put_slice("a", slice("svc", {"10.0.0.1", "10.0.0.2"}));
  taken.index.put_slice("b", slice("svc", {"10.0.0.2", "fd00::1", "example.com"}));
  taken.index.put_slice("c", slice("other", {"10.0.0.9"}));
  taken.take();
  EXPECT_EQ(taken.members(ports), (Texts{"10.0.0.1,tcp:80", "10.0.0.2,tcp:80", "fd00::1,tcp:80"}));
  EXPECT_EQ(taken.members(addresses), (Texts{"10.0.0.1/32", "10.0.0.2/32", "fd00::1/128"}));
  taken.index.remove_slice("b");
  taken.index.put_slice("c", slice("svc", {"10.0.0.9"}));
  taken.take();
  EXPECT_EQ(taken.members(ports), (Texts{"10.0.0.1,tcp:80", "10.0.0.2,tcp:80", "10.0.0.9,tcp:80"}));
  taken.index.put_slice("a", slice("", {"10.0.0.1"}));
  taken.index.remove_slice("nobody");
  taken.take();
  EXPECT_EQ(taken.members(addresses), (Texts{"10.0.0.9/32"}));
}

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
NodesSource nodes(std::string_view text) { return {.selector = parsed(text)}; }

TEST(SetIndex, NodesByTheirLabels) {
  Taken taken;
  taken.index.put_node("a", {{"role", "edge"}}, {ip("192.0.2.1"), ip("2001:db8::1")});
  taken.index.put_node("b", {{"role", "core"}}, {ip("192.0.2.2")});
  const IpSetId edge = taken.add(nodes("role == 'edge'")), all = taken.add(nodes("all()"));
  taken.take();
  EXPECT_EQ(taken.members(edge), (Texts{"192.0.2.1/32", "2001:db8::1/128"}));
  EXPECT_EQ(taken.members(all), (Texts{"192.0.2.1/32", "192.0.2.2/32", "2001:db8::1/128"}));
  taken.index.put_node("b", {{"role", "core"}}, {ip("192.0.2.2")});
  taken.take();
  EXPECT_TRUE(taken.last.empty()) << "a heartbeat of a node is no change";
  taken.index.put_node("b", {{"role", "edge"}}, {ip("192.0.2.2")});
  taken.index.put_node("c", {}, {ip("192.0.2.2")});
  taken.take();
  EXPECT_EQ(taken.last.size(), 1U) << "all() has the address already";
  EXPECT_EQ(taken.members(edge), (Texts{"192.0.2.1/32", "192.0.2.2/32", "2001:db8::1/128"}));
  taken.index.remove_node("b");
  taken.index.remove_node("nobody");
  taken.take();
  EXPECT_EQ(taken.members(all), (Texts{"192.0.2.1/32", "192.0.2.2/32", "2001:db8::1/128"})) << "c has it";
  EXPECT_EQ(taken.members(edge), (Texts{"192.0.2.1/32", "2001:db8::1/128"}));
  taken.index.remove_set(edge);
  taken.take();
  EXPECT_FALSE(taken.sets.contains(edge));
  taken.index.put_node("a", {}, {});
  taken.take();
  EXPECT_EQ(taken.members(all), (Texts{"192.0.2.2/32"}));
}

TEST(SetIndex, NodesAndItemsDoNotMix) {
  Taken taken;
  taken.index.put_item(ItemId(1), item({{"projectcalico.org/kind", "Node"}, {"role", "edge"}}, {"10.0.0.1/32"}));
  taken.index.put_node("a", {{"projectcalico.org/kind", "Node"}, {"role", "edge"}}, {ip("192.0.2.1")});
  const IpSetId of_nodes = taken.add(nodes("role == 'edge'")), of_items = taken.add(picked_by("role == 'edge'"));
  const IpSetId everything = taken.add(picked_by("all()"));
  EXPECT_NE(of_nodes, of_items);
  EXPECT_TRUE(of_nodes.view().starts_with("nodes:"));
  taken.take();
  EXPECT_EQ(taken.members(of_nodes), (Texts{"192.0.2.1/32"}));
  EXPECT_EQ(taken.members(of_items), (Texts{"10.0.0.1/32"}));
  EXPECT_EQ(taken.members(everything), (Texts{"10.0.0.1/32"}));
}

// Taken checks each delta against members_of; here members_of is checked against looking at every node.
TEST(SetIndex, SetsOfNodesEqualLookingAtEveryNode) {
  SeededRandom random(11);
  Taken taken;
  struct Node {
    StringMap labels;
    std::vector<IpAddress> addresses;
  };
  std::map<std::string, Node> world;
  const std::vector<std::string> selectors = {"all()", "x == '1'", "!has(x)", "x != '2' && has(y)", "y in {'0', '1'}"};
  std::map<std::string, IpSetId> added;
  for (int step = 0; step < 2000; ++step) {
    const std::string name = concat("node-", random.below(6));
    if (random.below(4) == 0) {
      world.erase(name);
      taken.index.remove_node(name);
    } else {
      Node node;
      if (random.below(2) == 0) node.labels.set("x", concat(random.below(3)));
      if (random.below(2) == 0) node.labels.set("y", concat(random.below(3)));
      for (std::uint64_t i = random.below(3); i > 0; --i) {
        node.addresses.push_back(IpAddress::v4(0xc0000200 + static_cast<std::uint32_t>(random.below(5))));
      }
      taken.index.put_node(name, node.labels, node.addresses);
      world[name] = std::move(node);
    }
    const std::string& text = selectors[random.below(selectors.size())];
    if (added.contains(text) && random.below(8) == 0) {
      taken.index.remove_set(added.at(text));
      added.erase(text);
    } else if (!added.contains(text)) {
      added.emplace(text, taken.add(nodes(text)));
    }
    if (random.below(3) != 0) continue;
    taken.take();
    for (const auto& [each, id] : added) {
      std::set<std::string> expected;
      for (const auto& [other, node] : world) {
        if (!parsed(each).matches(node.labels)) continue;
        for (const IpAddress& address : node.addresses) expected.insert(concat(address.to_string(), "/32"));
      }
      const Texts found = taken.members(id);
      EXPECT_EQ(std::set<std::string>(found.begin(), found.end()), expected) << each << " at step " << step;
    }
  }
}

TEST(SetIndex, PortsWithoutNumberAreNoMembers) {
  Taken taken;
  const IpSetId ports = taken.add(ServiceSource{"default", "svc", true});
  model::EndpointSlice all_ports = slice("svc", {"10.0.0.1"});
  all_ports.ports = {{.name = "any", .protocol = std::nullopt, .port = std::nullopt},
                     {.name = "dns", .protocol = model::kProtocolUdp, .port = Port(53)}};
  taken.index.put_slice("a", all_ports);
  taken.take();
  EXPECT_EQ(taken.members(ports), (Texts{"10.0.0.1,udp:53"}));
}

// What a set must hold, from all items.
class Expected {
 public:
  std::map<std::uint32_t, SetItem> items;
  std::map<std::string, StringMap> parents;

  [[nodiscard]] std::vector<IpSetMember> members(const SetSource& source, bool suppress) const {
    std::set<IpSetMember> out;
    for (const auto& [id, item] : items) {
      if (const auto* nets = std::get_if<SelectorSource>(&source); nets != nullptr && matches(nets->selector, item)) {
        for (const IpPrefix& net : item.nets) out.insert({.net = net, .protocol = {}, .port = {}});
      }
      const auto* named = std::get_if<NamedPortSource>(&source);
      if (named == nullptr || !matches(named->selector, item)) continue;
      for (const model::EndpointPort& port : item.ports) {
        if (port.name != named->port_name || port.protocol != named->protocol) continue;
        for (const IpPrefix& net : item.nets) out.insert({.net = net, .protocol = port.protocol, .port = port.port});
      }
    }
    std::vector<IpSetMember> kept;
    for (const IpSetMember& member : out) {
      const bool is_nested = std::any_of(out.begin(), out.end(), [&](const IpSetMember& other) {
        return other.net != member.net && other.net.contains(member.net);
      });
      if (!suppress || !is_nested || std::holds_alternative<NamedPortSource>(source)) kept.push_back(member);
    }
    return kept;
  }

 private:
  [[nodiscard]] bool matches(const selector::Selector& selector, const SetItem& item) const {
    StringMap labels;
    for (auto name = item.parents.rbegin(); name != item.parents.rend(); ++name) {
      const auto parent = parents.find(*name);
      if (parent == parents.end()) continue;
      for (const auto& [key, value] : parent->second) labels.set(key, value);
    }
    for (const auto& [key, value] : item.labels) labels.set(key, value);
    return selector.matches(labels);
  }
};

SetItem random_item(Random& random) {
  static const std::vector<std::string> kNets = {
      "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24", "10.0.0.1", "10.0.0.2",  "10.0.1.0/24", "10.0.1.1",
      "0.0.0.0/0",  "fd00::/16",   "fd00:1::/32", "fd00::1",  "fd00:1::1", "::/0"};
  SetItem out;
  for (std::uint64_t n = random.below(3); n > 0; --n)
    out.labels.set(concat("k", random.below(3)), concat("v", random.below(2)));
  for (std::uint64_t n = random.below(3); n > 0; --n) out.parents.push_back(concat("p", random.below(3)));
  for (std::uint64_t n = random.below(4); n > 0; --n) out.nets.push_back(net(kNets[random.below(kNets.size())]));
  for (std::uint64_t n = random.below(3); n > 0; --n) {
    out.ports.push_back({concat("p", random.below(2)), random.below(2) == 0 ? model::kProtocolTcp : model::kProtocolUdp,
                         Port(static_cast<std::uint16_t>(80 + random.below(2)))});
  }
  return out;
}

const std::vector<SetSource>& sources() {
  static const std::vector<SetSource> kSources = {
      picked_by("all()"),
      picked_by("k0 == 'v0'"),
      picked_by("k1 == 'v1' && has(k2)"),
      picked_by("k1 != 'v1'"),
      picked_by("k0 in {'v0', 'v1'} || !has(k1)"),
      port_of("all()", "p0", model::kProtocolTcp),
      port_of("has(k0)", "p1", model::kProtocolUdp),
  };
  return kSources;
}

class Both {
 public:
  explicit Both(bool suppress) : taken_(suppress), suppress_(suppress) {}

  void change(Random& random) {
    const auto id = static_cast<std::uint32_t>(random.below(12));
    const std::string parent = concat("p", random.below(3));
    const std::size_t set = random.below(sources().size());
    switch (random.below(8)) {
      case 0:
        taken_.index.remove_item(ItemId(id));
        expected_.items.erase(id);
        break;
      case 1:
        expected_.parents[parent] = random_item(random).labels;
        taken_.index.put_parent(parent, expected_.parents[parent]);
        break;
      case 2:
        expected_.parents.erase(parent);
        taken_.index.remove_parent(parent);
        break;
      case 3:
        taken_.add(sources()[set]);
        ++users_[set];
        break;
      case 4:
        if (users_[set] == 0) break;
        --users_[set];
        taken_.index.remove_set(id_of(sources()[set]));
        break;
      default: expected_.items[id] = random_item(random); taken_.index.put_item(ItemId(id), expected_.items[id]);
    }
  }

  void check(const std::string& where) {
    taken_.take();
    std::size_t in_use = 0;
    for (std::size_t i = 0; i < sources().size(); ++i) {
      const IpSetId id = id_of(sources()[i]);
      ASSERT_EQ(taken_.sets.contains(id), users_[i] > 0) << where;
      if (users_[i] == 0) continue;
      ++in_use;
      EXPECT_EQ(taken_.members(id), texts(expected_.members(sources()[i], suppress_))) << where << " set " << i;
    }
    EXPECT_EQ(taken_.sets.size(), in_use) << where;
  }

 private:
  Taken taken_;
  Expected expected_;
  bool suppress_;
  std::map<std::size_t, int> users_;
};

TEST(SetIndex, EqualsCountingEverythingAfterEveryBatch) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    Both both(seed % 3 != 0);
    for (int batch = 0; batch < 60; ++batch) {
      for (std::uint64_t n = random.below(5); n > 0; --n) both.change(random);
      both.check(concat("seed ", seed, " batch ", batch));
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace margay::policy
