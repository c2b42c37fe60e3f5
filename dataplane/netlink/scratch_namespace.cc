#include "dataplane/netlink/scratch_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/core/check.h"
#include "dataplane/netlink/netlink.h"

namespace margay::netlink {

Result<ScratchNamespace> ScratchNamespace::enter() {
  const int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0) return error_of(errno, "network namespace of this thread");
  ScratchNamespace space(home);
  if (unshare(CLONE_NEWNET) != 0) return error_of(errno, "new network namespace");
  return space;
}

ScratchNamespace::ScratchNamespace(ScratchNamespace&& other) noexcept : home_fd_(std::exchange(other.home_fd_, -1)) {}

ScratchNamespace::~ScratchNamespace() {
  if (home_fd_ < 0) return;
  // Going on in the wrong namespace would change the wrong machine's network.
  MARGAY_CHECK(setns(home_fd_, CLONE_NEWNET) == 0);
  close(home_fd_);
}

}  // namespace margay::netlink
