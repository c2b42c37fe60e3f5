#include "cni/plugin/invocation.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/core/text.h"

namespace margay::cni {
namespace {

constexpr std::size_t kInterfaceNameMax = 15;
constexpr std::int64_t kMtuMin = 68, kMtuMax = 65535;  // linux/if_ether.h, ETH_MIN_MTU and ETH_MAX_MTU
constexpr std::int64_t kWaitSecondsMax = 120;          // below what the plugin waits for the agent

std::optional<Command> command_of(std::string_view text) {
  constexpr std::pair<std::string_view, Command> kCommands[] = {
      {"ADD", Command::kAdd}, {"DEL", Command::kDel},       {"CHECK", Command::kCheck},
      {"GC", Command::kGc},   {"STATUS", Command::kStatus}, {"VERSION", Command::kVersion}};
  for (const auto& [word, command] : kCommands) {
    if (word == text) return command;
  }
  return std::nullopt;
}

bool is_container_id(std::string_view text) {
  const auto is_alnum = [](unsigned char c) { return std::isalnum(c) != 0; };
  return !text.empty() && is_alnum(static_cast<unsigned char>(text.front())) &&
         std::all_of(text.begin(), text.end(),
                     [&](unsigned char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_interface_name(std::string_view text) {
  return !text.empty() && text.size() <= kInterfaceNameMax && text != "." && text != ".." &&
         text.find_first_of("/: \t\n") == std::string_view::npos;
}

CniError missing(std::string_view what, std::string_view found) {
  return {kInvalidEnvironment, concat(what, found.empty() ? " is missing" : concat(" cannot be ", quoted(found)))};
}

// What each command needs of the environment.
Result<std::monostate, CniError> check_environment(const Invocation& invocation) {
  const Command command = invocation.command;
  const bool is_about_container = command == Command::kAdd || command == Command::kDel || command == Command::kCheck;
  if (!is_about_container) return std::monostate();
  if (!is_container_id(invocation.container)) return missing("CNI_CONTAINERID", invocation.container);
  if (!is_interface_name(invocation.interface)) return missing("CNI_IFNAME", invocation.interface);
  if (command != Command::kDel && invocation.netns.empty()) return missing("CNI_NETNS", "");
  return std::monostate();
}

CniError wrong(std::string_view key, std::string_view wanted, const json::Value& found) {
  return {kInvalidConfiguration, concat(key, ": ", wanted, " is wanted, not ", json::dump(found))};
}

// Settings that are used; those of Calico's that mean nothing here may be anything.
Result<std::monostate, CniError> check_settings(const json::Value& config) {
  const auto number_between = [&config](std::string_view key, std::int64_t least, std::int64_t most) {
    const json::Value* found = config.find(key);
    if (found == nullptr || found->is_null()) return true;
    return found->as_integer() != nullptr && *found->as_integer() >= least && *found->as_integer() <= most;
  };
  const bool has_default_mtu = number_between("mtu", 0, 0);
  if (!has_default_mtu && !number_between("mtu", kMtuMin, kMtuMax)) {
    return wrong("mtu", concat("0 (the agent's) or a number from ", kMtuMin, " to ", kMtuMax), *config.find("mtu"));
  }
  constexpr std::string_view kWait = "policy_setup_timeout_seconds";
  if (!number_between(kWait, 0, kWaitSecondsMax)) {
    return wrong(kWait, concat("a number from 0 to ", kWaitSecondsMax), *config.find(kWait));
  }
  return std::monostate();
}

// "K8S_POD_NAME=a;K8S_POD_NAMESPACE=b"
std::map<std::string, std::string> parse_args(std::string_view text) {
  std::map<std::string, std::string> out;
  for (const std::string_view piece : split(text, ';')) {
    if (const auto pair = split_once(piece, '=')) out[std::string(pair->first)] = pair->second;
  }
  return out;
}

}  // namespace

bool is_version(std::string_view text) {
  return std::find(std::begin(kVersions), std::end(kVersions), text) != std::end(kVersions);
}

bool is_before(std::string_view version, std::string_view other) {
  return std::find(std::begin(kVersions), std::end(kVersions), version) <
         std::find(std::begin(kVersions), std::end(kVersions), other);
}

std::string Invocation::text(std::initializer_list<std::string_view> path, std::string fallback) const {
  const std::string_view found = config.string_at(path);
  return found.empty() ? std::move(fallback) : std::string(found);
}

std::string Invocation::argument(const std::string& name) const {
  const auto found = args.find(name);
  return found == args.end() ? "" : found->second;
}

std::string Invocation::spool_folder() const { return concat(text({"state_dir"}, "/var/lib/margay"), "/cni/releases"); }

CniResult<Invocation> parse_invocation(std::string_view program, const Environment& environment,
                                       std::string_view input) {
  Invocation out;
  const std::size_t slash = program.rfind('/');
  out.is_ipam = (slash == std::string_view::npos ? program : program.substr(slash + 1)) == "margay-ipam";
  const std::string word = environment("CNI_COMMAND");
  const auto command = command_of(word);
  if (!command) return missing("CNI_COMMAND", word);
  out.command = *command;
  out.container = environment("CNI_CONTAINERID");
  out.netns = environment("CNI_NETNS");
  out.interface = environment("CNI_IFNAME");
  out.args = parse_args(environment("CNI_ARGS"));
  if (out.command == Command::kVersion && trim(input).empty()) return out;
  auto config = json::parse(input);
  if (!config.ok()) return CniError{kDecodingFailure, concat("the network configuration: ", config.error().message)};
  out.config = std::move(config).value();
  if (out.config.as_object() == nullptr) {
    return CniError{kDecodingFailure,
                    concat("the network configuration: an object is wanted, not ", to_string(out.config.type()))};
  }
  if (const json::Value* version = out.config.find("cniVersion");
      version != nullptr && version->as_string() == nullptr) {
    return wrong("cniVersion", "a text", *version);
  }
  out.version = out.text({"cniVersion"}, "0.3.1");
  if (out.command == Command::kVersion) return out;
  if (!is_version(out.version)) {
    return CniError{kIncompatibleVersion, concat("cniVersion ", quoted(out.version), " is not known"),
                    concat("0.3.0 to ", kNewestVersion, " are")};
  }
  const auto checked = check_environment(out);
  if (!checked.ok()) return checked.error();
  // What is removed is removed whatever is configured now.
  if (out.command != Command::kAdd && out.command != Command::kStatus) return out;
  const auto settings = check_settings(out.config);
  if (!settings.ok()) return settings.error();
  return out;
}

}  // namespace margay::cni
