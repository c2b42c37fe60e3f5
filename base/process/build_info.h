// BuildInfo: what this binary was made from, for `version` commands, logs, User-Agent and metrics.
#pragma once

#include <string>
#include <string_view>

namespace margay::process {

struct BuildInfo {
  std::string_view version;     // "0.1.0"
  std::string_view revision;    // `git describe --always --dirty` when CMake was last run; "unknown" outside git
  std::string_view compiler;    // "GNU 12.2.0"
  std::string_view build_type;  // "Release"
  std::string_view sanitizers;  // "address,undefined"; usually empty
};

BuildInfo build_info();

// "margay-node 0.1.0 (1a2b3c4, GNU 12.2.0, Release)"
std::string version_line(std::string_view program);

}  // namespace margay::process
