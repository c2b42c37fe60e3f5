// FreshFiles: a few small files that others rewrite under us (certificates, keys): tells when they have changed.
//
// They are read when somebody asks and the last reading is old enough, and never otherwise. Files that belong together
// may be caught in the middle of a change, one new and one old: what is told once is not told again, so that the pair
// follows when it is whole. Time is an argument; reading is a function, for tests and for limits.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace margay::file {

class FreshFiles {
 public:
  using Reader = std::function<Result<std::string>(const std::string& path)>;
  using Contents = std::vector<std::string>;  // in the order of the paths

  // A path "" stands for no file, and its content is "". `now`: when `known`, the present contents, were read.
  FreshFiles(std::vector<std::string> paths, Contents known, Reader reader, Duration max_age, TimePoint now);

  // nullopt: nothing new, or not yet time to look. An error, which names the file, comes once and not again before
  // something else does; what was known stays good then.
  std::optional<Result<Contents>> poll(TimePoint now);

 private:
  Result<Contents> read() const;

  std::vector<std::string> paths_;
  Contents known_;
  std::string last_error_;
  Reader reader_;
  Duration max_age_;
  TimePoint read_at_;
};

}  // namespace margay::file
