// Network namespaces for tests that run programs: each lives as long as a child process does, so that nothing stays
// behind, whatever becomes of the test. Needs root.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test/support/process.h"

namespace margay::test {

class Namespace {
 public:
  Namespace();
  [[nodiscard]] pid_t pid() const { return holder_.pid(); }
  // The words that run a program inside: put before its own.
  [[nodiscard]] std::vector<std::string> enter() const;
  // ip(8), one command a line; aborts the test program if one fails.
  void ip(const std::vector<std::string>& lines) const;
  ProgramResult run(std::vector<std::string> argv) const;
  // Runs `task` on a thread inside; sockets made there stay there.
  void call(const std::function<void()>& task) const;

 private:
  ChildProcess holder_;
};

// What is missing on this machine for such tests; "": nothing.
std::string missing_for_namespaces();

}  // namespace margay::test
