#include "base/process/build_info.h"

#include "base/core/text.h"
#include "base/process/build_values.h"

namespace margay::process {

BuildInfo build_info() {
  return BuildInfo{.version = kBuildVersion,
                   .revision = kBuildRevision,
                   .compiler = kBuildCompiler,
                   .build_type = kBuildType,
                   .sanitizers = kBuildSanitizers};
}

std::string version_line(std::string_view program) {
  const BuildInfo info = build_info();
  std::string line =
      concat(program, ' ', info.version, " (", info.revision, ", ", info.compiler, ", ", info.build_type);
  if (!info.sanitizers.empty()) line.append(", ").append(info.sanitizers);
  return line.append(")");
}

}  // namespace margay::process
