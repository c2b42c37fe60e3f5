// How long programs take from fork to exit, and how much CPU time, their output thrown away.
#pragma once

#include <string>
#include <vector>

namespace margay::bench {

// argv[0] is a path. Prints two lines of samples in milliseconds (time, then CPU time, which other work on the machine
// changes less), or that the program failed.
void measure_program(const std::string& title, std::vector<std::string> argv, int warm_ups, int runs);

}  // namespace margay::bench
