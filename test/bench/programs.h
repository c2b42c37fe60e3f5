// How long programs take from fork to exit, their output thrown away.
#pragma once

#include <string>
#include <vector>

namespace margay::bench {

// argv[0] is a path. Prints a line of samples in milliseconds, or that the program failed.
void measure_program(const std::string& title, std::vector<std::string> argv, int warm_ups, int runs);

}  // namespace margay::bench
