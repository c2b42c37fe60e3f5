// ScratchNamespace: a network namespace of its own for the calling thread, for trying what this kernel can do and for
// tests. It is empty but for a loopback interface that is down. The thread returns to where it was when the object is
// destroyed, and the namespace ends with the last socket in it; nothing stays behind after a crash.
#pragma once

#include "base/core/result.h"

namespace margay::netlink {

class ScratchNamespace {
 public:
  // kPermissionDenied without CAP_SYS_ADMIN.
  static Result<ScratchNamespace> enter();
  ScratchNamespace(ScratchNamespace&& other) noexcept;
  ScratchNamespace& operator=(ScratchNamespace&&) = delete;
  ~ScratchNamespace();

 private:
  explicit ScratchNamespace(int home_fd) : home_fd_(home_fd) {}
  int home_fd_;  // -1: moved from
};

}  // namespace margay::netlink
