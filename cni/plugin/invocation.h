// Invocation: what the container runtime asks of the plugin: environment and standard input as one value.
// Source: CNI specification 1.1.0, "Execution Protocol". Pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::cni {

// Versions of the specification, oldest first.
inline constexpr std::string_view kVersions[] = {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};
inline constexpr std::string_view kNewestVersion = "1.1.0";
bool is_version(std::string_view text);
// Of two that are known.
bool is_before(std::string_view version, std::string_view other);

// An error as the specification wants it told. Codes: 1 to 99 are the specification's.
enum CniCode {
  kIncompatibleVersion = 1,
  kInvalidEnvironment = 4,
  kIoFailure = 5,
  kDecodingFailure = 6,
  kInvalidConfiguration = 7,
  kTryAgainLater = 11,
  kNotAvailable = 50,
  kAgentAway = 100,    // nobody answers on the agent's socket
  kNoAddress = 101,    // the agent has none for it
  kNotReady = 102,     // route or policy were not in the kernel in time
  kInterface = 103,    // the interface could not be made
  kCheckFailed = 104,  // not as it was made
};
struct CniError {
  int code = kIoFailure;
  std::string message;
  std::string details{};
};
template <class T>
using CniResult = Result<T, CniError>;

enum class Command { kAdd, kDel, kCheck, kGc, kStatus, kVersion };

struct Invocation {
  Command command = Command::kVersion;
  bool is_ipam = false;  // called as margay-ipam
  std::string container;
  std::string netns;
  std::string interface;
  std::map<std::string, std::string> args;  // CNI_ARGS
  std::string version = std::string(kNewestVersion);
  json::Value config;

  [[nodiscard]] std::string text(std::initializer_list<std::string_view> path, std::string fallback = "") const;
  [[nodiscard]] std::string argument(const std::string& name) const;
  [[nodiscard]] std::string socket() const { return text({"socket"}, "/run/margay/cni.sock"); }
  [[nodiscard]] std::string spool_folder() const;
};

using Environment = std::function<std::string(const char* name)>;

CniResult<Invocation> parse_invocation(std::string_view program, const Environment& environment,
                                       std::string_view input);

}  // namespace margay::cni
