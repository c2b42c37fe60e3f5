#include "ctl/lab/state.h"

#include <dirent.h>

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/file/file.h"
#include "base/json/value.h"

namespace margay::lab {

const ProcessRecord* LabState::find(std::string_view process) const {
  const auto at = std::find_if(processes.begin(), processes.end(),
                               [process](const ProcessRecord& each) { return each.name == process; });
  return at == processes.end() ? nullptr : &*at;
}

void LabState::replace(ProcessRecord process) {
  std::erase_if(processes, [&](const ProcessRecord& each) { return each.name == process.name; });
  processes.push_back(std::move(process));
}

std::string agent_process(std::string_view node) { return concat("margay-node.", node); }

Result<LabState> read_state(const Paths& paths) {
  const auto text = file::read_file(paths.state());
  if (!text.ok()) {
    if (text.error().code != ErrorCode::kNotFound) return text.error();
    return Error{ErrorCode::kNotFound, concat("there is no lab ", quoted(paths.name()), "; netctl lab up makes one")};
  }
  MARGAY_ASSIGN_OR_RETURN(const json::Value value, json::parse(*text));
  LabState state;
  state.topology_text = std::string(value.string_at({"topology"}));
  state.topology_name = std::string(value.string_at({"topologyName"}));
  state.apiserver = std::string(value.string_at({"apiserver"}));
  MARGAY_ASSIGN_OR_RETURN(state.topology, parse_topology(state.topology_text, state.topology_name));
  if (const json::Value* added = value.find("addedNodes"); added != nullptr && added->as_array() != nullptr) {
    for (const json::Value& each : *added->as_array()) {
      state.added_nodes.emplace_back(each.string_at({"name"}), each.string_at({"subnet"}));
      MARGAY_RETURN_IF_ERROR(add_node(state.topology, state.added_nodes.back().first, state.added_nodes.back().second));
    }
  }
  const json::Value* processes = value.find("processes");
  if (processes == nullptr || processes->as_array() == nullptr) return state;
  for (const json::Value& each : *processes->as_array()) {
    const json::Value* pid = each.find("pid");
    const json::Value* start = each.find("startTicks");
    if (pid == nullptr || pid->as_integer() == nullptr || start == nullptr || start->as_integer() == nullptr) continue;
    state.processes.push_back({std::string(each.string_at({"name"})), static_cast<pid_t>(*pid->as_integer()),
                               static_cast<std::uint64_t>(*start->as_integer())});
  }
  return state;
}

Status write_state(const Paths& paths, const LabState& state) {
  json::Array processes;
  for (const ProcessRecord& each : state.processes) {
    processes.push_back(json::Object{{"name", each.name},
                                     {"pid", std::int64_t{each.pid}},
                                     {"startTicks", static_cast<std::int64_t>(each.start_ticks)}});
  }
  json::Array added;
  for (const auto& [name, subnet] : state.added_nodes)
    added.push_back(json::Object{{"name", name}, {"subnet", subnet}});
  const json::Value value = json::Object{{"topology", state.topology_text},
                                         {"topologyName", state.topology_name},
                                         {"apiserver", state.apiserver},
                                         {"addedNodes", std::move(added)},
                                         {"processes", std::move(processes)}};
  return file::write_file_atomically(paths.state(), json::dump(value), 0600);
}

std::vector<std::string> lab_names() {
  std::vector<std::string> out;
  DIR* const folder = opendir(Paths("").folder().c_str());
  if (folder == nullptr) return out;
  while (const dirent* const entry = readdir(folder)) {
    if (entry->d_name[0] != '.') out.emplace_back(entry->d_name);
  }
  closedir(folder);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace margay::lab
