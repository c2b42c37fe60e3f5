// How long the command-line programs take from fork to exit when there is nothing to do.

#include <cstdio>
#include <string>
#include <vector>

#include "test/bench/measure.h"
#include "test/support/process.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int kWarmUps = 5;
constexpr int kRuns = 100;

// Not run_program: that one polls, which is too coarse for a millisecond.
double run_once(std::vector<char*>& argv, const posix_spawn_file_actions_t& quiet) {
  const auto start = margay::bench::Clock::now();
  pid_t pid = 0;
  if (posix_spawn(&pid, argv[0], &quiet, nullptr, argv.data(), environ) != 0) return -1;
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? margay::bench::seconds_since(start) : -1;
}

void measure(const std::string& title, std::vector<std::string> words) {
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  margay::bench::Samples samples;
  for (int i = 0; i < kWarmUps + kRuns; ++i) {
    const double seconds = run_once(argv, quiet);
    if (seconds < 0) {
      std::printf("%-44s failed\n", title.c_str());
      break;
    }
    if (i >= kWarmUps) samples.add(seconds);
  }
  if (samples.count() > 0) margay::bench::print_samples(title, samples, 1e3, "ms");
  posix_spawn_file_actions_destroy(&quiet);
}

}  // namespace

int main() {
  const std::string netctl = margay::test::program_path("netctl");
  measure("/bin/true (floor)", {"/bin/true"});
  measure("netctl version --client", {netctl, "version", "--client"});
  measure("netctl help", {netctl, "--help"});
  measure("netctl validate (one IPPool)",
          {netctl, "validate", "-f", margay::test::source_path("docs/examples/first-look/ippool.yaml")});
  return 0;
}
