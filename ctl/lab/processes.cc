#include "ctl/lab/processes.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/core/text.h"
#include "base/file/file.h"
#include "ctl/lab/net_space.h"

namespace margay::lab {
namespace {

constexpr std::size_t kOutputMax = 1024 * 1024;
constexpr int kPollMs = 10;

// Field 22 of /proc/PID/stat, counted after the name, which may hold anything; 0: there is no such process, or it has
// ended and nobody has asked for its status.
std::uint64_t start_ticks_of(pid_t pid) {
  const auto text = file::read_file(concat("/proc/", pid, "/stat"), 4096);
  if (!text.ok()) return 0;
  const std::size_t end_of_name = text->rfind(')');
  if (end_of_name == std::string::npos) return 0;
  const std::vector<std::string_view> fields = split(std::string_view(*text).substr(end_of_name + 2), ' ');
  constexpr std::size_t kState = 0;
  constexpr std::size_t kStart = 19;
  if (fields.size() <= kStart || fields[kState] == "Z") return 0;
  return parse_number<std::uint64_t>(fields[kStart]).value_or(0);
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const auto parts = split_once(*entry, '=');
    if (parts && !added.contains(std::string(parts->first))) out.emplace_back(*entry);
  }
  for (const auto& [name, value] : added) out.push_back(concat(name, '=', value));
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

struct Files {
  int in = -1;
  int out = -1;
  int err = -1;
};

// Only async-signal-safe calls between fork and exec.
Result<pid_t> spawn(const StartOptions& options, const Files& files, bool is_apart) {
  int space = -1;
  if (!options.space.empty()) {
    const std::string path = path_of_space(options.space);
    space = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (space < 0) return file::error_of(errno, path, "cannot open");
  }
  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> environment = environment_with(options.environment);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const pid_t pid = fork();
  const int number = errno;
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    if (is_apart) setsid();
    if (space >= 0 && setns(space, CLONE_NEWNET) != 0) _exit(126);
    if (files.in >= 0) dup2(files.in, STDIN_FILENO);
    if (files.out >= 0) dup2(files.out, STDOUT_FILENO);
    if (files.err >= 0) dup2(files.err, STDERR_FILENO);
    execvpe(argv[0], argv.data(), envp.data());
    std::perror(argv[0]);
    _exit(127);
  }
  if (space >= 0) close(space);
  if (pid < 0) return file::error_of(number, options.argv.front(), "cannot start");
  return pid;
}

int exit_status_of(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<ProcessRecord> start_process(const StartOptions& options) {
  Files files;
  files.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  files.out = open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  const int number = errno;
  files.err = files.out;
  auto pid =
      files.out < 0 ? Result<pid_t>(file::error_of(number, options.log, "cannot open")) : spawn(options, files, true);
  if (files.in >= 0) close(files.in);
  if (files.out >= 0) close(files.out);
  if (!pid.ok()) return pid.error();
  return ProcessRecord{options.name, *pid, start_ticks_of(*pid)};
}

bool is_alive(const ProcessRecord& process) {
  // Its status is asked for where it is our child, so that it does not stay.
  (void)waitpid(process.pid, nullptr, WNOHANG);
  return process.start_ticks != 0 && start_ticks_of(process.pid) == process.start_ticks;
}

void send_signal(const ProcessRecord& process, int signal) {
  if (is_alive(process)) (void)kill(process.pid, signal);
}

void stop_processes(const std::vector<ProcessRecord>& processes, Duration grace) {
  for (const ProcessRecord& process : processes) send_signal(process, SIGTERM);
  const auto any = [&] {
    for (const ProcessRecord& process : processes) {
      if (is_alive(process)) return true;
    }
    return false;
  };
  for (Duration waited{}; any(); waited += std::chrono::milliseconds(kPollMs)) {
    if (waited >= grace) {
      for (const ProcessRecord& process : processes) send_signal(process, SIGKILL);
    }
    (void)poll(nullptr, 0, kPollMs);
  }
}

Result<int> run_here(const std::string& space, const std::vector<std::string>& argv) {
  MARGAY_ASSIGN_OR_RETURN(const pid_t pid,
                          spawn({.name = {}, .argv = argv, .environment = {}, .space = space, .log = {}}, {}, false));
  return exit_status_of(pid);
}

Result<Captured> run_captured(const StartOptions& options, const std::string& input) {
  Files files;
  files.in = memfd_create("input", MFD_CLOEXEC);
  files.out = memfd_create("output", MFD_CLOEXEC);
  Captured done;
  Status problem = ok_status();
  if (files.in < 0 || files.out < 0 ||
      write(files.in, input.data(), input.size()) != static_cast<ssize_t>(input.size()) ||
      lseek(files.in, 0, SEEK_SET) != 0) {
    problem = file::error_of(errno, options.argv.front(), "no memory for its input");
  } else if (auto pid = spawn(options, files, false); !pid.ok()) {
    problem = pid.error();
  } else {
    done.exit_status = exit_status_of(*pid);
    done.out.resize(std::min<std::size_t>(static_cast<std::size_t>(lseek(files.out, 0, SEEK_END)), kOutputMax));
    const ssize_t got = pread(files.out, done.out.data(), done.out.size(), 0);
    done.out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  if (files.in >= 0) close(files.in);
  if (files.out >= 0) close(files.out);
  if (!problem.ok()) return problem.error();
  return done;
}

}  // namespace margay::lab
