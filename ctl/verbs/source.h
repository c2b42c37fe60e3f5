// The files that -f names: read whole, within bounds.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "ctl/verbs/io.h"

namespace margay::verbs {

constexpr std::size_t kSourceBytesMax = std::size_t{10} * 1024 * 1024;
constexpr std::size_t kSourcesMax = 10'000;

struct Source {
  std::string name;  // as messages show it; "<stdin>"
  std::string text;
};

struct SourceOptions {
  std::vector<std::string> names;  // files, directories, "-"
  bool is_recursive = false;
};

struct Sources {
  std::vector<Source> sources;
  std::vector<std::string> problems;  // every one that could not be read
};

// Of a directory: *.yaml, *.yml and *.json in order of names, with `is_recursive` those of the directories in it too.
Sources read_sources(const SourceOptions& options, Io& io);

// One file; at most kSourceBytesMax.
Result<std::string> read_whole_file(const std::string& path);

}  // namespace margay::verbs
