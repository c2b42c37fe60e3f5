// The colours of what netctl prints, for terminals that have them (ECMA-48, SGR).
#pragma once

#include <string>
#include <string_view>

#include "base/core/text.h"

namespace margay::verbs {

inline constexpr std::string_view kRed = "\x1b[31m";
inline constexpr std::string_view kGreen = "\x1b[32m";
inline constexpr std::string_view kYellow = "\x1b[33m";

inline std::string coloured(std::string_view text, std::string_view colour, bool has_colour) {
  constexpr std::string_view kPlain = "\x1b[0m";
  return has_colour ? concat(colour, text, kPlain) : std::string(text);
}

}  // namespace margay::verbs
