// FdWatch: tells when a file descriptor can be read or written. The one way into the loop for anything that is not a
// Stream: sockets of other kinds, signalfd, pidfd, inotify, netlink.
//
// Destroy it before the descriptor is closed; no callback runs afterwards. The descriptor is made non-blocking.
#pragma once

#include <memory>

#include "base/core/result.h"
#include "base/core/task.h"

namespace margay::loop {

class FdWatch {
 public:
  virtual ~FdWatch() = default;
  // The callback given to watch() runs once when the descriptor is ready, or has failed (reading will tell); ask again
  // for the next time. Never runs from inside this call. Asking twice is asking once.
  virtual void want_readable() = 0;
  virtual void want_writable() = 0;
  // `task` runs once when the descriptor has failed or both its directions are over (POLLERR, POLLHUP), and not when it
  // is merely readable. Asking twice is asking once.
  virtual void want_end(Task task) = 0;
};

class FdWatcher {
 public:
  virtual ~FdWatcher() = default;
  virtual Result<std::unique_ptr<FdWatch>> watch(int fd, Task on_readable, Task on_writable) = 0;
};

}  // namespace margay::loop
