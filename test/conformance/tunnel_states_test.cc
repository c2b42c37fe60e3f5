// The tunnel planner against Calico's own states (calc-states): routes to blocks of other nodes, and VTEPs.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/core/random.h"
#include "base/core/text.h"
#include "gtest/gtest.h"
#include "ipip/plan/planner.h"
#include "test/conformance/conformance_data.h"

namespace margay::conformance {
namespace {

using ipip::PlanInput;
using model::Kind;
using model::ObjectKey;
using PlanObjects = std::map<ObjectKey, PlanInput>;
using Lines = std::set<std::string>;

std::string text_at(const json::Value& value, std::string_view member) {
  return std::string(value.string_at({member}));
}

model::EncapMode mode_of(std::string_view word) {
  if (word == "always") return model::EncapMode::kAlways;
  return word == "cross-subnet" ? model::EncapMode::kCrossSubnet : model::EncapMode::kNever;
}

PlanInput pool_input(const json::Value& value) {
  auto pool = std::make_shared<model::IpPool>();
  pool->metadata.name = text_at(value, "cidr");
  pool->spec.cidr = IpPrefix::parse(pool->metadata.name).value();
  pool->spec.ipip_mode = mode_of(value.string_at({"ipip_mode"}));
  pool->spec.vxlan_mode = mode_of(value.string_at({"vxlan_mode"}));
  const ObjectKey key{Kind::kIpPool, "", pool->metadata.name};
  return {key, ipip::Shared<model::IpPool>(std::move(pool))};
}

PlanInput block_input(const json::Value& value) {
  auto block = std::make_shared<model::IpamBlock>();
  block->metadata.name = text_at(value, "cidr");
  block->spec.cidr = IpPrefix::parse(block->metadata.name).value();
  const std::string affinity = text_at(value, "affinity");
  if (!affinity.empty()) block->spec.affinity = model::BlockOwner::parse(affinity).value();
  for (const json::Value& index : *get(value, "allocations").as_array()) {
    auto& place = block->spec.allocations.emplace_back();
    if (index.as_integer() != nullptr) place = static_cast<std::int32_t>(*index.as_integer());
  }
  if (const json::Array* const attributes = get(value, "attributes").as_array()) {
    for (const json::Value& attribute : *attributes) {
      block->spec.attributes.emplace_back().active_owner.set("node", get(attribute, "secondary").string_at({"node"}));
    }
  }
  const ObjectKey key{Kind::kIpamBlock, "", block->metadata.name};
  return {key, ipip::Shared<model::IpamBlock>(std::move(block))};
}

using Annotations = std::map<std::string, std::string>;

void add_node(const json::Value& value, Annotations& to) {
  const json::Value& bgp = get(get(value, "spec"), "bgp");
  if (bgp.is_null()) return;
  for (const auto& [member, name] :
       {std::pair("ipv4Address", "IPv4Address"), std::pair("ipv6Address", "IPv6Address")}) {
    if (!get(bgp, member).is_null()) to[name] = text_at(bgp, member);
  }
}

PlanInput node_input(const std::string& name, const Annotations& annotations) {
  auto node = std::make_shared<model::Node>();
  node->metadata.name = name;
  for (const auto& [key, value] : annotations) node->metadata.annotations.set(concat("projectcalico.org/", key), value);
  const ObjectKey key{Kind::kNode, "", name};
  return {key, ipip::Shared<model::Node>(std::move(node))};
}

// Calico keeps what a node says of itself under several keys; here it is one object.
PlanObjects objects_of(const json::Value& state) {
  PlanObjects out;
  std::map<std::string, Annotations> nodes;
  const auto add = [&](PlanInput input) { out[input.key] = std::move(input); };
  for (const json::Value& entry : *state.as_array()) {
    const std::string_view type = entry.string_at({"key_type"});
    const std::string key = text_at(entry, "key");
    const std::vector<std::string_view> path = split(key, '/');
    const json::Value& value = get(entry, "value");
    if (value.is_null()) continue;
    if (type == "IPPoolKey") add(pool_input(value));
    if (type == "BlockKey") add(block_input(value));
    if (type == "ResourceKey" && path[5] == "nodes") add_node(value, nodes[std::string(path.back())]);
    // /calico/v1/host/NODE/config/NAME
    if (type == "HostConfigKey") nodes[std::string(path[4])][std::string(path[6])] = *value.as_string();
  }
  for (const auto& [name, annotations] : nodes) add(node_input(name, annotations));
  return out;
}

// What the expected state says, as lines of lines_of().
Lines expected_lines(const json::Value& expected, const std::string& our_node) {
  Lines out;
  std::map<std::pair<std::string, bool>, std::string> tunnel_address;
  const auto normal = [](const std::string& text) { return IpAddress::parse(text).value().to_string(); };
  const auto add_vtep = [&](const json::Value& vtep, const char* address, const char* mac, const char* parent) {
    const std::string node = text_at(vtep, "Node"), text = text_at(vtep, address);
    if (text.empty() || node == our_node) return;
    const std::string ip = normal(text);
    tunnel_address[{node, IpAddress::parse(ip).value().is_v4()}] = ip;
    out.insert(concat("vtep ", node, " ", ip, " ", vtep.string_at({mac}), " ", normal(text_at(vtep, parent))));
  };
  for (const json::Value& vtep : *get(expected, "vteps").as_array()) {
    add_vtep(vtep, "Ipv4Addr", "Mac", "ParentDeviceIp");
    add_vtep(vtep, "Ipv6Addr", "MacV6", "ParentDeviceIpv6");
  }
  for (const json::Value& route : *get(expected, "routes").as_array()) {
    bool is_remote = false;
    for (const json::Value& type : *get(route, "types").as_array()) is_remote |= *type.as_string() == "REMOTE_WORKLOAD";
    const std::string node = text_at(route, "dst_node_name"), pool = text_at(route, "ip_pool_type");
    const std::string node_ip = text_at(route, "dst_node_ip");
    if (!is_remote || node_ip.empty()) continue;
    const IpPrefix prefix = IpPrefix::parse(text_at(route, "dst")).value();
    const bool is_near = !get(route, "same_subnet").is_null();
    std::string way;
    if (is_near) {
      way = concat("plain ", normal(node_ip));
    } else if (pool == "IPIP") {
      way = concat("ipip ", normal(node_ip));
    } else if (pool == "VXLAN" && tunnel_address.contains({node, prefix.is_v4()})) {
      way = concat("vxlan ", tunnel_address[{node, prefix.is_v4()}]);
    }
    if (!way.empty()) out.insert(concat(prefix.to_string(), " ", way, " ", node));
  }
  return out;
}

// States in which another part of the agent has a say.
struct Elsewhere {
  const char* state;
  const char* prefix;
  const char* why;
};
constexpr Elsewhere kElsewhere[] = {
    {"VXLAN local with borrows with local WEP override", "10.0.0.2/32 ",
     "a workload of ours has the address: the route driver prefers its route"},
};

// Without the lines that are decided elsewhere, which must be there.
Lines own_lines(const std::string& state, Lines lines) {
  for (const Elsewhere& each : kElsewhere) {
    if (state != each.state) continue;
    const auto is_meant = [&](const std::string& line) { return line.starts_with(each.prefix); };
    EXPECT_EQ(std::erase_if(lines, is_meant), 1U) << state << ": " << each.why;
  }
  return lines;
}

// Moves from state to state and keeps what the deltas come to.
class TunnelMover {
 public:
  explicit TunnelMover(const std::string& node) : planner_(node, {.ipip = true, .plain = true}) {}

