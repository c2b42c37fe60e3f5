#include <cstdio>
#include <string>
#include <vector>

#include "bgp/main/ask.h"
#include "bgp/main/flags.h"
#include "bgp/main/program.h"

int main(int argc, char** argv) {
  using margay::bgpd::Flags;
  using margay::bgpd::ParsedFlags;
  const ParsedFlags parsed = margay::bgpd::parse_flags(std::vector<std::string>(argv + 1, argv + argc));
  if (parsed.kind != ParsedFlags::Kind::kRun) {
    const bool is_error = parsed.kind == ParsedFlags::Kind::kUsageError;
    std::fputs(parsed.text.c_str(), is_error ? stderr : stdout);
    return is_error ? 2 : 0;
  }
  switch (parsed.flags.mode) {
    case Flags::Mode::kRun: return margay::bgpd::run_program(parsed.flags);
    case Flags::Mode::kCheck: return margay::bgpd::run_check(parsed.flags);
    case Flags::Mode::kReload:
    case Flags::Mode::kShow:
    case Flags::Mode::kReset: return margay::bgpd::run_ask(parsed.flags);
  }
  return 2;
}
