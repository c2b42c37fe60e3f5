#include <cstdio>
#include <string>
#include <vector>

#include "controllers/main/flags.h"
#include "controllers/main/program.h"

int main(int argc, char** argv) {
  using margay::controllers::ParsedFlags;
  const ParsedFlags parsed = margay::controllers::parse_flags(std::vector<std::string>(argv + 1, argv + argc));
  if (parsed.kind == ParsedFlags::Kind::kRun) return margay::controllers::run_program(parsed.flags);
  const bool is_error = parsed.kind == ParsedFlags::Kind::kUsageError;
  std::fputs(parsed.text.c_str(), is_error ? stderr : stdout);
  return is_error ? 2 : 0;
}
