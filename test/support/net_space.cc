#include "test/support/net_space.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <thread>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::test {
namespace {

constexpr const char* kOwnSpace = "/proc/thread-self/ns/net";

int open_own_space() { return open(kOwnSpace, O_RDONLY | O_CLOEXEC); }

// The calling thread is elsewhere while this lives.
class Stay {
 public:
  explicit Stay(int fd) : home_(open_own_space()) { MARGAY_CHECK(home_ >= 0 && setns(fd, CLONE_NEWNET) == 0); }
  // Going on in the wrong namespace would change the wrong machine's network.
  ~Stay() {
    MARGAY_CHECK(setns(home_, CLONE_NEWNET) == 0);
    close(home_);
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;

 private:
  int home_;
};

// Of the calling thread's namespace.
void raise_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq wanted{};
  std::memcpy(wanted.ifr_name, "lo", 3);
  wanted.ifr_flags = IFF_UP;
  MARGAY_CHECK(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &wanted) == 0);
  close(fd);
}

bool can_make_spaces() {
  bool is_made = false;
  std::thread([&is_made] { is_made = unshare(CLONE_NEWNET) == 0; }).join();
  return is_made;
}

}  // namespace

NetSpace::NetSpace() {
  std::thread([this] {
    MARGAY_CHECK(unshare(CLONE_NEWNET) == 0);
    fd_ = open_own_space();
    raise_loopback();
  }).join();
  MARGAY_CHECK(fd_ >= 0);
}

NetSpace::NetSpace(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) std::fprintf(stderr, "%s: no such network namespace\n", path.c_str());
  MARGAY_CHECK(fd_ >= 0);
}

NetSpace::~NetSpace() { close(fd_); }

std::string NetSpace::path() const { return concat("/proc/", getpid(), "/fd/", fd_); }

void NetSpace::call(const std::function<void()>& task) const {
  const Stay stay(fd_);
  task();
}

ProgramResult NetSpace::run(std::vector<std::string> argv) const {
  ProgramResult result;
  call(
      [&] { result = run_program({.argv = std::move(argv), .environment = {}, .stdin_text = "", .output_path = ""}); });
  return result;
}

std::unique_ptr<ChildProcess> NetSpace::start(const ProcessOptions& options) const {
  std::unique_ptr<ChildProcess> out;
  call([&] { out = std::make_unique<ChildProcess>(options); });
  return out;
}

void NetSpace::ip(const std::vector<std::string>& lines) const {
  const std::string text = join(lines, "\n") + "\n";
  ProgramResult done;
  call([&] {
    done = run_program({.argv = {"ip", "-batch", "-"}, .environment = {}, .stdin_text = text, .output_path = ""});
  });
  if (done.exit_status != 0) std::fprintf(stderr, "ip: %s\n%s\n", done.err.c_str(), text.c_str());
  MARGAY_CHECK(done.exit_status == 0);
}

void NetSpace::set(const std::string& setting, const std::string& value) const {
  call([&] {
    const int file = open(concat("/proc/sys/net/", setting).c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return;  // a kernel without it
    MARGAY_CHECK(write(file, value.data(), value.size()) == static_cast<ssize_t>(value.size()));
    close(file);
  });
}

std::string missing_for_net_spaces() {
  if (geteuid() != 0) return "network namespaces need root";
  for (const char* program : {"ip", "iptables", "ip6tables"}) {
    const ProgramResult found =
        run_program({.argv = {"which", program}, .environment = {}, .stdin_text = "", .output_path = ""});
    if (found.exit_status != 0) return concat(program, " is not installed");
  }
  return can_make_spaces() ? "" : "no network namespace can be made";
}

}  // namespace margay::test
