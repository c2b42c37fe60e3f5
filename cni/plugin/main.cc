// margay, margay-ipam: the CNI plugin and, called by its other name, the IPAM plugin. With arguments, which no runtime
// gives, it installs itself.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "cni/plugin/install.h"
#include "cni/plugin/verbs.h"

namespace {

constexpr std::size_t kInputMax = 16 * 1024 * 1024;

std::string read_input() {
  std::string out;
  char buffer[64 * 1024];
  while (out.size() < kInputMax) {
    const ssize_t count = read(STDIN_FILENO, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    out.append(buffer, static_cast<std::size_t>(count));
  }
  return out;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

int main(int argc, char** argv) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  if (argc > 1) return margay::cni::run_install(std::vector<std::string>(argv + 1, argv + argc));
  const margay::cni::Answer answer = margay::cni::run(argc > 0 ? argv[0] : "margay", variable, read_input());
  std::string_view rest = answer.output;
  while (!rest.empty()) {
    const ssize_t count = write(STDOUT_FILENO, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return 1;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return answer.exit_code;
}
