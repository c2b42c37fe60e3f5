#include "bgp/filter/pattern.h"

#include <cstddef>

namespace margay::bgp {

bool matches_pattern(std::string_view pattern, std::string_view name) {
  if (name.empty()) return false;
  std::size_t at = 0;                         // in the pattern
  std::size_t star = std::string_view::npos;  // the last "*" passed
  std::size_t resume = 0;                     // in the name: where that "*" may take one more
  for (std::size_t i = 0; i < name.size();) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = i;
    } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == name[i])) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace margay::bgp
