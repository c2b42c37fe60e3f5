// netctl; also "kubectl netctl" when it is found in PATH as kubectl-netctl, and the completion of that plugin when it
// is called kubectl_complete-netctl.
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/process/build_info.h"
#include "ctl/command/commands.h"
#include "ctl/command/complete.h"
#include "ctl/command/help.h"
#include "ctl/lab/lab.h"
#include "ctl/main/real_io.h"
#include "ctl/main/real_server.h"
#include "ctl/verbs/verbs.h"

namespace margay::ctl {
namespace {

using command::ExitCode;

constexpr Duration kCompletionTimeout = std::chrono::seconds(3);

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool allows_colour(const command::Invocation& invocation) {
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return !invocation.is_on("no-color") && !is_set("NO_COLOR") && !is_dumb;
}

verbs::Self self_of(std::string_view called) {
  const process::BuildInfo build = process::build_info();
  const bool is_plugin = base_name(called).starts_with("kubectl-netctl");
  return {is_plugin ? "kubectl netctl" : "netctl", std::string(build.version), std::string(build.revision)};
}

std::string user_agent(const verbs::Self& self) { return "netctl/" + self.version; }

ExitCode complete(const verbs::Self& self, const std::vector<std::string>& words) {
  const command::Completion completion = command::complete(command::root(), words);
  RealIo io(false);
  const auto registry = schema::make_registry();
  RealServer server(completion.so_far, io, {user_agent(self), kCompletionTimeout, false});
  verbs::Session session(completion.so_far, self, *registry, io, server);
  return verbs::run_complete(session, completion);
}

ExitCode run(const verbs::Self& self, const std::vector<std::string>& words) {
  auto invocation = command::parse(command::root(), words);
  if (!invocation.ok()) {
    RealIo io(false);
    // netctl alone is a question, not a mistake, but scripts that lost their command must notice.
    if (words.empty()) io.message(command::help({&command::root()}, self.program));
    io.message(words.empty() ? "" : command::describe(invocation.error(), self.program));
    return ExitCode::kUsage;
  }
  const bool is_lab = lab::is_lab_command(*invocation);
  if (is_lab) lab::use_lab_server(*invocation);
  RealIo io(allows_colour(*invocation));
  const auto registry = schema::make_registry();
  const Duration timeout = command::parse_timeout(invocation->text("request-timeout")).value_or(Duration(0));
  RealServer server(*invocation, io, {user_agent(self), timeout, true});
  verbs::Session session(*invocation, self, *registry, io, server);
  const ExitCode code = is_lab ? lab::run(session) : verbs::run(session);
  if (io.write_problem().empty()) return code;
  io.error("standard output: " + io.write_problem());
  return ExitCode::kFailed;
}

int netctl(int count, char** arguments) {
  // Nobody reads any more: write() says so, and the command ends quietly.
  std::signal(SIGPIPE, SIG_IGN);
  const std::string_view called = count > 0 ? arguments[0] : "netctl";
  std::vector<std::string> words(arguments + (count > 0 ? 1 : 0), arguments + count);
  const verbs::Self self = self_of(called);
  if (base_name(called) == "kubectl_complete-netctl") return static_cast<int>(complete(self, words));
  if (!words.empty() && words.front() == "__complete") {
    words.erase(words.begin());
    return static_cast<int>(complete(self, words));
  }
  return static_cast<int>(run(self, words));
}

}  // namespace
}  // namespace margay::ctl

int main(int count, char** arguments) { return margay::ctl::netctl(count, arguments); }
