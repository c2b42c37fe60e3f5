// The file side of snapshot.h.
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "base/core/text.h"
#include "base/file/file.h"
#include "datastore/store/snapshot.h"

namespace margay::store {
namespace {

constexpr mode_t kMode = 0600;  // secrets are in it

Error failed(const Error& error) { return error.within("snapshot file"); }

// So that nobody learns only after an hour's work that nothing can be kept.
Status check_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return ok_status();
  return failed(file::error_of(errno, path, concat("cannot write into ", folder)));
}

}  // namespace

Result<Snapshot> read_snapshot_file(const std::string& path) {
  const Result<std::string> bytes = file::read_file(path, SIZE_MAX);
  if (!bytes.ok()) {
    if (bytes.error().code != ErrorCode::kNotFound) return failed(bytes.error());
    MARGAY_RETURN_IF_ERROR(check_folder(path));
    return Snapshot{};
  }
  Result<Snapshot> snapshot = decode_snapshot(*bytes);
  if (snapshot.ok()) return snapshot;
  return invalid(concat("snapshot file ", path, ": ", snapshot.error().message,
                        "; restore it, or move it away to start with an empty store"));
}

Status write_snapshot_file(const std::string& path, const Snapshot& snapshot) {
  if (Status written = file::write_file_atomically(path, encode_snapshot(snapshot), kMode); !written.ok()) {
    return failed(written.error());
  }
  return ok_status();
}

}  // namespace margay::store
