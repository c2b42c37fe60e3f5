// The plugin's verbs. One call, one process: what is printed and the exit code are the whole answer.
#pragma once

#include <string>

#include "cni/plugin/invocation.h"

namespace margay::cni {

struct Answer {
  int exit_code = 0;
  std::string output;  // for standard output
};

Answer run(std::string_view program, const Environment& environment, std::string_view input);

}  // namespace margay::cni
