#include "base/file/temp_dir.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/core/text.h"
#include "base/file/file.h"

namespace margay::file {

Result<TempDir> TempDir::make(const std::string& parent) {
  std::string path = concat(parent, "/margay-XXXXXX");
  if (::mkdtemp(path.data()) == nullptr) return error_of(errno, parent, "cannot make a directory");
  return TempDir(std::move(path));
}

TempDir::TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TempDir& TempDir::operator=(TempDir&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TempDir::~TempDir() {
  std::error_code ignored;  // nothing could be done about it
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::at(std::string_view name) const { return concat(path_, '/', name); }

}  // namespace margay::file
