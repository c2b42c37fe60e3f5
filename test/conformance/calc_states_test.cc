// The calculation against Calico's own states: IP-set members, active policies and profiles, the tiers of endpoints.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include "base/core/random.h"
#include "base/core/text.h"
#include "gtest/gtest.h"
#include "policy/calc/engine.h"
#include "policy/desired/state.h"
#include "test/conformance/calc_states.h"
#include "test/conformance/conformance_data.h"

namespace margay::conformance {
namespace {

using model::ObjectKey;
using policy::Engine;
using policy::Input;

json::Value tiers_of(const std::vector<policy::TierPolicies>& tiers) {
  json::Array out;
  for (const policy::TierPolicies& tier : tiers) {
    std::string text = concat(tier.tier, ": ingress");
    for (const policy::PolicyRef& ref : tier.ingress) text.append(concat(" ", ref.id.name));
    text.append(" egress");
    for (const policy::PolicyRef& ref : tier.egress) text.append(concat(" ", ref.id.name));
    out.emplace_back(std::move(text));
  }
  return {std::move(out)};
}

// In the shape of comparable().
json::Value state_json(const policy::State& state) {
  json::Value out = json::Object();
  out["ip_sets"] = json::Object();
  for (const auto& [id, set] : state.ip_sets()) {
    json::Array members;
    for (const policy::IpSetMember& member : set.members()) members.emplace_back(member.to_string());
    const auto before = [](const json::Value& a, const json::Value& b) { return *a.as_string() < *b.as_string(); };
    std::sort(members.begin(), members.end(), before);
    out["ip_sets"][id.view()] = json::Value(std::move(members));
  }
  json::Array policies;
  for (const auto& [key, value] : state.policies()) policies.emplace_back(key.name);
  out["active_policies"] = json::Value(std::move(policies));
  json::Array profiles;
  for (const auto& [name, value] : state.profiles()) profiles.emplace_back(name);
  out["active_profiles"] = json::Value(std::move(profiles));
  for (const char* list : {"endpoint_tiers", "untracked_tiers", "pre_dnat_tiers"}) out[list] = json::Object();
  for (const auto& [key, endpoint] : state.endpoints()) {
    out["endpoint_tiers"][key.name] = tiers_of(endpoint->policy.normal);
    out["untracked_tiers"][key.name] = tiers_of(endpoint->policy.untracked);
    out["pre_dnat_tiers"][key.name] = tiers_of(endpoint->policy.pre_dnat);
  }
  return out;
}

using Inputs = std::map<ObjectKey, Input>;

struct NamedState {
  std::string name;
  Inputs objects;
  json::Value expected;
};

// An engine that moves from state to state.
class Mover {
 public:
  explicit Mover(const std::string& node) : engine_({.node = node, .suppress_nested = true}) {}

  // How the differences are given: in order of their keys, the other way round, or as this makes it.
  enum class Order { kKeys, kReversed, kShuffled };
  void move_to(const Inputs& to, Order order, int times, Random& random) {
    std::vector<Input> changes;
    for (const auto& [key, input] : objects_) {
      if (!to.contains(key)) changes.push_back({.key = key, .value = {}});
    }
    for (const auto& [key, input] : to) changes.push_back(input);
    if (order == Order::kReversed) std::reverse(changes.begin(), changes.end());
    for (std::size_t i = changes.size(); order == Order::kShuffled && i > 1; --i) {
      std::swap(changes[i - 1], changes[random.below(i)]);
    }
    for (const Input& change : changes) {
      for (int i = 0; i < times; ++i) engine_.apply(change);
    }
    objects_ = to;
  }
  void check(const NamedState& state, const std::string& how) {
    const Status status = state_.apply(engine_.flush());
    EXPECT_TRUE(status.ok()) << how << ", " << state.name << ": " << (status.ok() ? "" : status.error().message);
    EXPECT_EQ(json::dump_pretty(state_json(state_)), json::dump_pretty(state.expected)) << how << ", " << state.name;
  }

