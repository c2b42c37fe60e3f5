// Exit codes of netctl, a promise to scripts: `netctl help exit-codes` prints the same table.
#pragma once

namespace margay::command {

enum class ExitCode {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,     // the command line is wrong; nothing was done
  kDegraded = 3,  // it works, but something that should be there is not
  kNotFound = 4,  // a named object does not exist
  kPartly = 5,    // some of the objects are done, others failed
};

}  // namespace margay::command
