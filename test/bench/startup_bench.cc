// How long the command-line programs take from fork to exit when there is nothing to do.

#include <string>
#include <vector>

#include "test/bench/programs.h"
#include "test/support/process.h"

namespace {

void measure(const std::string& title, std::vector<std::string> argv) {
  constexpr int kWarmUps = 5;
  constexpr int kRuns = 100;
  margay::bench::measure_program(title, std::move(argv), kWarmUps, kRuns);
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
