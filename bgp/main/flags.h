// The command line of margay-bgpd.
#pragma once

#include <string>
#include <vector>

#include "base/ip/address.h"
#include "base/telemetry/log.h"
#include "base/telemetry/log_format.h"

namespace margay::bgpd {

inline constexpr std::string_view kDefaultSocket = "/run/margay/bgpd.sock";

struct Flags {
  enum class Mode { kRun, kCheck, kReload, kShow, kReset };
  Mode mode = Mode::kRun;
  std::string config;
  std::string socket{kDefaultSocket};
  bool has_socket = false;  // was given
  telemetry::Level log_level = telemetry::Level::kInfo;
  telemetry::LogFormat log_format = telemetry::LogFormat::kLogfmt;
  // show
  std::string what;  // "peers", "routes"
  std::string peer;
  bool in = false, out = false, json = false;
};

struct ParsedFlags {
  enum class Kind { kRun, kPrintAndExit, kUsageError };
  Kind kind = Kind::kRun;
  Flags flags;
  std::string text;  // for the other two
};

// `arguments` without the program's name.
ParsedFlags parse_flags(const std::vector<std::string>& arguments);

}  // namespace margay::bgpd
