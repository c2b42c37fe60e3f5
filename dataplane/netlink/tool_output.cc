#include "dataplane/netlink/tool_output.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::netlink {

std::string tool_output(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  MARGAY_CHECK(pipe2(ends.data(), O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  std::vector<std::string> words = argv;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = -1;
  const int failed = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string out;
  std::array<char, 65536> buffer{};
  ssize_t got = 0;
  while ((got = read(ends[0], buffer.data(), buffer.size())) > 0)
    out.append(buffer.data(), static_cast<std::size_t>(got));
  close(ends[0]);
  if (failed != 0) return concat("cannot run ", argv[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return out;
}

std::string tool_output(const char* script) {
  for (const std::string_view line : split(script, '\n')) {
    std::vector<std::string> argv;
    for (const std::string_view word : split(trim(line), ' ')) {
      if (!word.empty()) argv.emplace_back(word);
    }
    if (argv.empty()) continue;
    std::string out = tool_output(argv);
    if (!out.empty()) return out;
  }
  return {};
}

}  // namespace margay::netlink
