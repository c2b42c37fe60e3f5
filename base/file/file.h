// Whole files: read with a limit, write so that a reader sees the old content or the new, never half.
//
// These calls block; they are for start-up, for small files, and for threads that may wait. Errors name the file.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace margay::file {

inline constexpr std::size_t kSizeMax = 16 * 1024 * 1024;

// kNotFound, kPermissionDenied; kInvalid for what is no regular file (it is not read, so that a FIFO cannot hold us
// up); kLimitExceeded above `size_max`.
Result<std::string> read_file(const std::string& path, std::size_t size_max = kSizeMax);

// Writes a file beside it, flushes it to the disk and renames it over `path`, whose directory is flushed too: after a
// crash at any point the old or the new content is there. A symbolic link at `path` is replaced, not followed.
// On an error nothing is left behind and `path` is as it was. A crash, or a kill, in the middle leaves the file beside
// it, `path`.margay-XXXXXX (X: any letter or digit): the next call for the same path removes it. What another process
// is writing at the moment is told apart by its lock (flock(2)) and left alone; of two writers the last one wins.
Status write_file_atomically(const std::string& path, std::string_view content, mode_t mode = 0644);

// The same for what describes a running machine, and is written anew after a crash of it: nothing is flushed, which may
// take longer than all else a start does, and a file that has this content already is left as it is.
Status update_file_atomically(const std::string& path, std::string_view content, mode_t mode = 0644);

// The same words for an errno as the two above: "/x: cannot open: No such file or directory", with the code that fits.
Error error_of(int number, std::string_view path, std::string_view doing);

}  // namespace margay::file