 private:
  Engine engine_;
  policy::State state_;
  Inputs objects_;
};

class CalcStates : public testing::Test {
 protected:
  void SetUp() override {
    const auto data = load("calc-states/states.json");
    if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
    node_ = data->string_at({"local_hostname"});
    for (const json::Value& state : *get(*data, "states").as_array()) {
      NamedState named{.name = std::string(state.string_at({"name"})), .objects = {}, .expected = {}};
      for (Input& input : inputs_of(get(state, "datastore"))) named.objects[input.key] = std::move(input);
      named.expected = comparable(get(state, "expected"));
      count_out_of_scope(get(state, "expected"));
      states_.push_back(std::move(named));
    }
    for (const json::Value& sequence : *get(*data, "sequences").as_array()) {
      std::vector<std::size_t> numbers;
      for (const json::Value& number : *get(sequence, "states").as_array()) {
        numbers.push_back(static_cast<std::size_t>(*number.as_integer()));
      }
      sequences_.push_back(std::move(numbers));
    }
  }

  void count_out_of_scope(const json::Value& expected) {
    for (const char* part :
         {"routes", "vteps", "wireguard", "wireguard_v6", "host_metadata", "encapsulation", "live_migration_roles"}) {
      const json::Value& value = get(expected, part);
      const bool is_empty = value.is_null() || (value.as_array() != nullptr && value.as_array()->empty()) ||
                            (value.as_object() != nullptr && value.as_object()->empty());
      if (!is_empty) ++out_of_scope_[part];
    }
    if (const json::Value* istio = get(expected, "ip_sets").find("all-istio-weps")) {
      if (!istio->as_array()->empty()) ++out_of_scope_["all-istio-weps"];
    }
  }

  // Every sequence, each step checked.
  void walk(const std::string& how, Mover::Order order, int times, bool is_reversed, bool is_empty_between) {
    SeededRandom random(1);
    for (std::vector<std::size_t> sequence : sequences_) {
      if (is_reversed) std::reverse(sequence.begin(), sequence.end());
      Mover mover(node_);
      for (const std::size_t number : sequence) {
        if (is_empty_between) {
          mover.move_to({}, order, times, random);
          mover.check(empty_, how);
        }
        mover.move_to(states_[number].objects, order, times, random);
        mover.check(states_[number], how);
        if (HasFailure()) return;
      }
    }
  }

  std::string node_;
  std::vector<NamedState> states_;
  std::vector<std::vector<std::size_t>> sequences_;
  std::map<std::string, int> out_of_scope_;
  NamedState empty_{.name = "<empty>", .objects = {}, .expected = state_json(policy::State())};
};

TEST_F(CalcStates, AreRead) {
  EXPECT_EQ(states_.size(), 139U);
  EXPECT_EQ(sequences_.size(), 83U);
  std::string text;
  for (const auto& [part, count] : out_of_scope_) text.append(concat(" ", part, " (", count, ")"));
  RecordProperty("out_of_scope", text);
  std::printf("not compared, as no part of policy; parts with states that have them:%s\n", text.c_str());
}

TEST_F(CalcStates, EachAlone) {
  SeededRandom random(1);
  for (const NamedState& state : states_) {
    Mover mover(node_);
    mover.move_to(state.objects, Mover::Order::kKeys, 1, random);
    mover.check(state, "alone");
  }
}

TEST_F(CalcStates, InSequence) { walk("in sequence", Mover::Order::kKeys, 1, false, false); }
TEST_F(CalcStates, InSequenceReversed) { walk("reversed", Mover::Order::kKeys, 1, true, false); }
TEST_F(CalcStates, WithKeysReversed) { walk("keys reversed", Mover::Order::kReversed, 1, false, false); }
TEST_F(CalcStates, WithKeysShuffled) { walk("keys shuffled", Mover::Order::kShuffled, 1, false, false); }
TEST_F(CalcStates, WithNothingBetween) { walk("nothing between", Mover::Order::kKeys, 1, false, true); }
TEST_F(CalcStates, EveryUpdateTwice) { walk("twice", Mover::Order::kShuffled, 2, false, false); }

TEST_F(CalcStates, Squashed) {
  SeededRandom random(1);
  for (const std::vector<std::size_t>& sequence : sequences_) {
    if (sequence.empty()) continue;
    Mover mover(node_);
    for (const std::size_t number : sequence) mover.move_to(states_[number].objects, Mover::Order::kKeys, 1, random);
    mover.check(states_[sequence.back()], "squashed");
  }
}

}  // namespace
}  // namespace margay::conformance
