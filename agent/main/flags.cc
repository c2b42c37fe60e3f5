#include "agent/main/flags.h"

#include <optional>
#include <set>
#include <utility>

#include "base/core/text.h"
#include "base/process/build_info.h"

namespace margay::agent {
namespace {

constexpr std::string_view kUsage =
    R"(margay-node: routes and polices the traffic of this node's workloads

  margay-node [--node-name NAME] [--kubeconfig FILE | --server URL[,URL...]] [options]

  --node-name NAME     this node's Node object; default NODENAME, else HOSTNAME
  --kubeconfig FILE    where the API server is; default KUBECONFIG, ~/.kube/config, or the pod's service account
  --server URL         https://HOST:PORT, http://HOST:PORT or unix:///PATH; several: the first that answers
  --run-dir DIR        sockets; default /run/margay
  --state-dir DIR      what outlives a restart; default /var/lib/margay
  --config FILE        settings as "Name = value" lines (felix.cfg); SIGHUP reads it again
  --proc-sys DIR       the kernel's settings; elsewhere in a container, where /proc/sys cannot be written
  --ipip HOW           auto, kernel, ebpf, none: by which means IP-in-IP is done; default auto: what works
  --log-level LEVEL    debug, info, warn, error, off
  --log-format FORMAT  logfmt, json
  --version, --help

The environment names of calico/node hold too: NODENAME, IP, IP_AUTODETECTION_METHOD, FELIX_..., CALICO_IPV4POOL_CIDR.
It works in the network namespace it is started in. SIGTERM leaves rules, routes and sessions' state in place.

Exit: 0 stopped, 1 failed, 2 wrong usage
)";

Result<std::optional<ipip::IpipImplementation>> parse_ipip(std::string_view word) {
  using enum ipip::IpipImplementation;
  if (word == "auto") return std::optional<ipip::IpipImplementation>();
  if (word == "kernel") return std::optional(kKernel);
  if (word == "ebpf") return std::optional(kEbpf);
  if (word == "none") return std::optional(kNone);
  return invalid(concat(quoted(word), " is not one of auto, kernel, ebpf, none"));
}

class Parser {
 public:
  explicit Parser(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  ParsedFlags run() {
    while (next_ < arguments_.size() && result_.kind == ParsedFlags::Kind::kRun) take(arguments_[next_++]);
    return std::move(result_);
  }

 private:
  void stop(ParsedFlags::Kind kind, std::string text) {
    if (result_.kind != ParsedFlags::Kind::kRun) return;
    result_.kind = kind;
    result_.text = std::move(text);
  }
  void bad(std::string_view message) {
    stop(ParsedFlags::Kind::kUsageError, concat("margay-node: ", message, "\nSee margay-node --help\n"));
  }

  void take(const std::string& word) {
    const auto parts = split_once(word, '=');
    const std::string name(parts ? parts->first : std::string_view(word));
    if (parts) given_ = std::string(parts->second);
    if (!word.starts_with("-")) return bad(concat("unexpected ", quoted(word)));
    if (!seen_.insert(name).second) return bad(concat(name, " is given twice"));
    take_option(name);
    if (given_) bad(concat(name, " takes no value"));
  }

  void take_option(const std::string& name) {
    Flags& flags = result_.flags;
    if (name == "--help" || name == "-h") return stop(ParsedFlags::Kind::kPrintAndExit, std::string(kUsage));
    if (name == "--version") {
      return stop(ParsedFlags::Kind::kPrintAndExit, process::version_line("margay-node") + "\n");
    }
    if (name == "--log-level") {
      flags.has_log_level = true;
      return take_parsed(name, telemetry::parse_level(value(name)), flags.log_level);
    }
    if (name == "--log-format") return take_parsed(name, telemetry::parse_log_format(value(name)), flags.log_format);
    if (name == "--ipip") return take_parsed(name, parse_ipip(value(name)), flags.ipip);
    std::string* const text = text_of(name);
    if (text == nullptr) return bad(concat("unknown option ", quoted(name)));
    *text = value(name);
    if (text->empty()) bad(concat(name, " is empty"));
  }

  std::string* text_of(std::string_view name) {
    Flags& flags = result_.flags;
    if (name == "--node-name") return &flags.node_name;
    if (name == "--kubeconfig") return &flags.kubeconfig;
    if (name == "--server") return &flags.server;
    if (name == "--run-dir") return &flags.run_dir;
    if (name == "--state-dir") return &flags.state_dir;
    if (name == "--config") return &flags.config;
    if (name == "--proc-sys") return &flags.proc_sys;
    return nullptr;
  }

  template <class T>
  void take_parsed(std::string_view name, const Result<T>& parsed, T& out) {
    if (!parsed.ok()) return bad(concat(name, ": ", parsed.error().message));
    out = *parsed;
  }

  std::string value(std::string_view name) {
    if (given_) return *std::exchange(given_, std::nullopt);
    if (next_ < arguments_.size()) return arguments_[next_++];
    bad(concat(name, " needs a value"));
    return {};
  }

  const std::vector<std::string>& arguments_;
  std::size_t next_ = 0;
  std::optional<std::string> given_;  // after "="
  std::set<std::string> seen_;
  ParsedFlags result_;
};

}  // namespace

ParsedFlags parse_flags(const std::vector<std::string>& arguments) { return Parser(arguments).run(); }

}  // namespace margay::agent
