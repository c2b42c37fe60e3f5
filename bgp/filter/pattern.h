// Patterns of interface names: "*" stands for any characters, "?" for one. For bgp/filter's own use.
#pragma once

#include <string_view>

namespace margay::bgp {

// The whole of `name`; an empty name (not known) never matches.
bool matches_pattern(std::string_view pattern, std::string_view name);

}  // namespace margay::bgp
