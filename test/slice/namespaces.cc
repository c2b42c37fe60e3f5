#include "test/slice/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::test {
namespace {

std::string namespace_file(pid_t pid) { return concat("/proc/", pid, "/ns/net"); }

ino_t inode_of(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

bool has_program(const std::string& name) {
  return run_program({.argv = {"which", name}, .environment = {}, .stdin_text = "", .output_path = ""}).exit_status ==
         0;
}

}  // namespace

Namespace::Namespace()
    : holder_({.argv = {"unshare", "-n", "sleep", "infinity"},
               .environment = {},
               .stdin_text = "",
               .output_path = "/dev/null"}) {
  const ino_t ours = inode_of("/proc/self/ns/net");
  const bool is_apart = poll_until(std::chrono::seconds(10), [&] {
    const ino_t theirs = inode_of(namespace_file(pid()));
    return theirs != 0 && theirs != ours;
  });
  MARGAY_CHECK(is_apart);
  ip({"link set lo up"});
}

std::vector<std::string> Namespace::enter() const { return {"nsenter", "-t", concat(pid()), "-n", "--"}; }

ProgramResult Namespace::run(std::vector<std::string> argv) const {
  std::vector<std::string> words = enter();
  words.insert(words.end(), argv.begin(), argv.end());
  return run_program({.argv = words, .environment = {}, .stdin_text = "", .output_path = ""});
}

void Namespace::ip(const std::vector<std::string>& lines) const {
  std::vector<std::string> words = enter();
  words.insert(words.end(), {"ip", "-batch", "-"});
  const ProgramResult done =
      run_program({.argv = words, .environment = {}, .stdin_text = join(lines, "\n") + "\n", .output_path = ""});
  if (done.exit_status != 0) std::fprintf(stderr, "ip: %s\n%s\n", done.err.c_str(), join(lines, "\n").c_str());
  MARGAY_CHECK(done.exit_status == 0);
}

void Namespace::call(const std::function<void()>& task) const {
  std::thread thread([&] {
    const int file = open(namespace_file(pid()).c_str(), O_RDONLY | O_CLOEXEC);
    MARGAY_CHECK(file >= 0 && setns(file, CLONE_NEWNET) == 0);
    close(file);
    task();
  });
  thread.join();
}

std::string missing_for_namespaces() {
  if (geteuid() != 0) return "network namespaces need root";
  for (const char* program : {"unshare", "nsenter", "ip", "iptables", "curl"}) {
    if (!has_program(program)) return concat(program, " is not installed");
  }
  const ProgramResult made =
      run_program({.argv = {"unshare", "-n", "true"}, .environment = {}, .stdin_text = "", .output_path = ""});
  return made.exit_status == 0 ? std::string() : concat("no network namespace can be made: ", made.err);
}

}  // namespace margay::test
