// The real calendar time, for log lines only: everything else takes its time from the loop.
#pragma once

#include "base/core/time.h"

namespace margay::telemetry {

WallTime system_wall_clock();

}  // namespace margay::telemetry
