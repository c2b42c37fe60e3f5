// SysctlTree: the settings below /proc/sys as small texts by path ("net/ipv4/conf/cali1/rp_filter"; an interface may
// have a dot in its name, so paths have slashes). FileSysctlTree is the real one; tests give it another root.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/core/result.h"

namespace margay::sysctl {

class SysctlTree {
 public:
  virtual ~SysctlTree() = default;
  // Without the newline at the end. kNotFound: there is no such setting (now).
  virtual Result<std::string> read(const std::string& path) = 0;
  // Never makes a file. kPermissionDenied also where the tree can only be read.
  virtual Status write(const std::string& path, std::string_view value) = 0;
};

// Below `root`; what is below net/ belongs to the network namespace the calling thread is in at each call.
class FileSysctlTree final : public SysctlTree {
 public:
  explicit FileSysctlTree(std::string root = "/proc/sys") : root_(std::move(root)) {}
  Result<std::string> read(const std::string& path) override;
  Status write(const std::string& path, std::string_view value) override;

 private:
  std::string root_;
};

}  // namespace margay::sysctl
