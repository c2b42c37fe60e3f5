#include "base/file/folders.h"

#include <sys/stat.h>

#include <cerrno>

#include "base/file/file.h"

namespace margay::file {

Status make_folders(const std::string& path, mode_t mode) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), mode) != 0 && errno != EEXIST) return error_of(errno, part, "cannot be made");
    if (end == std::string::npos) return ok_status();
  }
}

}  // namespace margay::file
