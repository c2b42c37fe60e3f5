// How old something is, as kubectl shows it.
#pragma once

#include <string>
#include <string_view>

#include "base/core/time.h"

namespace margay::render {

// Two figures at most: "45s", "3m7s", "25m", "5h20m", "30h", "4d2h", "99d", "3y12d". Negative durations are "0s".
std::string short_duration(Duration duration);

// The age of a timestamp at `now`; "<unknown>" if it cannot be read.
std::string age(std::string_view timestamp, WallTime now);

}  // namespace margay::render
