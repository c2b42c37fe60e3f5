// InterfaceFilter: interfaceExclude, a list of names and of /regular expressions/, separated by commas. Pure.
// Source: "interfaceExclude" in the reference of FelixConfiguration.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/core/field_error.h"

namespace re2 {
class RE2;
}

namespace margay::agent {

class InterfaceFilter {
 public:
  InterfaceFilter();
  // A pattern that cannot be read counts as absent, and is reported.
  InterfaceFilter(std::string_view list, FieldErrors& problems);
  InterfaceFilter(InterfaceFilter&&) noexcept;
  InterfaceFilter& operator=(InterfaceFilter&&) noexcept;
  ~InterfaceFilter();

  // A pattern may match anywhere in the name.
  [[nodiscard]] bool matches(std::string_view name) const;

 private:
  std::vector<std::unique_ptr<re2::RE2>> patterns_;
};

}  // namespace margay::agent
