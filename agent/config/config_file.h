// felix.cfg: "Name = value" or "Name: value" a line, [sections] that mean nothing, comments from # or ; at the start of
// a line or after a blank; a value may stand in quotes. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace margay::config {

struct FileEntry {
  std::size_t line = 0;  // from 1
  std::string name;
  std::string value;

  friend bool operator==(const FileEntry&, const FileEntry&) = default;
};

struct FileContent {
  std::vector<FileEntry> entries;        // in order
  std::vector<std::size_t> bad_lines{};  // neither an entry nor a section nor a comment
};

FileContent parse_config_file(std::string_view text);

}  // namespace margay::config
