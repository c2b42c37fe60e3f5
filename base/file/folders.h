// Folders, with those above them.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/core/result.h"

namespace margay::file {

// What is there already stays as it is. The error names the folder that cannot be made.
Status make_folders(const std::string& path, mode_t mode);

}  // namespace margay::file
