// May A talk to B? Evaluated on the same values that dataplanes render (policy/desired), so the answer is what the
// kernel does, with the way that led to it.
//
// A new connection passes when the source's egress and the destination's ingress both let it. Order in each: tiers; in
// a tier the policies in order, in these the rules in order: the first Allow or Deny decides, Pass leaves the tier, Log
// decides nothing. A tier with a policy for the endpoint and direction ends in its default action; one without is
// skipped. After the last tier the profiles, where one that is missing denies; without a matching rule there: deny.
// Staged policies are noted, not obeyed. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/desired/state.h"

namespace margay::policy {

struct Packet {
  IpAddress source;
  IpAddress destination;
  model::Protocol protocol = model::kProtocolTcp;
  Port source_port;  // 0 when the protocol has none, or any
  Port destination_port;
  std::optional<std::uint8_t> icmp_type;
  std::optional<std::uint8_t> icmp_code;
};

enum class Direction { kIngress, kEgress };
enum class Answer { kAllow, kDeny };

// What decided: a rule of a policy or profile, the end of a tier, or that no profile allowed.
struct Decision {
  Answer answer = Answer::kDeny;
  Direction direction = Direction::kEgress;
  std::string tier;                   // "" for profiles
  std::optional<ObjectKey> policy;    // nullopt: the end of the tier, or of the profiles
  std::string profile;                // "" unless a profile decided
  std::optional<std::uint32_t> rule;  // its place in the object, from 0

  // "tier default, NetworkPolicy default/web, ingress rule 0", "end of tier default", "no profile allows it"
  [[nodiscard]] std::string to_string() const;
};

// One thing on the way: a rule that matched without deciding, a policy without a match, a tier that was skipped.
struct Step {
  Direction direction = Direction::kEgress;
  std::string tier;
  std::optional<ObjectKey> policy;
  bool is_staged = false;
  std::optional<std::uint32_t> rule;
  std::string what;  // "Log", "Pass", "no rule matches", "would be Deny"
};

struct Verdict {
  Answer answer = Answer::kAllow;
  // Of the end that denied; when both allow: the destination's, or the source's where only that has policy. nullopt:
  // neither end is an endpoint, nothing decides.
  std::optional<Decision> decided_by;
  std::vector<Step> path;
};

// One direction of one endpoint: its normal tiers, then its profiles.
Decision evaluate(const State& state, const Endpoint& endpoint, Direction direction, const Packet& packet,
                  std::vector<Step>* path = nullptr);

// A packet on an interface of a host endpoint.
struct HostPacket {
  Packet packet;
  Packet before_dnat;         // the same where nothing changed it
  bool is_forwarded = false;  // else it comes from the host itself, or is for it
};

// What a host endpoint says: untracked policy and policy before DNAT (ingress only) first, which settle it when they
// decide, and whose tiers have no end that denies; then forward policy for what is forwarded, normal policy and
// profiles for the rest. nullopt: nothing decides, which lets forwarded packets pass.
std::optional<Decision> evaluate_host(const State& state, const Endpoint& endpoint, Direction direction,
                                      const HostPacket& packet, std::vector<Step>* path = nullptr);

// Both ends; null where that end is not an endpoint of the cluster.
Verdict evaluate(const State& state, const Endpoint* source, const Endpoint* destination, const Packet& packet);

// Whether a rule matches a packet: what renderers are held against.
bool matches(const State& state, const Rule& rule, const Packet& packet);

}  // namespace margay::policy
