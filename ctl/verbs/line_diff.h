// The lines in which two texts differ, in the unified format, with three lines around each change.
#pragma once

#include <string>
#include <string_view>

namespace margay::verbs {

// "" when they are equal. Beyond 4,000 lines of difference all of one text is shown as replaced by all of the other.
std::string line_diff(std::string_view before, std::string_view after);

}  // namespace margay::verbs
