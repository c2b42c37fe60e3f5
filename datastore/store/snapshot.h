// Snapshot: all entries of a store in one file.
//
//   margay-snapshot 1 revision=1234 entries=2
//   1201 37 215            revision, length of key, length of value; then the two, then a newline
//   <key><value>
//   …
//   end 9ae16a3b2f90404f   FNV-1a, 64 bits, of everything before this line
//
// A file is replaced whole (written beside, synchronised, renamed): whoever reads it sees the old one or the new one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "datastore/store/store.h"

namespace margay::store {

struct Snapshot {
  Revision revision = 0;
  std::vector<Entry> entries;  // in key order
};

std::string encode_snapshot(const Snapshot& snapshot);
// Anything but a complete snapshot is kInvalid, naming the offset and what is wrong there.
Result<Snapshot> decode_snapshot(std::string_view bytes);

// An empty snapshot when there is no such file but a folder where it can be written.
Result<Snapshot> read_snapshot_file(const std::string& path);
Status write_snapshot_file(const std::string& path, const Snapshot& snapshot);

}  // namespace margay::store
