// Child processes and temporary folders for tests that drive real programs. Every child dies with the test (also when
// the test crashes), and only children started here are ever signalled.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace margay::test {

// A folder of its own, removed with everything in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string read_text(const std::string& path);  // "" when it cannot be read
void write_text(const std::string& path, const std::string& text);

struct ProcessOptions {
  std::vector<std::string> argv;                   // argv[0] is looked up in PATH when it has no slash
  std::map<std::string, std::string> environment;  // added to the test's own
  std::string stdin_text;
  std::string output_path;  // both outputs, appended; "": see run_program
};

class ChildProcess {
 public:
  // Aborts the test program when the process cannot be started: that is a broken test bed.
  explicit ChildProcess(const ProcessOptions& options);
  ~ChildProcess();  // kill() if it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  bool is_running();
  void send_signal(int signal);
  // SIGTERM, then SIGKILL after `grace`; the exit status as wait4 gives it (-1: had to be killed).
  int stop(std::chrono::milliseconds grace = std::chrono::seconds(10));

 private:
  bool reap(bool block);

  pid_t pid_ = -1;
  bool reaped_ = false;
  int status_ = 0;
};

struct ProgramResult {
  int exit_status = -1;  // 128 + signal when it was killed; -1 when the deadline passed
  std::string out;
  std::string err;
};
ProgramResult run_program(const ProcessOptions& options, std::chrono::seconds deadline = std::chrono::seconds(60));

// Asks again and again until `condition` holds; false when `deadline` passes first.
bool poll_until(std::chrono::seconds deadline, const std::function<bool()>& condition,
                std::chrono::milliseconds interval = std::chrono::milliseconds(20));

// A TCP port on 127.0.0.1 that was free a moment ago.
std::uint16_t free_port();

// The project's own programs: build/<preset>/bin/<name> of the build this test belongs to.
std::string program_path(const std::string& name);
// A file of the source tree.
std::string source_path(const std::string& relative);

}  // namespace margay::test
