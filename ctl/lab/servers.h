// The programs that a lab has once, whatever its nodes: the API server and the routers. Started by `lab up`.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/core/result.h"
#include "base/core/time.h"
#include "ctl/lab/paths.h"
#include "ctl/lab/routers.h"
#include "ctl/lab/state.h"

namespace margay::lab {

inline constexpr mode_t kPrivate = 0700;
// Others may pass through to what they are let at: FRR's daemons give up root.
inline constexpr mode_t kPassable = 0711;
// One that is there gets the mode.
Status make_folder(const std::string& path, mode_t mode);
// Asks again and again; false when the time is over first.
bool wait_until(Duration limit, const std::function<bool()>& is_done);
// Of PATH and of where Debian has daemons; "": nowhere.
std::string find_program(const std::string& name);

// Starts processes and keeps lab.json in step.
class Starter {
 public:
  // Both outlive it.
  Starter(const Paths& paths, LabState& state) : paths_(paths), state_(state) {}
  Status start(const StartOptions& options);
  // It ended, or is not what it should be in time; with the end of its log.
  [[nodiscard]] Error failed(const std::string& program, std::string_view what) const;
  [[nodiscard]] bool runs(const std::string& program) const;
  // Until the file is there, or the program has ended: then an error.
  [[nodiscard]] Status wait_for_file(const std::string& program, const std::string& file) const;
  [[nodiscard]] const Paths& paths() const { return paths_; }
  [[nodiscard]] LabState& state() { return state_; }

 private:
  const Paths& paths_;
  LabState& state_;
};

// What a lab's API server is: LabState::apiserver is one of these words; `kExternal` for one that is not the lab's.
inline constexpr std::string_view kInMemory = "memory";
inline constexpr std::string_view kOnEtcd = "etcd";
inline constexpr std::string_view kExternal = "external";

// kubeconfig files of a server that is not the lab's; those of agents and controllers "": the administrator's.
struct ExternalServer {
  std::string administrator, nodes, controllers;
};

// kNotFound with the name of the package, when a program of the topology or the server is not on this machine.
Status check_programs(const LabState& state);
// It serves when this returns; the lab's kubeconfig is written.
Status start_api_server(Starter& starter, const ExternalServer& external);
Status start_routers(Starter& starter);
// How agents and controllers are told of the server.
std::vector<std::string> server_flags_of_nodes(const Paths& paths, const LabState& state);
std::vector<std::string> server_flags_of_controllers(const Paths& paths, const LabState& state);

}  // namespace margay::lab
