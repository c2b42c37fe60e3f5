// Tar: files in one archive, in the order they were added. Source: POSIX.1-2017 pax(1), ustar interchange format; long
// paths by its prefix field, so at most 255 bytes, which is checked. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/core/time.h"

namespace margay::node {

class Tar {
 public:
  // Times and owners are the same for all: `now`, root.
  explicit Tar(WallTime now) : now_(now) {}
  // False: the path cannot be stored.
  bool add(std::string_view path, std::string_view content);
  // The archive; nothing is added after it.
  [[nodiscard]] std::string finish() &&;

 private:
  WallTime now_;
  std::string bytes_;
};

}  // namespace margay::node
