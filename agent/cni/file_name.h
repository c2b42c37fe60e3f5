// What a runtime calls its containers, as the name of a file: one that cannot leave its folder. A container's usual
// name has none of the letters that change.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>

namespace margay::agent {

inline std::string file_name_of(std::string_view text, std::size_t size_max) {
  std::string out(text.substr(0, size_max));
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_'; }, '_');
  return out;
}

}  // namespace margay::agent
