// The command line of margay-apiserver.
#pragma once

#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/loop/stream.h"
#include "base/telemetry/log.h"
#include "base/telemetry/log_format.h"

namespace margay::apiserver {

struct StoreSpec {
  enum class Kind { kMemory, kEtcd };
  Kind kind = Kind::kMemory;
  std::string snapshot_path;                   // kMemory; empty: none
  std::vector<loop::Endpoint> etcd_endpoints;  // kEtcd
};

struct Flags {
  std::vector<loop::Endpoint> listen;
  StoreSpec store;
  std::string crd_dir;
  std::string token_file;
  std::string tls_cert;
  std::string tls_key;
  std::string client_ca_file;
  std::string write_kubeconfig;
  bool enable_fault_injection = false;
  telemetry::Level log_level = telemetry::Level::kInfo;
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
// memory | memory:FILE | etcd://HOST:PORT[,HOST:PORT…]
Result<StoreSpec> parse_store(std::string_view text);

}  // namespace margay::apiserver
