#include "test/bench/programs.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "test/bench/measure.h"

namespace margay::bench {
namespace {

// Not run_program: that one polls, which is too coarse for a millisecond. Below 0: it failed.
double run_once(std::vector<char*>& argv, const posix_spawn_file_actions_t& quiet) {
  const auto start = Clock::now();
  pid_t pid = 0;
  if (posix_spawn(&pid, argv[0], &quiet, nullptr, argv.data(), environ) != 0) return -1;
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? seconds_since(start) : -1;
}

}  // namespace

void measure_program(const std::string& title, std::vector<std::string> argv, int warm_ups, int runs) {
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  Samples samples;
  for (int i = 0; i < warm_ups + runs; ++i) {
    const double seconds = run_once(words, quiet);
    if (seconds < 0) {
      std::printf("%-44s failed\n", title.c_str());
      break;
    }
    if (i >= warm_ups) samples.add(seconds);
  }
  if (samples.count() > 0) print_samples(title, samples, 1e3, "ms");
  posix_spawn_file_actions_destroy(&quiet);
}

}  // namespace margay::bench
