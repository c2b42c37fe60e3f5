// The file side of snapshot.h.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/core/text.h"
#include "datastore/store/snapshot.h"

namespace margay::store {
namespace {

class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  bool read_all(std::string& out) {
    struct stat info {};
    if (::fstat(fd_, &info) == 0 && info.st_size > 0) out.reserve(static_cast<std::size_t>(info.st_size));
    char buffer[65536];
    while (true) {
      const ssize_t count = ::read(fd_, buffer, sizeof buffer);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return count == 0;
      out.append(buffer, static_cast<std::size_t>(count));
    }
  }
  bool write_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  bool sync() { return ::fsync(fd_) == 0; }

 private:
  int fd_;
};

Error failed(const std::string& path, std::string_view doing) {
  const int number = errno;
  return Error{ErrorCode::kInternal, concat("snapshot file ", path, ": ", doing, ": ", std::strerror(number))};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_new_file(const std::string& path, const std::string& bytes) {
  File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.is_open()) return failed(path, "cannot create");
  if (!file.write_all(bytes)) return failed(path, "cannot write");
  if (!file.sync()) return failed(path, "cannot synchronise");
  return ok_status();
}

}  // namespace

Result<Snapshot> read_snapshot_file(const std::string& path) {
  File file(path, O_RDONLY);
  if (!file.is_open()) {
    if (errno == ENOENT) return Snapshot{};
    return failed(path, "cannot open");
  }
  std::string bytes;
  if (!file.read_all(bytes)) return failed(path, "cannot read");
  Result<Snapshot> snapshot = decode_snapshot(bytes);
  if (snapshot.ok()) return snapshot;
  return invalid(concat("snapshot file ", path, ": ", snapshot.error().message,
                        "; restore it, or move it away to start with an empty store"));
}

Status write_snapshot_file(const std::string& path, const Snapshot& snapshot) {
  const std::string beside = path + ".new";
  if (Status written = write_new_file(beside, encode_snapshot(snapshot)); !written.ok()) {
    ::unlink(beside.c_str());
    return written;
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed(path, "cannot replace");
  File folder(folder_of(path), O_RDONLY | O_DIRECTORY);
  if (!folder.is_open() || !folder.sync()) return failed(path, "cannot synchronise its folder");
  return ok_status();
}

}  // namespace margay::store
