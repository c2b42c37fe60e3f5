// Patterns: a list of regular expressions, one of which may match anywhere in a name. Internal to this folder.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace re2 {
class RE2;
}

namespace margay::startup {

class Patterns {
 public:
  // Separated by commas.
  static Result<std::shared_ptr<const Patterns>> parse(std::string_view list);
  // As they are in the program.
  static std::shared_ptr<const Patterns> of(const std::vector<std::string_view>& expressions);
  ~Patterns();

  [[nodiscard]] bool matches(std::string_view name) const;

 private:
  Patterns();
  std::vector<std::unique_ptr<re2::RE2>> expressions_;
};

}  // namespace margay::startup
