#include <cstdio>
#include <string>
#include <vector>

#include "agent/main/flags.h"
#include "agent/main/program.h"

int main(int argc, char** argv) {
  using margay::agent::ParsedFlags;
  const ParsedFlags parsed = margay::agent::parse_flags(std::vector<std::string>(argv + 1, argv + argc));
  if (parsed.kind == ParsedFlags::Kind::kRun) return margay::agent::run_program(parsed.flags);
  const bool is_error = parsed.kind == ParsedFlags::Kind::kUsageError;
  std::fputs(parsed.text.c_str(), is_error ? stderr : stdout);
  return is_error ? 2 : 0;
}
