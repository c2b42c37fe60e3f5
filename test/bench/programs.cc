#include "test/bench/programs.h"

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "test/bench/measure.h"

namespace margay::bench {
namespace {

struct Run {
  double seconds = 0;
  double cpu_seconds = 0;
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// Not run_program: that one polls, which is too coarse for a millisecond.
std::optional<Run> run_once(std::vector<char*>& argv, const posix_spawn_file_actions_t& quiet) {
  const auto start = Clock::now();
  pid_t pid = 0;
  if (posix_spawn(&pid, argv[0], &quiet, nullptr, argv.data(), environ) != 0) return std::nullopt;
  int status = 0;
  rusage used{};
  wait4(pid, &status, 0, &used);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return Run{seconds_since(start), seconds_of(used.ru_utime) + seconds_of(used.ru_stime)};
}

}  // namespace

void measure_program(const std::string& title, std::vector<std::string> argv, int warm_ups, int runs) {
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", 0, 0);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  Samples times;
  Samples cpu_times;
  for (int i = 0; i < warm_ups + runs; ++i) {
    const auto run = run_once(words, quiet);
    if (!run) {
      std::printf("%-44s failed\n", title.c_str());
      break;
    }
    if (i < warm_ups) continue;
    times.add(run->seconds);
    cpu_times.add(run->cpu_seconds);
  }
  if (times.count() > 0) print_samples(title, times, 1e3, "ms");
  if (times.count() > 0) print_samples("  its CPU time", cpu_times, 1e3, "ms");
  posix_spawn_file_actions_destroy(&quiet);
}

}  // namespace margay::bench
