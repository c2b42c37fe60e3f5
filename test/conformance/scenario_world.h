// The world of a policy scenario as it is in one step: objects as the agent gets them, ends that can talk, probes.
// Policies of Kubernetes are translated, as the controllers do.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ip/address.h"
#include "base/json/value.h"
#include "datastore/model/key.h"
#include "policy/calc/input.h"
#include "policy/verdict/verdict.h"

namespace margay::conformance {

using Objects = std::map<model::ObjectKey, policy::ObjectValue>;

// Whose policies, and whose form of data.
enum class Family : std::uint8_t { kKubernetes, kCalico };

// Who can talk.
struct End {
  std::vector<IpAddress> addresses;
  std::string node;      // where it is, or "" for outsiders
  bool is_node = false;  // the node itself, or a pod on its network
  // Of a pod.
  std::string name_space{}, name{};
};

struct Probe {
  policy::Packet packet;  // without addresses
  IpFamily family = IpFamily::kV4;
};

struct World {
  Objects objects;
  std::map<std::string, End> ends;
  std::vector<Probe> probes;
};
World read_world(Family family, const json::Value& scenario, const json::Value& step);

std::optional<IpAddress> address_of(const End& end, IpFamily family);

// Where a row may differ, for a reason.
bool is_contested(const World& world, const policy::Packet& packet);

}  // namespace margay::conformance
