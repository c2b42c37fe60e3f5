#include "base/file/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

#include "base/core/text.h"

namespace margay::file {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) (void)::close(fd_);
  }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

ErrorCode code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR: return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::kPermissionDenied;
    case EEXIST: return ErrorCode::kAlreadyExists;
    case EFBIG:
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE: return ErrorCode::kLimitExceeded;
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG: return ErrorCode::kInvalid;
    default: return ErrorCode::kInternal;
  }
}

Error failed(std::string_view path, std::string_view doing) { return error_of(errno, path, doing); }

Result<std::string> read_until_end(const Descriptor& from, const std::string& path, std::size_t size_max) {
  std::string out;
  char buffer[16 * 1024];
  while (true) {
    const ssize_t count = ::read(from.get(), buffer, sizeof buffer);
    if (count == 0) return out;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(path, "cannot read");
    out.append(buffer, static_cast<std::size_t>(count));
    if (out.size() > size_max) {
      return Error{ErrorCode::kLimitExceeded, concat(path, ": larger than the limit of ", size_max, " bytes")};
    }
  }
}

Status write_all(const Descriptor& to, const std::string& path, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(to.get(), content.data(), content.size());
    if (count < 0 && errno != EINTR) return failed(path, "cannot write");
    if (count > 0) content.remove_prefix(static_cast<std::size_t>(count));
  }
  return ok_status();
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A rename is on the disk only when its directory is.
Status flush_folder(const std::string& path) {
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open() || ::fsync(folder.get()) != 0) return failed(folder_of(path), "cannot flush");
  return ok_status();
}

enum class Flush : std::uint8_t { kToDisk, kNot };

Status fill(const Descriptor& to, const std::string& path, std::string_view content, mode_t mode, Flush flush) {
  if (::fchmod(to.get(), mode) != 0) return failed(path, "cannot set its mode");
  MARGAY_RETURN_IF_ERROR(write_all(to, path, content));
  if (flush == Flush::kToDisk && ::fsync(to.get()) != 0) return failed(path, "cannot flush");
  return ok_status();
}

constexpr std::string_view kBeside = ".margay-";
constexpr std::string_view kUnique = "XXXXXX";  // mkostemp(3)

// A file beside `path` that nobody else writes, locked for as long as it is open.
struct Beside {
  Beside(std::string path, int fd) : name(std::move(path)), descriptor(fd) {}
  std::string name;
  Descriptor descriptor;
};

// Whether the lock is ours and the file still has its name: a cleaner may have been faster than our lock.
bool hold(const Descriptor& descriptor) {
  while (::flock(descriptor.get(), LOCK_EX) != 0)
    if (errno != EINTR) return true;  // a file system without locks has no cleaners either
  struct stat found {};
  return ::fstat(descriptor.get(), &found) != 0 || found.st_nlink > 0;
}

Result<std::unique_ptr<Beside>> make_beside(const std::string& path) {
  while (true) {
    std::string name = concat(path, kBeside, kUnique);
    const int fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) return failed(path, "cannot create a file beside it");
    auto made = std::make_unique<Beside>(std::move(name), fd);
    if (hold(made->descriptor)) return made;
  }
}

bool is_leftover_of(std::string_view name, std::string_view target) {
  if (name.size() != target.size() + kBeside.size() + kUnique.size() || !name.starts_with(target)) return false;
  return name.substr(target.size()).starts_with(kBeside);
}

// Not one that somebody is writing: that one is locked.
void remove_if_abandoned(const std::string& name) {
  const Descriptor found(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!found.is_open() || ::flock(found.get(), LOCK_EX | LOCK_NB) != 0) return;
  struct stat kind {};
  if (::fstat(found.get(), &kind) == 0 && S_ISREG(kind.st_mode)) ::unlink(name.c_str());
}

// Of writers that did not live to rename their file. What cannot be removed is tried again the next time.
void remove_leftovers(const std::string& path) {
  struct Close {
    void operator()(DIR* folder) const { (void)::closedir(folder); }
  };
  const std::string folder = folder_of(path);
  const std::string_view target = std::string_view(path).substr(path.rfind('/') + 1);
  const std::unique_ptr<DIR, Close> entries(::opendir(folder.c_str()));
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view name(entry->d_name);
    if (is_leftover_of(name, target)) remove_if_abandoned(concat(folder, '/', name));
  }
}

Status write_beside(const std::string& path, std::string_view content, mode_t mode, Flush flush) {
  remove_leftovers(path);
  MARGAY_ASSIGN_OR_RETURN(const std::unique_ptr<Beside> beside, make_beside(path));
  Status status = fill(beside->descriptor, path, content, mode, flush);
  if (status.ok() && ::rename(beside->name.c_str(), path.c_str()) != 0) status = failed(path, "cannot replace");
  if (!status.ok()) {
    ::unlink(beside->name.c_str());
    return status;
  }
  return flush == Flush::kToDisk ? flush_folder(path) : ok_status();
}

}  // namespace

Error error_of(int number, std::string_view path, std::string_view doing) {
  return Error{code_of(number), concat(path, ": ", doing, ": ", std::generic_category().message(number))};
}

Result<std::string> read_file(const std::string& path, std::size_t size_max) {
  // O_NONBLOCK: opening a FIFO nobody writes to must not wait.
  const Descriptor from(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!from.is_open()) return failed(path, "cannot open");
  struct stat found {};
  if (::fstat(from.get(), &found) != 0) return failed(path, "cannot look at");
  if (!S_ISREG(found.st_mode)) return invalid(concat(path, ": not a regular file"));
  return read_until_end(from, path, size_max);
}

Status write_file_atomically(const std::string& path, std::string_view content, mode_t mode) {
  return write_beside(path, content, mode, Flush::kToDisk);
}

Status update_file_atomically(const std::string& path, std::string_view content, mode_t mode) {
  const auto present = read_file(path);
  if (present.ok() && *present == content) return ok_status();
  return write_beside(path, content, mode, Flush::kNot);
}

}  // namespace margay::file
