// Processes of a lab: started apart from netctl, which ends before they do, and found again by pid and start time, so
// that a pid that was given to somebody else is never signalled. Calls block.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace margay::lab {

struct ProcessRecord {
  std::string name;  // "margay-node.node-1"
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // since boot: proc(5), field 22 of /proc/PID/stat
};

struct StartOptions {
  std::string name;
  std::vector<std::string> argv;                   // argv[0] is a path
  std::map<std::string, std::string> environment;  // added to ours
  std::string space;                               // a network namespace; "": ours
  std::string log;                                 // both outputs, appended
};

// In a session of its own. An error of the program itself shows in its log and by is_alive().
Result<ProcessRecord> start_process(const StartOptions& options);
bool is_alive(const ProcessRecord& process);
// Its signal; none when it has ended.
void send_signal(const ProcessRecord& process, int signal);
// SIGTERM to all, SIGKILL to those that are left after `grace`; returns when all have ended.
void stop_processes(const std::vector<ProcessRecord>& processes, Duration grace);

// Runs a program in a namespace to its end with our standard input and outputs; its exit status (128 + signal).
Result<int> run_here(const std::string& space, const std::vector<std::string>& argv);

struct Captured {
  int exit_status = 0;
  std::string out;
};
// Runs a program in a namespace to its end with `input` and takes what it prints (standard error goes to ours).
Result<Captured> run_captured(const StartOptions& options, const std::string& input);

}  // namespace margay::lab
