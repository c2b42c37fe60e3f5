// The command line of margay-controllers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/loop/stream.h"
#include "base/telemetry/log.h"
#include "base/telemetry/log_format.h"
#include "datastore/kube/config.h"

namespace margay::controllers {

struct Flags {
  kube::ConnectionFlags server;
  std::string lease_namespace = "kube-system";
  std::string identity;  // empty: host name and a random end
  bool elects = true;
  std::optional<loop::Endpoint> listen;  // nullopt: as KubeControllersConfiguration says
  bool listens_nowhere = false;          // no metrics, no health checks
  std::optional<telemetry::Level> log_level;
  telemetry::LogFormat log_format = telemetry::LogFormat::kLogfmt;
};

struct ParsedFlags {
  enum class Kind { kRun, kPrintAndExit, kUsageError };
  Kind kind = Kind::kRun;
  Flags flags;
  std::string text;  // for the other two
};

// `arguments` without the program's name.
ParsedFlags parse_flags(const std::vector<std::string>& arguments);

}  // namespace margay::controllers
