// Which host endpoint an interface has. At most one: the one that names the interface, else one that expects an address
// of it, else the one for all ("*"); of several in the same place the first by name. The others are reported: of two
// policies for one interface none may be dropped in silence.
//
// Interfaces of workloads have none, and the loopback is not for all: the host talks to itself there. Pure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/render/inputs.h"
#include "base/core/field_error.h"
#include "policy/desired/policy.h"

namespace margay::render {

using Endpoints = std::map<policy::ObjectKey, std::shared_ptr<const policy::Endpoint>>;

struct HostChoice {
  std::map<std::string, policy::ObjectKey> interfaces;  // "*" among them
  std::map<policy::ObjectKey, FieldErrors> problems;
};

HostChoice choose_hosts(const Endpoints& endpoints, const InterfaceAddresses& interfaces,
                        const std::vector<std::string>& workload_prefixes);

bool is_of_workload(std::string_view interface, const std::vector<std::string>& workload_prefixes);

}  // namespace margay::render