  void move_to(const PlanObjects& to, Random* random) {
    std::vector<PlanInput> changes;
    for (const auto& [key, input] : objects_) {
      if (!to.contains(key)) changes.push_back({key, {}});
    }
    for (const auto& [key, input] : to) changes.push_back(input);
    for (std::size_t i = changes.size(); random != nullptr && i > 1; --i) {
      std::swap(changes[i - 1], changes[random->below(i)]);
    }
    for (const PlanInput& change : changes) planner_.apply(change);
    objects_ = to;
  }
  Lines lines() {
    const ipip::PlanDelta delta = planner_.flush();
    for (const auto& [prefix, route] : delta.routes) {
      routes_.erase(prefix);
      if (!route) continue;
      routes_[prefix] =
          concat(prefix.to_string(), " ", to_string(route->carrier), " ", route->gateway.to_string(), " ", route->node);
    }
    for (const auto& [key, vtep] : delta.vteps) {
      vteps_.erase(key);
      if (!vtep) continue;
      vteps_[key] = concat("vtep ", key.node, " ", vtep->tunnel_address.to_string(), " ", vtep->mac.to_string(), " ",
                           vtep->node_address.to_string());
    }
    Lines out;
    for (const auto& [prefix, line] : routes_) out.insert(line);
    for (const auto& [key, line] : vteps_) out.insert(line);
    return out;
  }

