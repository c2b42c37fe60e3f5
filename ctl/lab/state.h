// LabState: what a lab is, in lab.json, for the commands that come after `up`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/core/result.h"
#include "ctl/lab/paths.h"
#include "ctl/lab/processes.h"
#include "ctl/lab/topology.h"

namespace margay::lab {

struct LabState {
  std::string topology_text;  // as it was given; Topology is read from it again
  std::string topology_name;  // of the file, "default"
  std::string apiserver;      // "memory", "etcd", "external": servers.h
  // Name and subnet of nodes that came later.
  std::vector<std::pair<std::string, std::string>> added_nodes;
  Topology topology;  // with those
  std::vector<ProcessRecord> processes;

  [[nodiscard]] const ProcessRecord* find(std::string_view process) const;
  // Another in place of the one of that name.
  void replace(ProcessRecord process);
};

std::string agent_process(std::string_view node);  // "margay-node.node-1"

// kNotFound: there is no such lab; the error says how to get one.
Result<LabState> read_state(const Paths& paths);
Status write_state(const Paths& paths, const LabState& state);
// Names of the labs of this machine.
std::vector<std::string> lab_names();

}  // namespace margay::lab
