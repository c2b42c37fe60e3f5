#include "test/conformance/policy_scenario.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "base/core/text.h"
#include "base/json/view.h"
#include "datastore/codec/codec.h"
#include "policy/translate/translate.h"
#include "test/conformance/conformance_data.h"

namespace margay::conformance {
namespace {

constexpr std::size_t kDifferencesMax = 20;

}  // namespace

Scenario::Scenario(Family family) : family_(family) {
  pair_.on_delta([this](const policy::Delta& delta) { wrong_ = rendered_.apply(delta); });
}

void ScenarioResult::add(const ScenarioResult& other) {
  cells += other.cells;
  rendered += other.rendered;
  naive += other.naive;
  open += other.open;
  local += other.local;
  contested += other.contested;
}

void ScenarioResult::print(const std::string& what, std::size_t scenarios) const {
  std::printf(
      "%s: %zu scenarios, %zu cells, %zu of them in iptables and %zu "
      "by the naive evaluator too; %zu with nothing to ask, "
      "%zu from a node to its own pods, where no policy is asked; %zu "
      "contested\n",
      what.c_str(), scenarios, cells, rendered, naive, open, local, contested);
}

ScenarioResult Scenario::run(const json::Value& scenario, std::size_t naive_stride) {
  naive_stride_ = naive_stride;
  ScenarioResult result;
  int number = 0;
  for (const json::Value& step : *get(scenario, "steps").as_array()) {
    world_ = read_world(family_, scenario, step);
    const std::string where = concat(text(get(scenario, "id")), " step ", number++);
    apply(where, result);
    check_step(step, where, result);
  }
  return result;
}

// What is no longer there goes, what is new or different comes, and the rest is
// not touched.
void Scenario::apply(const std::string& where, ScenarioResult& result) {
  for (const auto& [key, value] : applied_) {
    if (!world_.objects.contains(key)) pair_.put(key, std::monostate());
  }
  for (const auto& [key, value] : world_.objects) pair_.put(key, value);
  applied_ = world_.objects;
  const Status status = pair_.flush();
  if (!status.ok()) result.differences.push_back(concat(where, ": ", status.error().message));
  for (const std::string& wrong : wrong_) result.differences.push_back(concat(where, ": ", wrong));
}

void Scenario::check_step(const json::Value& step, const std::string& where, ScenarioResult& result) {
  for (const json::Member& from : *get(step, "expected").as_object()) {
    for (const json::Member& to : *from.value.as_object()) {
      check_pair(from.name, to.name, text(to.value), where, result);
    }
  }
}

void Scenario::check_pair(const std::string& from, const std::string& to, const std::string& expected,
                          const std::string& where, ScenarioResult& result) {
  MARGAY_CHECK(world_.ends.contains(from) && world_.ends.contains(to) && expected.size() == world_.probes.size());
  const End& source = world_.ends.at(from);
  const End& destination = world_.ends.at(to);
  for (std::size_t i = 0; i < world_.probes.size(); ++i) {
    const auto source_address = address_of(source, world_.probes[i].family);
    const auto destination_address = address_of(destination, world_.probes[i].family);
    if (expected[i] == '?' || !source_address || !destination_address) {
      ++result.open;
      continue;
    }
    if (source.is_node && !destination.is_node && source.node == destination.node) {
      ++result.local;
      continue;
    }
    policy::Packet packet = world_.probes[i].packet;
    packet.source = *source_address;
    packet.destination = *destination_address;
    const policy::Verdict verdict = pair_.verdict(packet);
    const bool is_allowed = verdict.answer == policy::Answer::kAllow;
    check_rendered(packet, is_allowed, concat(where, ": ", from, " to ", to), result);
    const bool is_naive_asked = result.cells++ % naive_stride_ == 0;
    result.naive += is_naive_asked ? 1 : 0;
    const bool naive = is_naive_asked ? pair_.naive_allows(packet) : is_allowed;
    const bool is_expected = expected[i] == '.';
    if (is_allowed == is_expected && naive == is_expected) continue;
    if (is_contested_here(packet) && pair_.naive_allows(packet) == is_allowed) {
      ++result.contested;
      continue;
    }
    if (result.differences.size() >= kDifferencesMax) continue;
    result.differences.push_back(concat(where, ": ", from, " to ", to, " ", packet.protocol.to_string(), " ",
                                        packet.destination_port.value(), ": expected ", expected[i], ", engine ",
                                        is_allowed ? "." : "X", " (",
                                        verdict.decided_by ? verdict.decided_by->to_string() : "nobody", "), naive ",
                                        is_naive_asked ? (naive ? "." : "X") : "not asked"));
  }
}

void Scenario::check_rendered(const policy::Packet& packet, bool is_allowed, const std::string& where,
                              ScenarioResult& result) {
  const test::Walked walked =
      rendered_.walk(packet, pair_.endpoint_at(packet.source), pair_.endpoint_at(packet.destination));
  ++result.rendered;
  if (walked.passes() == is_allowed || result.differences.size() >= kDifferencesMax) return;
  result.differences.push_back(concat(where, ' ', packet.protocol.to_string(), ' ', packet.destination_port.value(),
                                      ": iptables says ", walked.passes() ? "." : "X", " (", walked.where, ")"));
}

}  // namespace margay::conformance
