#include "dataplane/sysctl/sysctl_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/core/text.h"
#include "base/file/file.h"

namespace margay::sysctl {

namespace {

constexpr std::size_t kValueMax = 4096;  // a page: more the kernel does not give at once

Error error_of(int number, const std::string& path, std::string_view doing) {
  Error error = file::error_of(number, path, doing);
  // An interface that goes away takes its files along while they are open.
  if (number == ENOENT || number == ENOTDIR || number == ENODEV) error.code = ErrorCode::kNotFound;
  if (number == EACCES || number == EPERM || number == EROFS) error.code = ErrorCode::kPermissionDenied;
  if (number == EINVAL) error.code = ErrorCode::kInvalid;
  return error;
}

class OpenFile {
 public:
  OpenFile(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::string> FileSysctlTree::read(const std::string& path) {
  const std::string full = concat(root_, "/", path);
  const OpenFile file(full, O_RDONLY);
  if (file.fd() < 0) return error_of(errno, full, "cannot open");
  std::array<char, kValueMax> buffer{};
  const ssize_t got = ::read(file.fd(), buffer.data(), buffer.size());
  if (got < 0) return error_of(errno, full, "cannot read");
  return std::string(trim(std::string_view(buffer.data(), static_cast<std::size_t>(got))));
}

Status FileSysctlTree::write(const std::string& path, std::string_view value) {
  const std::string full = concat(root_, "/", path);
  const OpenFile file(full, O_WRONLY | O_TRUNC);
  if (file.fd() < 0) return error_of(errno, full, "cannot open for writing");
  const std::string line = concat(value, "\n");
  // The kernel takes a value with one write or not at all.
  if (::write(file.fd(), line.data(), line.size()) < 0) return error_of(errno, full, "cannot write");
  return std::monostate();
}

}  // namespace margay::sysctl
