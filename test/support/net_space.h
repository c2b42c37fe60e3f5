// NetSpace: a network namespace held by a descriptor alone: it costs no process and no mount, and ends with the object,
// also after a crash. Its loopback interface is up. Programs are started in it, and sockets made, by a thread that goes
// in and comes back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test/support/process.h"

namespace margay::test {

class NetSpace {
 public:
  NetSpace();  // needs root; aborts without
  // One that is there, such as /run/netns/NAME; it stays when the object goes.
  explicit NetSpace(const std::string& path);
  ~NetSpace();
  NetSpace(const NetSpace&) = delete;
  NetSpace& operator=(const NetSpace&) = delete;

  // For who opens namespaces by path: ip(8)'s "netns", a CNI plugin. Good while this process lives.
  [[nodiscard]] std::string path() const;
  // Runs `task` with the calling thread inside. What it makes (sockets, children) stays there.
  void call(const std::function<void()>& task) const;
  ProgramResult run(std::vector<std::string> argv) const;
  [[nodiscard]] std::unique_ptr<ChildProcess> start(const ProcessOptions& options) const;
  // ip(8), one command a line; aborts the test program if one fails.
  void ip(const std::vector<std::string>& lines) const;
  // Of /proc/sys/net: "ipv4/ip_forward".
  void set(const std::string& setting, const std::string& value) const;

 private:
  int fd_ = -1;
};

// What is missing on this machine for such tests; "": nothing.
std::string missing_for_net_spaces();

}  // namespace margay::test
