#include "cni/plugin/invocation.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/core/text.h"

namespace margay::cni {
namespace {

constexpr std::size_t kInterfaceNameMax = 15;

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
  out.version = out.text({"cniVersion"}, "0.3.1");
  if (out.command == Command::kVersion) return out;
  if (!is_version(out.version)) {
    return CniError{kIncompatibleVersion, concat("cniVersion ", quoted(out.version), " is not known"),
                    concat("0.3.0 to ", kNewestVersion, " are")};
  }
  const auto checked = check_environment(out);
  if (!checked.ok()) return checked.error();
  return out;
}

}  // namespace margay::cni
