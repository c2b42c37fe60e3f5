#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/core/text.h"
#include "datastore/kube/config.h"

namespace margay::kube {
namespace {

constexpr std::size_t kFileBytesMax = 4 * 1024 * 1024;

Error failed(const std::string& path, int error) {
  const ErrorCode code = error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound
                         : error == EACCES || error == EPERM ? ErrorCode::kPermissionDenied
                                                             : ErrorCode::kInternal;
  return Error{code, concat(path, ": ", std::strerror(error))};
}

Result<std::string> read_all(const std::string& path, int file) {
  struct stat about {};
  if (::fstat(file, &about) != 0) return failed(path, errno);
  if (!S_ISREG(about.st_mode)) return invalid(concat(path, ": is not a regular file"));
  std::string content;
  char buffer[16384];
  while (true) {
    const ssize_t count = ::read(file, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(path, errno);
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
    if (content.size() > kFileBytesMax) {
      return Error{ErrorCode::kLimitExceeded, concat(path, ": more than ", kFileBytesMax, " bytes")};
    }
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  // Not blocking: a FIFO without a writer would hold the loop up before fstat() can tell what it is.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return failed(path, errno);
  auto content = read_all(path, file);
  ::close(file);
  return content;
}

}  // namespace margay::kube
