// TempDir: a new empty directory of mode 0700, removed with everything in it when this is destroyed.
#pragma once

#include <string>
#include <string_view>

#include "base/core/result.h"

namespace margay::file {

class TempDir {
 public:
  // Below `parent`; the name begins with "margay-".
  static Result<TempDir> make(const std::string& parent = "/tmp");

  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) noexcept;
  ~TempDir();

  [[nodiscard]] const std::string& path() const { return path_; }
  // path()/name
  [[nodiscard]] std::string at(std::string_view name) const;

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: moved from
};

}  // namespace margay::file
