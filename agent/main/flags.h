// The command line of margay-node.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/telemetry/log.h"
#include "base/telemetry/log_format.h"
#include "ipip/devices/ipip_choice.h"

namespace margay::agent {

struct Flags {
  std::string node_name;   // "": NODENAME, else HOSTNAME
  std::string kubeconfig;  // "": KUBECONFIG, ~/.kube/config, or the pod's service account
  std::string server;      // --server URL[,URL…] in its place
  std::string run_dir = "/run/margay";
  std::string state_dir = "/var/lib/margay";
  std::string config;  // felix.cfg; "": none
  std::string proc_sys = "/proc/sys";
  std::optional<ipip::IpipImplementation> ipip{};  // nullopt: what works
  telemetry::Level log_level = telemetry::Level::kInfo;
  bool has_log_level = false;  // was given: logSeverityScreen does not count
  telemetry::LogFormat log_format = telemetry::LogFormat::kLogfmt;
};

struct ParsedFlags {
  enum class Kind { kRun, kPrintAndExit, kUsageError };
  Kind kind = Kind::kRun;
  Flags flags;
  std::string text;  // for the other two
};

// `arguments` without the program's name. Options as --name VALUE and --name=VALUE, each once.
ParsedFlags parse_flags(const std::vector<std::string>& arguments);

}  // namespace margay::agent
