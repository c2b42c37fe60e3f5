#include "test/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/core/check.h"
#include "base/core/text.h"
#include "test/support/patience.h"

namespace margay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPollInterval{20};

std::vector<std::string> child_environment(const ProcessOptions& options) {
  std::map<std::string, std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) merged[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : options.environment) merged[name] = value;
  std::vector<std::string> lines;
  for (const auto& [name, value] : merged) lines.push_back(concat(name, "=", value));
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

struct Redirections {
  int in = -1;
  int out = -1;
  int err = -1;
};

// Between fork and exec only async-signal-safe calls are allowed.
pid_t spawn(const ProcessOptions& options, const Redirections& files) {
  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> environment = child_environment(options);
  std::vector<char*> argv = pointers(arguments);
  std::vector<char*> envp = pointers(environment);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  MARGAY_CHECK(pid >= 0);
  if (pid > 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  dup2(files.in, STDIN_FILENO);
  dup2(files.out, STDOUT_FILENO);
  dup2(files.err, STDERR_FILENO);
  execvpe(argv[0], argv.data(), envp.data());
  std::perror(argv[0]);
  _exit(127);
}

int stdin_file(const std::string& text) {
  if (text.empty()) return open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int file = memfd_create("stdin", MFD_CLOEXEC);
  MARGAY_CHECK(file >= 0);
  MARGAY_CHECK(write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  lseek(file, 0, SEEK_SET);
  return file;
}

std::string contents_of(int file) {
  std::string out(static_cast<std::size_t>(lseek(file, 0, SEEK_END)), '\0');
  const ssize_t got = pread(file, out.data(), out.size(), 0);
  out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return out;
}

}  // namespace

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "margay-test.XXXXXX").string();
  MARGAY_CHECK(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  MARGAY_CHECK(file.good());
}

ChildProcess::ChildProcess(const ProcessOptions& options) {
  const std::string output = options.output_path.empty() ? "/dev/null" : options.output_path;
  Redirections files;
  files.in = stdin_file(options.stdin_text);
  files.out = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  files.err = files.out;
  MARGAY_CHECK(files.in >= 0 && files.out >= 0);
  pid_ = spawn(options, files);
  close(files.in);
  close(files.out);
}

ChildProcess::~ChildProcess() {
  if (!is_running()) return;
  kill(pid_, SIGKILL);
  reap(true);
}

bool ChildProcess::reap(bool block) {
  if (!reaped_) reaped_ = waitpid(pid_, &status_, block ? 0 : WNOHANG) == pid_;
  return reaped_;
}

bool ChildProcess::is_running() { return !reap(false); }

void ChildProcess::send_signal(int signal) {
  if (is_running()) kill(pid_, signal);
}

int ChildProcess::stop(milliseconds grace) {
  send_signal(SIGTERM);
  const auto deadline = steady_clock::now() + grace;
  while (is_running() && steady_clock::now() < deadline) std::this_thread::sleep_for(kPollInterval);
  if (is_running()) {
    kill(pid_, SIGKILL);
    reap(true);
    return -1;
  }
  return status_;
}

namespace {

// Sees it at once, where the kernel can tell (pidfd_open, Linux 5.3): tests that measure or want the moment need that.
bool wait_for_end(pid_t pid, std::chrono::seconds deadline, int* status) {
  const int watch = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (watch < 0) return poll_until(deadline, [&] { return waitpid(pid, status, WNOHANG) == pid; });
  pollfd one{watch, POLLIN, 0};
  while (poll(&one, 1, static_cast<int>(std::chrono::milliseconds(deadline).count())) < 0 && errno == EINTR) {
  }
  close(watch);
  return waitpid(pid, status, WNOHANG) == pid;
}

}  // namespace

ProgramResult run_program(const ProcessOptions& options, std::chrono::seconds deadline) {
  Redirections files;
  files.in = stdin_file(options.stdin_text);
  files.out = memfd_create("stdout", MFD_CLOEXEC);
  files.err = memfd_create("stderr", MFD_CLOEXEC);
  MARGAY_CHECK(files.in >= 0 && files.out >= 0 && files.err >= 0);
  const pid_t pid = spawn(options, files);

  ProgramResult result;
  int status = 0;
  if (!wait_for_end(pid, deadline * patience(), &status)) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
  } else {
    result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  result.out = contents_of(files.out);
  result.err = contents_of(files.err);
  close(files.in);
  close(files.out);
  close(files.err);
  return result;
}

bool poll_until(std::chrono::seconds deadline, const std::function<bool()>& condition, milliseconds interval) {
  const auto end = steady_clock::now() + deadline * patience();
  while (!condition()) {
    if (steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(interval * patience());
  }
  return true;
}

std::uint16_t free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  MARGAY_CHECK(bind(probe, generic, size) == 0);
  MARGAY_CHECK(getsockname(probe, generic, &size) == 0);
  close(probe);
  return ntohs(address.sin_port);
}

std::string program_path(const std::string& name) {
  const char* build = std::getenv("MARGAY_BUILD_DIR");
  return std::string(build == nullptr ? "build/release" : build) + "/bin/" + name;
}

std::string source_path(const std::string& relative) {
  const char* source = std::getenv("MARGAY_SOURCE_DIR");
  return std::string(source == nullptr ? "." : source) + "/" + relative;
}

}  // namespace margay::test
