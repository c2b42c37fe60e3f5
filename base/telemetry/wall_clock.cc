#include "base/telemetry/wall_clock.h"

namespace margay::telemetry {

WallTime system_wall_clock() { return std::chrono::system_clock::now(); }

}  // namespace margay::telemetry