 private:
  ipip::TunnelPlanner planner_;
  PlanObjects objects_;
  std::map<IpPrefix, std::string> routes_;
  std::map<ipip::VtepKey, std::string> vteps_;
};

class TunnelStates : public testing::Test {
 protected:
  struct TunnelState {
    std::string name;
    PlanObjects objects;
    Lines expected;
  };

  void SetUp() override {
    const auto data = load("calc-states/states.json");
    if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
    node_ = data->string_at({"local_hostname"});
    for (const json::Value& state : *get(*data, "states").as_array()) {
      states_.push_back(
          {text_at(state, "name"), objects_of(get(state, "datastore")), expected_lines(get(state, "expected"), node_)});
    }
    for (const json::Value& sequence : *get(*data, "sequences").as_array()) {
      // Others take routes from the addresses of workloads: there are no blocks then.
      if (sequence.string_at({"route_source"}) != "CalicoIPAM") continue;
      auto& numbers = sequences_.emplace_back();
      for (const json::Value& number : *get(sequence, "states").as_array()) {
        numbers.push_back(static_cast<std::size_t>(*number.as_integer()));
      }
    }
  }

  void walk(bool is_reversed, bool is_empty_between, Random* random) {
    for (std::vector<std::size_t> sequence : sequences_) {
      if (is_reversed) std::reverse(sequence.begin(), sequence.end());
      TunnelMover mover(node_);
      for (const std::size_t number : sequence) {
        if (is_empty_between) {
          mover.move_to({}, random);
          ASSERT_EQ(mover.lines(), Lines{});
        }
        mover.move_to(states_[number].objects, random);
        ASSERT_EQ(own_lines(states_[number].name, mover.lines()), states_[number].expected) << states_[number].name;
      }
    }
  }

  std::string node_;
  std::vector<TunnelState> states_;
  std::vector<std::vector<std::size_t>> sequences_;
};

TEST_F(TunnelStates, AreRead) {
  std::size_t with_routes = 0;
  for (const TunnelState& state : states_) with_routes += state.expected.empty() ? 0U : 1U;
  EXPECT_EQ(states_.size(), 139U);
  EXPECT_GE(with_routes, 40U);
  EXPECT_GE(sequences_.size(), 80U);
}

TEST_F(TunnelStates, InSequence) { walk(false, false, nullptr); }
TEST_F(TunnelStates, InSequenceReversed) { walk(true, false, nullptr); }
TEST_F(TunnelStates, WithNothingBetween) { walk(false, true, nullptr); }
TEST_F(TunnelStates, WithKeysShuffled) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SeededRandom random(seed);
    walk(seed % 2 == 0, false, &random);
  }
}

}  // namespace
}  // namespace margay::conformance
